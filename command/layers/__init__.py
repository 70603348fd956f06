"""Layers: what of the map leaves the house, as files and for map programs, under the same names."""

from command.layers.catalogue import (
    AREAS,
    EXPORTED,
    INCIDENTS,
    SHARED,
    TIERS,
    cells,
)
from command.layers.items import Shelves, Sight, of_board, of_district, of_incident
from command.layers.model import Cell, Field, Item, Layer

__all__ = [
    "AREAS",
    "EXPORTED",
    "INCIDENTS",
    "SHARED",
    "TIERS",
    "Cell",
    "Field",
    "Item",
    "Layer",
    "Shelves",
    "Sight",
    "cells",
    "of_board",
    "of_district",
    "of_incident",
]
