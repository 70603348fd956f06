"""Which encoding text is in, and text that was read in the wrong one before it came here."""

from __future__ import annotations

import codecs
import contextlib
import re
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gis.apart.messages import Refused, refuse
from gis.intake.model import Encoding, TextSample

CANDIDATES: Final = ("utf-8", "gb18030", "big5")
REREAD: Final = (("latin-1", "gb18030"), ("latin-1", "utf-8"), ("gb18030", "utf-8"), ("cp437", "gb18030"))
"""(read in, was really): the mistakes that are made. Each turns into text again by undoing it."""
_SAMPLE_CHARS: Final = 60
LOST: Final = "\ufffd"
_USUAL: Final = 0.6
_PIECE: Final = 4 << 20
_ENOUGH: Final = 1 << 20
_BEYOND_ASCII: Final = re.compile(rb"[\x80-\xff]")


def known(name: str) -> str:
    """Return an encoding's usual name.

    Raises:
        Refused: Python knows none of that name.

    >>> known("GBK"), known("UTF8"), known("latin-1>gb18030")
    ('gb18030', 'utf-8', 'latin-1>gb18030')
    """
    parts = [part.strip().lower().replace("_", "-") for part in name.split(">")]
    usual = []
    for part in parts:
        part = {
            "utf8": "utf-8",
            "gbk": "gb18030",
            "gb2312": "gb18030",
            "936": "gb18030",
            "cp936": "gb18030",
        }.get(part, part)
        try:
            "".encode(part)
        except LookupError:
            raise refuse("bad_encoding", f"不认识的编码 {name!r}", f"unknown encoding {name!r}") from None
        usual.append(part)
    if len(usual) > 2:
        raise refuse("bad_encoding", f"不认识的编码 {name!r}", f"unknown encoding {name!r}")
    return ">".join(usual)


def choose(raw: bytes, wanted: str | None, declared: str | None = None) -> Encoding:
    """Choose the encoding of text that does not say.

    Args:
        raw: All of it, or enough of it.
        wanted: What a person says; not questioned.
        declared: What the file says; believed where the text is in it and reads as text.
    """
    if raw.isascii():
        used = known(wanted) if wanted else "utf-8"
        return Encoding(used, wanted is None)
    fits = ["utf-8"] if _reads(raw, "utf-8") else [name for name in CANDIDATES[1:] if _reads(raw, name)]
    samples = tuple(TextSample(name, sample(raw, name)) for name in fits)
    if wanted is not None:
        return Encoding(known(wanted), False, samples)
    told = None
    if declared is not None:
        with contextlib.suppress(Refused):  # a .cpg may hold anything
            told = known(declared)
    if "utf-8" in fits:  # other encodings do not look like it by chance
        return Encoding("utf-8", told != "utf-8", samples)
    if told in fits:
        return Encoding(told, False, samples)
    if fits:
        share = {name: usual_share(raw[:_ENOUGH].decode(name, "ignore")) for name in fits}
        best = "big5" if share.get("big5", 0.0) > share.get("gb18030", 0.0) + 0.2 else fits[0]
        return Encoding(best, True, samples)
    # Damaged text: whichever leaves fewer holes.
    holes = {name: raw.decode(name, "replace").count("\ufffd") for name in ("utf-8", "gb18030")}
    best = min(holes, key=lambda name: holes[name])
    return Encoding(best, True, tuple(TextSample(name, sample(raw, name)) for name in holes))


def _reads(raw: bytes, name: str) -> bool:
    """Whether all of it is text in an encoding; looked at in pieces, since text takes four times its bytes."""
    decoder = codecs.getincrementaldecoder(name)()
    try:
        for at in range(0, len(raw), _PIECE):
            decoder.decode(raw[at : at + _PIECE], at + _PIECE >= len(raw))
    except UnicodeDecodeError:
        return False
    return True


def sample(raw: bytes, name: str) -> str:
    """The first words that tell encodings apart."""
    found = _BEYOND_ASCII.search(raw)
    at = found.start() if found else 0
    start = (
        max(raw.rfind(b"\n", 0, at), raw.rfind(b"\0", 0, at), raw.rfind(b",", 0, at), raw.rfind(b"  ", 0, at))
        + 1
    )
    text = raw[max(start, at - 200) : at + 4 * _SAMPLE_CHARS].decode(name, "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_SAMPLE_CHARS]


def usual_share(text: str) -> float:
    """Share of the characters beyond ASCII that are everyday Chinese, judged by GB 2312's first level.

    >>> usual_share("桥头村") > 0.9 > 0.5 > usual_share("妗ュご鏉�")
    True
    """
    beyond = [c for c in text[:20_000] if c > "\x7f"]
    if not beyond:
        return 1.0
    usual = 0
    for c in beyond:
        try:
            raw = c.encode("gb2312")
        except UnicodeEncodeError:
            continue
        usual += 0xA1 <= raw[0] <= 0xD7
    return usual / len(beyond)


def reread(text: str, read_in: str, really: str) -> str | None:
    """Undo a wrong reading, or None where it was not this one.

    >>> reread("ÇÅÍ·´å", "latin-1", "gb18030")
    '桥头村'

    Characters that were lost on the way stay lost, and show.

    >>> reread("鐑堝北鍖" + LOST, "gb18030", "utf-8") == "烈山" + LOST
    True
    """
    try:
        if LOST not in text:
            return text.encode(read_in).decode(really)
        raw = text.replace(LOST, "").encode(read_in)
    except (UnicodeEncodeError, UnicodeDecodeError):
        return None
    rest = raw.decode(really, "ignore")
    return rest + LOST if 3 * len(rest.encode(really)) >= 2 * len(raw) else None


def mistaken(values: Iterable[str]) -> tuple[str, NDArray[np.int64]] | None:
    """Find text that was read in the wrong encoding before it was written into this file.

    Args:
        values: Text of each row.

    Returns:
        The mistake as `Choices.encoding` writes it and the rows that show it; None without such rows. Where no
        known mistake explains the rows, the name is "".
    """
    told = [(n, value) for n, value in enumerate(values) if value and not value.isascii()]
    if not told:
        return None
    best: tuple[str, list[int]] = ("", [])
    for read_in, really in REREAD:
        found = []
        for n, value in told:
            undone = reread(value, read_in, really)
            if undone is None or undone.isascii() or not _better(undone, value):
                continue
            found.append(n)
        if len(found) > len(best[1]):
            best = (f"{read_in}>{really}", found)
    holes = [n for n, value in told if LOST in value or "锟斤" in value]
    rows = np.array(sorted({*best[1], *holes}), dtype=np.int64)
    return (best[0], rows) if len(rows) else None


def _better(undone: str, value: str) -> bool:
    printable = all(c.isprintable() for c in undone)
    undone = undone.replace(LOST, "")
    return printable and usual_share(undone) >= _USUAL and usual_share(undone) > usual_share(value) + 0.1


def correct(values: Sequence[str], encoding: str) -> list[str]:
    """Undo a wrong reading in every value it explains."""
    read_in, really = encoding.split(">")
    found = [(value, value if value.isascii() else reread(value, read_in, really)) for value in values]
    return [value if undone is None else undone for value, undone in found]
