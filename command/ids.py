"""Ids of new things."""

from uuid import uuid4


def new_id(letter: str) -> str:
    """Return a new id; the letter tells the kind apart in logs."""
    return f"{letter}_{uuid4().hex[:20]}"
