"""What is asked of an intake and what it answers, as both sides of the process boundary know it.

Everything here is plain data that JSON can carry: the request goes to the worker as a file, progress and the answer
come back the same way and are read against these types, because the worker has had its hands on a stranger's file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

from gis.intake.picking import Stretch, Word

KINDS: Final = (
    "areas",
    "beats",
    "rules",
    "departments",
    "cameras",
    "responders",
    "checkpoints",
    "places",
)
"""What a file can be brought in as."""

Severity = Literal["error", "warning", "note"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")
"""error: the row cannot be taken as it is; warning: taken if asked for; note: worth knowing."""

ISSUES: Final = (
    "no_geometry",
    "not_finite",
    "out_of_range",
    "wrong_type",
    "self_intersection",
    "too_many_vertices",
    "duplicate_code",
    "duplicate_geometry",
    "missing_field",
    "bad_value",
    "mojibake",
    "orphan",
    "code_parent_mismatch",
    "overlap",
    "gap",
    "hole",
    "outside_parent",
    "unknown_area",
    "truncated_file",
    "bad_name",
)
"""Every code that `issues.csv` can hold."""

Repair = Literal["make_valid", "coverage"]
Rows = Word | tuple[int | Stretch, ...]


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decided about a file; everything left out is guessed.

    Attributes:
        kind: One of `KINDS`.
        layer: Name of the layer; None takes the one with the most rows.
        encoding: Of text that does not say so itself, as Python names it, or "latin-1>gb18030" and the like: text
            that was once read in the first encoding and stands in the second.
        crs: "EPSG:4326", "EPSG:4490", "GCJ-02", "BD-09" or any "EPSG:n"; "+swapped" behind it where the file
            holds latitude or northing first.
        mapping: Column as the file names it → canonical field, "" to leave it out. Others are guessed.
        tier_labels: What a word means here, "镇" → 2; added to the usual ones.
        default_tier: For rows whose tier nothing tells.
        repair: "make_valid" mends shapes that cross themselves, "coverage" removes overlaps and narrow gaps.
        snap_m: Metres within which borders of neighbours are taken for the same, gaps included.
        rows: "good" takes rows without errors and warnings, "warned" those without errors, "all" too, but is not to
            be put in force while a row has one; numbers and (first, last) those named (and without errors).
        keep_columns: Columns that mean no field stay with the rows, but for those that look like telephone numbers
            or identity cards. Of areas.
        keep_private: Of those the ones that stay too.
        mode: "replace" forgets what is in force, "merge" keeps what the file does not name by its code.
    """

    kind: str
    layer: str | None = None
    encoding: str | None = None
    crs: str | None = None
    mapping: Mapping[str, str] | None = None
    tier_labels: Mapping[str, int] = {}
    default_tier: int | None = None
    repair: frozenset[Repair] = frozenset()
    snap_m: float = 1.0
    rows: Rows = "good"
    keep_columns: bool = False
    keep_private: tuple[str, ...] = ()
    mode: Literal["replace", "merge"] = "replace"


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force, to recognise a datum by and to find orphans against. All WGS-84, all files our own.

    Attributes:
        areas_file: The district's areas, or None.
        current_file: The file in force of the kind that is brought in, for "merge"; for areas the same one.
        roads_file: A road graph (`roads-*.npz`), or None.
        bounds: (west, south, east, north) in degrees of the district as far as known otherwise.
    """

    areas_file: Path | None = None
    current_file: Path | None = None
    roads_file: Path | None = None
    bounds: tuple[float, float, float, float] | None = None


class Layer(msgspec.Struct, frozen=True):
    """One layer, sheet or shapefile of a file. ``rows`` is None where counting would mean reading."""

    name: str
    rows: int | None
    geometry: str = ""


class Column(msgspec.Struct, frozen=True):
    """One column as the file names it, its first values that are not empty, and the field it was taken for.

    ``private`` is one without a field that looks like telephone numbers or identity cards, ``kept`` one that stays
    with the rows; both are known only where columns are to be kept.
    """

    name: str
    sample: tuple[str, ...]
    field: str
    private: bool = False
    kept: bool = False


class TextSample(msgspec.Struct, frozen=True):
    """How the text looks when read in an encoding."""

    name: str
    sample: str


class Encoding(msgspec.Struct, frozen=True):
    """The encoding text was read in, whether that was guessed, and what else it might be."""

    used: str
    guessed: bool
    candidates: tuple[TextSample, ...] = ()


class Why(msgspec.Struct, frozen=True):
    """A reason in both languages."""

    zh: str
    en: str


class CrsGuess(msgspec.Struct, frozen=True):
    """One reference system, how likely it is (0 to 1) and why."""

    crs: str
    score: float
    why: Why


class Crs(msgspec.Struct, frozen=True):
    """The reference system the coordinates were read in.

    Attributes:
        used: As `Choices.crs` writes it; "" where the file has no coordinates.
        declared: What the file says of itself, or None.
        guesses: Best first.
        ambiguous: Nobody chose and the evidence does not decide: `used` is only for looking at.
    """

    used: str
    declared: str | None
    guesses: tuple[CrsGuess, ...] = ()
    ambiguous: bool = False


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What a file would bring in, and what is wrong with it.

    Attributes:
        kind: As asked for.
        format: "shapefile", "geopackage", "geojson", "kml", "flatgeobuf", "csv" or "xlsx".
        layers: All of the file.
        layer: The one that was read.
        columns: In file order.
        fields: The fields this kind knows, the required ones first.
        encoding: Of the text.
        crs: Of the coordinates.
        rows: Rows in the layer.
        taken: Rows in the result file.
        row_offset: Add this to a row's number for its line in the table or sheet (its header and titles).
        counts: Issues by severity, and by code.
        rows_by_worst: Rows by their worst severity, "good" for those without error and warning.
        bounds: (west, south, east, north) of the rows with a shape, WGS-84 degrees, or None.
        tiers: Rows by tier label.
        tier_labels: Tier of each of those labels.
        needs: What a person has to decide before this can be put in force: "crs", "encoding", "columns",
            "tiers". The engine never decides these silently.
        result: Name of the result file in the folder.
        repaired: Rows whose shape was changed; their own shapes are in `original.gpkg`.
        notes: Remarks on the file as a whole.
    """

    kind: str
    format: str
    layers: tuple[Layer, ...]
    layer: str
    columns: tuple[Column, ...]
    fields: tuple[str, ...]
    encoding: Encoding
    crs: Crs
    rows: int
    taken: int
    row_offset: int
    counts: Mapping[str, int]
    rows_by_worst: Mapping[str, int]
    bounds: tuple[float, float, float, float] | None
    tiers: Mapping[str, int]
    tier_labels: Mapping[str, int]
    needs: tuple[str, ...]
    result: str
    repaired: int
    notes: tuple[Why, ...] = ()


class Given(msgspec.Struct, frozen=True):
    """A file handed to the worker: an open descriptor and the name it goes by inside."""

    fd: int
    name: str


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker is started with."""

    choices: Choices
    source: str
    files: tuple[Given, ...]
    reference: Reference
