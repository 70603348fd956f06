"""Any file an office has – SHP, GPKG, GeoJSON, KML, FlatGeobuf, CSV, XLSX – as a draft of a district file.

`draft` reads it in a process that can do no harm, guesses layer, encoding, columns, tiers and reference system,
checks every row, and leaves a preview, a list of issues and the new district file in a folder. Nothing is put in
force here, and nothing is decided that the evidence does not decide: `Draft.needs` names what a person has to.
"""

from gis.apart.messages import Progress, Refused
from gis.intake.engine import draft
from gis.intake.model import (
    ISSUES,
    KINDS,
    SEVERITIES,
    Choices,
    Column,
    Crs,
    CrsGuess,
    Draft,
    Encoding,
    Layer,
    Reference,
    Severity,
    TextSample,
    Why,
)

__all__ = [
    "ISSUES",
    "KINDS",
    "SEVERITIES",
    "Choices",
    "Column",
    "Crs",
    "CrsGuess",
    "Draft",
    "Encoding",
    "Layer",
    "Progress",
    "Reference",
    "Refused",
    "Severity",
    "TextSample",
    "Why",
    "draft",
]
