from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import gis
import gis.coverage
import gis.roads

MODULES = sorted(
    info.name
    for package in (gis, gis.coverage, gis.roads)
    for info in pkgutil.iter_modules(package.__path__, package.__name__ + ".")
    if not info.ispkg
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    failures, _ = doctest.testmod(importlib.import_module(name))
    assert failures == 0


def test_public_modules_hold_examples() -> None:
    finder = doctest.DocTestFinder()
    for name in (
        "crs",
        "areas",
        "outlines",
        "geofence",
        "nearest",
        "text",
        "names",
        "coordinates",
        "tables",
        "basemap",
    ):
        module = importlib.import_module(f"gis.{name}")
        assert any(test.examples for test in finder.find(module)), name
