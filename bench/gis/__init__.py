"""How fast geography is measured, each figure beside a plain way of doing the same."""
