"""Columns that mean no field of ours, kept as they are where somebody says so, and the ones that need saying twice.

A list of grids often carries more than we ask for: population, the number of merchants, remarks. It may also carry
telephone numbers and identity cards, which nobody should have taken over by a tick meant for the rest.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gis.intake.rows import as_text
from gis.intake.table import Sheet

KINDS: Final = frozenset({"areas"})
"""Kinds of file whose other columns can be kept."""
MOST_COLUMNS: Final = 50
MOST_BYTES: Final = 4_096
"""Of what is kept of one row, as it is written."""
MOST_NAME: Final = 60

_PRIVATE_NAME: Final = re.compile(
    r"(?i)电话|手机|联系方式|联系号码|身份证|证件|证号|phone|mobile|cellphone|telephone|\btel|id_?card|idno|sfz|shfzh|lxdh|lxfs|dhhm|sjh"
)
_BETWEEN: Final = re.compile(r"(?<=\d)[\s\-—–_()]+(?=\d)")
"""What people put between the digits of a number."""
_PRIVATE: Final = re.compile(
    # Not the digits behind the point of a decimal.
    r"(?<!\d)(?<!\d\.)(?:"
    r"(?:\+?86|0086)?1[3-9]\d(?:\d{8}|\.\d{4}\.\d{4})"  # a mobile telephone
    r"|0\d{9,11}"  # one on a wire, with its area
    r"|[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"  # an identity card
    r"|[1-9]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}"  # one of before 1999
    r")(?!\d|\.\d)"
)


def private(name: str, values: Iterable[str]) -> bool:
    """Say whether a column looks like telephone numbers or identity cards: by its name, or by any one value.

    >>> private("备注", ["", "找老王 138 1234 5678"]), private("户籍人口", ["1204"])
    (True, False)
    """
    if _PRIVATE_NAME.search(unicodedata.normalize("NFKC", name)):
        return True
    plain = (unicodedata.normalize("NFKC", text) for text in set(values))
    return any(_PRIVATE.search(_BETWEEN.sub("", text)) for text in plain)


def private_columns(columns: Mapping[str, pa.Array], mapping: Mapping[str, str]) -> frozenset[str]:
    """The columns that mean no field and look private; every row is looked at."""
    return frozenset(
        name
        for name, column in columns.items()
        if not mapping.get(name) and private(name, as_text(column).tolist())
    )


def chosen(
    columns: Iterable[str],
    mapping: Mapping[str, str],
    unsaid: frozenset[str],
    said: Iterable[str],
    known: Sequence[str] = (),
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns to keep, in the order of the file, and those for which there is no room.

    Args:
        columns: Of the file.
        mapping: Column → field.
        unsaid: Those that look private.
        said: Those that are kept although they do.
        known: Names of columns that stay of what is in force, which count too.
    """
    ticked = frozenset(said)
    wanted = [name for name in columns if not mapping.get(name) and (name not in unsaid or name in ticked)]
    kept: list[str] = []
    left: list[str] = []
    there = set(known)
    for name in wanted:
        plain = plain_name(name)
        if plain in there or len(there) < MOST_COLUMNS:
            there.add(plain)
            kept.append(name)
        else:
            left.append(name)
    return tuple(kept), tuple(left)


def plain_name(name: str) -> str:
    r"""A column's name without what cannot be seen, and not too long.

    >>> plain_name(" 户籍\n人口 ")
    '户籍 人口'
    """
    seen = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in name)
    return " ".join(seen.split())[:MOST_NAME] or "?"


def keep(sheet: Sheet, columns: Mapping[str, pa.Array], names: Sequence[str]) -> NDArray[np.object_]:
    """What is kept of each row: JSON, column → text, None where there is nothing.

    A row with more than can be kept gets a warning, and nothing of it is kept.
    """
    extra: NDArray[np.object_] = np.full(len(sheet), None, dtype=object)
    titles: list[str] = []
    for name in names:
        title = plain_name(name)
        number = 2
        while title in titles:
            title = f"{plain_name(name)[: MOST_NAME - 4]}_{number}"
            number += 1
        titles.append(title)
    texts = [as_text(columns[name]).tolist() for name in names]
    large = []
    for row in range(len(sheet)):
        found = {
            title: value
            for title, column in zip(titles, texts, strict=True)
            if (value := column[row].strip())
        }
        if not found:
            continue
        written = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        if len(written.encode()) > MOST_BYTES:
            large.append(row)
        else:
            extra[row] = written
    sheet.issues.add_rows(
        large,
        "warning",
        "bad_value",
        f"未识别的列合计超过 {MOST_BYTES:,} 字节，这一行的不保留",
        f"its other columns have more than {MOST_BYTES:,} bytes and would not be kept",
    )
    return extra


def names_in(texts: Iterable[str]) -> tuple[str, ...]:
    """The columns that rows of the district's file have, in the order in which they come.

    >>> names_in(['{"a":"1"}', "", '{"b":"2","a":"3"}'])
    ('a', 'b')
    """
    found: dict[str, None] = {}
    for text in texts:
        if text:
            found.update(dict.fromkeys(json.loads(text)))
    return tuple(found)
