"""``python -m command.cli`` is ``yiping``."""

from command.cli import main

main()
