"""What never leaves the process that reads a file: the values that say how to get into a camera.

A draft shows some of each column, and some of the text in each encoding that fits. It is kept and sent around, so
neither may hold a password, whatever its column is called and whatever somebody takes it for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec
import pyarrow as pa

from gis.intake.fields import KindSpec, guess
from gis.intake.model import Encoding
from gis.intake.rows import as_text

MASK: Final = "••••"
_SECRET: Final = re.compile(r"(?i)密码|口令|密钥|passw|pwd|secret|token")
_ADDRESS_WITH_USER: Final = re.compile(r"://[^/\s]*@")
_ASCII: Final = re.compile(r"[!-~]+")


def hidden_columns(
    columns: Mapping[str, pa.Array], mapping: Mapping[str, str], spec: KindSpec
) -> frozenset[str]:
    """Columns whose values are not shown: by what they are taken for, by their name, and by what they hold.

    Args:
        columns: As read, or the first rows of each.
        mapping: Column → field.
        spec: Of the kind.
    """
    if not spec.hidden:
        return frozenset()
    # A person may take a column for something else, or for nothing: it holds the same.
    usual = guess(columns, spec)
    return frozenset(
        name
        for name, values in columns.items()
        if {mapping.get(name), usual[name]} & spec.hidden
        or _SECRET.search(name)
        or any(_ADDRESS_WITH_USER.search(text) for text in as_text(values))
    )


def plain_samples(encoding: Encoding, spec: KindSpec) -> Encoding:
    """The encoding with samples that tell encodings apart and no more: what is ASCII in all of them is gone."""
    if not spec.hidden:
        return encoding
    samples = (
        msgspec.structs.replace(one, sample=" ".join(_ASCII.sub(" ", one.sample).split()))
        for one in encoding.candidates
    )
    return msgspec.structs.replace(encoding, candidates=tuple(samples))
