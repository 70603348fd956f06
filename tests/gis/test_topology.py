from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.errors import EditRefused
from gis.rings import SAME_DEG, Point
from gis.soundness import Edited, StepRefused, edited
from gis.topology import Delete, Insert, Merge, Mesh, Move, Piece, Reparent, Split, Step

SIZE = 4
"""Grids along each side of the town."""


def town(jitter: Iterable[float] = ()) -> dict[str, Piece]:
    """A county C of two villages, W and E, with 4 × 4 grids gNN between them, its inner corners moved a little."""
    wobble = iter(jitter)
    corner: dict[tuple[int, int], Point] = {}
    for i in range(SIZE + 1):
        for j in range(SIZE + 1):
            inner = 0 < i < SIZE and 0 < j < SIZE
            dx, dy = (next(wobble, 0.0), next(wobble, 0.0)) if inner else (0.0, 0.0)
            corner[i, j] = (117.0 + 0.01 * (i + dx), 34.0 + 0.01 * (j + dy))
    grids = {
        f"g{i}{j}": shapely.Polygon([corner[i, j], corner[i + 1, j], corner[i + 1, j + 1], corner[i, j + 1]])
        for i in range(SIZE)
        for j in range(SIZE)
    }
    village = {code: "W" if int(code[1]) < SIZE // 2 else "E" for code in grids}
    pieces = [Piece(code, 4, village[code], shape) for code, shape in grids.items()]
    pieces += [
        Piece(name, 3, "C", shapely.union_all([grids[code] for code in grids if village[code] == name]))  # type: ignore[arg-type]
        for name in ("W", "E")
    ]
    pieces.append(Piece("C", 1, None, shapely.box(117.0, 34.0, 117.04, 34.04)))
    return {piece.key: piece for piece in pieces}


def after(pieces: dict[str, Piece], outcome: Edited) -> dict[str, Piece]:
    return {key: piece for key, piece in {**pieces, **outcome.changed}.items() if key not in outcome.gone}


def assert_sound(pieces: dict[str, Piece]) -> None:
    """Each tier is a coverage without overlaps, and fills the tier above exactly."""
    whole = pieces["C"].shape.area
    for tier in (1, 3, 4):
        shapes = [piece.shape for piece in pieces.values() if piece.tier == tier]
        assert all(shape.is_valid for shape in shapes)
        assert shapely.coverage_is_valid(shapes), tier
        assert math.isclose(sum(shape.area for shape in shapes), whole, rel_tol=1e-9), tier
    for parent in pieces.values():
        below = [piece.shape for piece in pieces.values() if piece.parent == parent.key]
        if below:
            assert shapely.symmetric_difference(parent.shape, shapely.union_all(below)).area < 1e-12


@given(st.lists(st.floats(-0.3, 0.3), min_size=18, max_size=18), st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_is_done_to_borders_leaves_no_gap_and_no_overlap(
    jitter: list[float], data: st.DataObject
) -> None:
    pieces = town(jitter)
    assert_sound(pieces)
    for _ in range(data.draw(st.integers(1, 5))):
        refused = ""
        try:
            pieces = after(pieces, edited(pieces.values(), [data.draw(_steps(pieces))]))
        except EditRefused as error:
            refused = error.reason
        assert refused != "gap"  # what moves together never opens one
        assert_sound(pieces)


@st.composite
def _steps(draw: st.DrawFn, pieces: dict[str, Piece]) -> Step:
    grids = sorted(key for key, piece in pieces.items() if piece.tier == 4)
    key = draw(st.sampled_from(grids))
    ring = shapely.get_coordinates(pieces[key].shape)
    number = draw(st.integers(0, len(ring) - 2))
    share = draw(st.sampled_from([0.0, 0.25, 0.5]))
    at = tuple((ring[number] * (1 - share) + ring[number + 1] * share).tolist())
    match draw(st.sampled_from(["move", "move", "insert", "delete", "split", "merge", "reparent"])):
        case "insert":
            return Insert(at)
        case "delete":
            return Delete(at)
        case "split":
            far = tuple(ring[(number + 2) % (len(ring) - 1)].tolist())
            middle = pieces[key].shape.representative_point()
            return Split(key, (at, (middle.x, middle.y), far), f"n{len(pieces)}x{number}")
        case "merge":
            return Merge(key, draw(st.sampled_from(grids)))
        case "reparent":
            return Reparent(key, draw(st.sampled_from(["W", "E"])))
        case _:
            if draw(st.booleans()):  # onto another corner
                return Move(at, tuple(ring[draw(st.integers(0, len(ring) - 2))].tolist()))
            to = (at[0] + draw(st.floats(-0.004, 0.004)), at[1] + draw(st.floats(-0.004, 0.004)))
            return Move(at, to)


def test_a_corner_moves_in_all_that_meet_there() -> None:
    pieces = town()
    outcome = edited(pieces.values(), [Move((117.02, 34.02), (117.021, 34.022))])
    assert sorted(outcome.changed) == ["E", "W", "g11", "g12", "g21", "g22"]
    assert_sound(after(pieces, outcome))
    assert shapely.dwithin(outcome.changed["W"].shape.boundary, shapely.Point(117.021, 34.022), SAME_DEG)


def test_the_outer_border_takes_every_tier_along() -> None:
    pieces = town()
    outcome = edited(pieces.values(), [Move((117.0, 34.01), (116.995, 34.01))])
    assert sorted(outcome.changed) == ["C", "W", "g00", "g01"]
    grown = after(pieces, outcome)
    assert_sound(grown)
    assert grown["C"].shape.area > pieces["C"].shape.area


def test_a_point_of_an_edge_becomes_a_vertex_of_both() -> None:
    pieces = town()
    outcome = edited(pieces.values(), [Insert((117.015, 34.01)), Move((117.015, 34.01), (117.015, 34.012))])
    assert sorted(outcome.changed) == ["g10", "g11"]
    assert [len(shapely.get_coordinates(outcome.changed[key].shape)) for key in ("g10", "g11")] == [6, 6]
    assert_sound(after(pieces, outcome))
    straight = edited(after(pieces, outcome).values(), [Delete((117.015, 34.012))])
    assert all(
        straight.changed[key].shape.normalize().equals(pieces[key].shape.normalize())
        for key in ("g10", "g11")
    )


def test_borders_drawn_apart_by_a_rounding_are_welded() -> None:
    pieces = town()
    ragged = dict(pieces)
    for key in ("g11", "g22", "W"):
        rounded = shapely.transform(pieces[key].shape, lambda c: np.round(c, 7) + 3e-8)
        ragged[key] = Piece(key, pieces[key].tier, pieces[key].parent, rounded)
    outcome = edited(ragged.values(), [Move((117.02, 34.02), (117.021, 34.022))])
    assert sorted(outcome.changed) == ["E", "W", "g11", "g12", "g21", "g22"]
    for piece in outcome.changed.values():
        assert [117.021, 34.022] in shapely.get_coordinates(piece.shape).tolist()


def test_a_parent_without_the_vertex_of_its_children_still_moves_with_them() -> None:
    # C's southern border is one long edge; two grids meet on it.
    pieces = town()
    pieces["C"] = Piece("C", 1, None, shapely.box(117.0, 34.0, 117.04, 34.04))
    outcome = edited(pieces.values(), [Move((117.01, 34.0), (117.012, 33.998))])
    assert sorted(outcome.changed) == ["C", "W", "g00", "g10"]
    assert_sound(after(pieces, outcome))


def test_split_gives_the_neighbours_the_new_corners() -> None:
    pieces = town()
    outcome = edited(pieces.values(), [Split("g11", ((117.009, 34.014), (117.021, 34.016)), "new")])
    assert sorted(outcome.changed) == ["W", "g01", "g11", "g21", "E", "new"] or set(outcome.changed) == {
        "E", "W", "g01", "g11", "g21", "new"
    }  # fmt: skip
    assert_sound(after(pieces, outcome))
    whole = outcome.changed["g11"].shape.area + outcome.changed["new"].shape.area
    assert math.isclose(whole, pieces["g11"].shape.area, rel_tol=1e-12)
    assert outcome.changed["new"].parent == "W"
    assert outcome.changed["g11"].shape.area >= outcome.changed["new"].shape.area


def test_split_and_merge_are_each_others_undoing() -> None:
    pieces = town()
    line = ((117.01, 34.013), (117.015, 34.017), (117.02, 34.01))
    outcome = edited(pieces.values(), [Split("g11", line, "new"), Merge("new", "g11")])
    assert outcome.gone == ("g11",)
    assert shapely.symmetric_difference(outcome.changed["new"].shape, pieces["g11"].shape).area < 1e-15
    assert_sound(after(pieces, outcome))


def test_merging_villages_brings_their_grids_along() -> None:
    pieces = town()
    outcome = edited(pieces.values(), [Merge("W", "E")])
    assert outcome.gone == ("E",)
    assert outcome.changed["g33"].parent == "W"
    assert outcome.changed["W"].shape.equals(pieces["C"].shape)


def test_a_grid_changes_villages() -> None:
    pieces = town()
    outcome = edited(pieces.values(), [Reparent("g12", "E")])
    assert sorted(outcome.changed) == ["E", "W", "g12"]
    moved = after(pieces, outcome)
    assert_sound(moved)
    assert math.isclose(moved["W"].shape.area, 7e-4, rel_tol=1e-9)


@pytest.mark.parametrize(
    ("step", "reason", "keys"),
    [
        (Move((117.015, 34.015), (117.0, 34.0)), "not_on_border", ()),
        (Move((117.0, math.nan), (117.0, 34.0)), "not_finite", ()),
        (Delete((117.01, 34.01)), "junction", ("g00", "g01", "g10", "g11")),
        (Insert((118.0, 34.0)), "not_on_border", ()),
        (Split("g11", ((117.012, 34.012), (117.018, 34.018)), "n"), "not_split", ("g11",)),
        (Split("g11", ((117.0, 34.015), (117.03, 34.015)), "g12"), "code_taken", ("g12",)),
        (Split("W", ((117.0, 34.015), (117.03, 34.015)), "n"), "has_children", ("W",)),
        (Split("g11", ((117.0, 34.015),), "n"), "not_split", ("g11",)),
        (Split("X", ((117.0, 34.015), (117.03, 34.015)), "n"), "unknown", ("X",)),
        (
            Split("g11", ((117.009, 34.014), (117.021, 34.014), (117.021, 34.016), (117.009, 34.016)), "n"),
            "too_many_parts",
            ("g11",),
        ),
        (Merge("g00", "g11"), "not_neighbours", ("g00", "g11")),
        (Merge("g10", "g20"), "other_parent", ("g10", "g20")),
        (Merge("g10", "g10"), "other_parent", ("g10", "g10")),
        (Reparent("g10", "g11"), "other_parent", ("g10", "g11")),
    ],
)
def test_steps_that_make_no_sense(step: Step, reason: str, keys: tuple[str, ...]) -> None:
    with pytest.raises(StepRefused) as caught:
        edited(town().values(), [Insert((117.005, 34.0)), step])
    assert (caught.value.reason, caught.value.keys, caught.value.step) == (reason, keys, 1)


def test_three_corners_are_the_least() -> None:
    lone = Piece("T", 4, None, shapely.Polygon([(117, 34), (117.01, 34), (117, 34.01)]))
    with pytest.raises(StepRefused) as caught:
        edited([lone], [Delete((117.0, 34.0))])
    assert (caught.value.reason, caught.value.at) == ("too_few_vertices", (117.0, 34.0))
    with pytest.raises(StepRefused, match="three corners"):
        edited([lone], [Move((117.0, 34.0), (117.01, 34.0))])


def test_steps_upon_a_broken_border_are_refused_not_a_crash() -> None:
    broken = Move((117.01, 34.01), (117.035, 34.035))
    for step in (
        Merge("g00", "g01"),
        Split("g00", ((116.9, 34.005), (117.1, 34.005)), "n"),
        Reparent("g11", "E"),
    ):
        with pytest.raises(EditRefused):
            edited(town().values(), [broken, step])


def test_a_border_that_crosses_itself_is_refused_with_the_place() -> None:
    with pytest.raises(EditRefused) as caught:
        edited(town().values(), [Move((117.01, 34.01), (117.025, 34.025))])
    assert caught.value.reason in ("invalid", "overlap")
    assert caught.value.at is not None
    assert 117.0 < caught.value.at[0] < 117.04
    assert caught.value.keys


def test_overlap_with_one_that_shares_no_border_is_refused() -> None:
    island = Piece("I", 4, None, shapely.box(117.05, 34.0, 117.06, 34.01))
    other = Piece("J", 4, None, shapely.box(117.08, 34.0, 117.09, 34.01))
    with pytest.raises(EditRefused) as caught:
        edited([island, other], [Move((117.06, 34.01), (117.085, 34.005))])
    assert (caught.value.reason, caught.value.keys) == ("overlap", ("I", "J"))
    assert caught.value.at is not None
    assert shapely.Point(caught.value.at).within(other.shape)


def test_leaving_the_parent_and_leaving_a_gap_are_refused() -> None:
    # The grid's border lies inside the village, so nothing moves along with it.
    village = Piece("V", 3, None, shapely.box(117.0, 34.0, 117.03, 34.01))
    grid = Piece("G", 4, "V", shapely.box(117.0, 34.0, 117.02, 34.01))
    grown = edited([village, grid], [Insert((117.02, 34.005)), Move((117.02, 34.005), (117.025, 34.005))])
    assert sorted(grown.changed) == ["G"]
    with pytest.raises(EditRefused) as caught:
        edited([village, grid], [Insert((117.02, 34.005)), Move((117.02, 34.005), (117.035, 34.005))])
    assert (caught.value.reason, caught.value.keys) == ("outside_parent", ("G", "V"))
    with pytest.raises(EditRefused) as caught:
        edited([village, grid], [Insert((117.02, 34.005)), Move((117.02, 34.005), (117.015, 34.005))])
    assert (caught.value.reason, caught.value.keys) == ("gap", ("V",))
    assert caught.value.at is not None
    assert shapely.Point(caught.value.at).within(grid.shape)


def test_what_was_wrong_before_does_not_stop_an_edit() -> None:
    pieces = town()
    pieces["g00"] = Piece(
        "g00", 4, "W", shapely.box(117.0, 34.0, 117.012, 34.009)
    )  # overlaps and leaves a gap
    outcome = edited(pieces.values(), [Move((117.03, 34.03), (117.031, 34.031))])
    assert sorted(outcome.changed) == ["g22", "g23", "g32", "g33"]
    outcome = edited(pieces.values(), [Move((117.01, 34.02), (117.011, 34.021))])
    assert "g01" in outcome.changed


def test_holes_and_parts_survive() -> None:
    ring = shapely.Polygon(
        shapely.box(117, 34, 117.03, 34.03).exterior, [shapely.box(117.01, 34.01, 117.02, 34.02).exterior]
    )
    pieces = [
        Piece("R", 4, None, shapely.MultiPolygon([ring, shapely.box(117.05, 34, 117.06, 34.01)])),
        Piece("H", 4, None, shapely.box(117.01, 34.01, 117.02, 34.02)),
    ]
    outcome = edited(pieces, [Move((117.01, 34.01), (117.011, 34.012))])
    assert sorted(outcome.changed) == ["H", "R"]
    assert shapely.coverage_is_valid([piece.shape for piece in outcome.changed.values()])
    cut = edited(pieces, [Split("R", ((117.055, 33.99), (117.055, 34.02)), "S")])
    assert math.isclose(cut.changed["S"].shape.area, 5e-5, rel_tol=1e-9)
    assert cut.changed["R"].shape.geom_type == "MultiPolygon"
    filled = edited(pieces, [Merge("R", "H")])
    assert len(shapely.get_parts(filled.changed["R"].shape)[0].interiors) == 0


def test_sharing_names_the_others_of_each_vertex() -> None:
    sharing = Mesh(town().values()).sharing("g11")
    assert sharing[117.02, 34.02] == ("E", "W", "g12", "g21", "g22")
    assert sharing[117.01, 34.01] == ("g00", "g01", "g10")
