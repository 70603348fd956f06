"""Text as it was meant: wrong readings found, and undone where a person says so."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pyarrow as pa

from gis.intake import encodings
from gis.intake.model import Choices, Encoding, TextSample
from gis.intake.rows import Rows
from gis.intake.table import Sheet


def undo_wrong_reading(rows: Rows, choices: Choices) -> None:
    """Correct names of columns and their text where the chosen encoding is a wrong reading to be undone."""
    if choices.encoding is None or ">" not in encodings.known(choices.encoding):
        return
    used = encodings.known(choices.encoding)
    columns = {}
    for name, column in rows.columns.items():
        (better,) = encodings.correct([name], used)
        if pa.types.is_string(column.type):
            values = [value or "" for value in column.to_pylist()]
            column = pa.array(encodings.correct(values, used), type=pa.string())
        columns[better] = column
    rows.columns = columns
    rows.encoding = Encoding(used, False, rows.encoding.candidates)


def check_text(rows: Rows, sheet: Sheet, fields: Iterable[str], *, chosen: bool) -> bool:
    """Report text that is not what was meant.

    Args:
        rows: As read; further candidates are added to its encoding.
        sheet: The rows in the product's words.
        fields: That are text.
        chosen: Whether a person chose the encoding.

    Returns:
        Whether so much text is wrong that a person has to choose.
    """
    issues = sheet.issues
    used = rows.encoding.used
    issues.add_rows(
        rows.undecoded,
        "warning",
        "mojibake",
        f"有不属于 {used} 编码的文字",
        f"holds text that is not {used}",
    )
    suspects: dict[int, str] = {}
    for name in fields:
        found = encodings.mistaken(sheet.text(name).tolist())
        if found is not None:
            for row in found[1].tolist():
                suspects.setdefault(row, found[0])
    header = encodings.mistaken(list(rows.columns))
    mistakes = {name for name in [*suspects.values(), header[0] if header is not None else ""] if name}
    if suspects:
        order = sorted(suspects)
        issues.add_rows(
            order,
            "warning",
            "mojibake",
            [f"疑似乱码{_as(suspects[row], '，可能是 {} 被读作 {}')}" for row in order],
            [f"looks garbled{_as(suspects[row], ': {} read as {}, perhaps')}" for row in order],
        )
    for name in sorted(mistakes):
        read_in, really = name.split(">")
        told = [
            *(str(column) for column in rows.columns),
            *(str(sheet.text(f)[n]) for n in list(suspects)[:3] for f in fields),
        ]
        undone = [encodings.reread(text, read_in, really) or text for text in told if not text.isascii()]
        rows.encoding = msgspec.structs.replace(
            rows.encoding, candidates=(*rows.encoding.candidates, TextSample(name, " ".join(undone)[:60]))
        )
    told_rows = sum(not value.isascii() for value in sheet.text("name").tolist())
    many = len(suspects) + len(rows.undecoded) > max(2, told_rows // 3) or header is not None
    return bool(many and (mistakes or len(rows.undecoded)) and not chosen)


def _as(mistake: str, text: str) -> str:
    if not mistake:
        return ""
    read_in, really = mistake.split(">")
    return text.format(really, read_in)
