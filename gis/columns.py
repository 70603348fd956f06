"""Columns of numbers in one compact file of our own making: whole or not at all, and an error with a name."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gis.errors import BadFile

Column = NDArray[Any]


def save_columns(path: Path | str, **columns: Column) -> None:
    """Write columns by name to a compressed `.npz` file, beside the old one and then in its place."""
    target = Path(path)
    part = target.with_name(target.name + ".part")
    with part.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **columns)
    os.replace(part, target)


def load_columns(path: Path | str, what: str, needs: Collection[str] = ()) -> dict[str, Column]:
    """Read what `save_columns` wrote.

    Args:
        path: The file.
        what: What it should be, for the error.
        needs: Names that must be there.

    Raises:
        BadFile: It is damaged, something else, or lacks a column.
    """
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            found = {name: stored[name] for name in stored.files}
    except (
        OSError,
        EOFError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,  # a bare array has no files
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise BadFile(str(path), "file", f"not {what}: {error}") from error
    if missing := [name for name in needs if name not in found]:
        raise BadFile(str(path), "file", f"not {what}: it lacks {', '.join(missing)}")
    return found
