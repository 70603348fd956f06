"""What can be done with road closures: surveyed on the district in force, decided at the desk, shown on maps."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from command import closures
from command.board import Picture
from command.closures import LIVE, Closure, Survey, Wish, blockage_of
from command.desk import NO_KEY, Answer, Command, Desk, Key, Outcome, whole
from command.district import District
from command.errors import Malformed
from command.events import SYSTEM, Actor, Context, Fact
from command.ids import new_id
from gis.closing import closed_lines, closed_roads, graph_for, ground_of
from gis.nearest import NearestByRoad
from gis.roads.closures import Blockage

Json = dict[str, Any]
_LINES_SHOWN: Final = 2_000
"""Stretches drawn for one closure; a closed district needs no more to be seen."""


class ClosureOperations:
    """Everything people and the watch can ask for.

    Args:
        desk: The single writer.
        district: Returns the district as it is now.
    """

    def __init__(self, desk: Desk, district: Callable[[], District]) -> None:
        self._desk = desk
        self._district = district
        self._lines: dict[str, tuple[int, NearestByRoad, Json]] = {}

    async def survey(self, wish: Wish) -> Survey:
        """Find what a drawing would close.

        Raises:
            Malformed: The drawing makes no sense, or meets no road although roads are known.
        """
        blockage, district = wish.blockage(), self._district()
        return await asyncio.to_thread(_survey, district, blockage)

    async def preview(self, wish: Wish) -> tuple[Survey, Json]:
        """Find what a drawing would close, and how that is drawn; roads that are not there are an empty answer.

        Raises:
            Malformed: The drawing makes no sense.
        """
        blockage, district = wish.blockage(), self._district()

        def look() -> tuple[Survey, Json]:
            found = _survey(district, blockage, must_hit=False)
            return found, {"type": "MultiLineString", "coordinates": _lines(district.roads, blockage)}

        return await asyncio.to_thread(look)

    async def draw(self, actor: Actor, wish: Wish, survey: Survey, key: Key = NO_KEY) -> Outcome:
        """Close roads, at once or from a moment on.

        Raises:
            Malformed: As `command.closures.decide_draw`.
        """
        closure_id = new_id("x")

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return closures.decide_draw(picture, closure_id, wish, survey, context)

        return await self._do(actor, decide, whole("closures", closure_id), key)

    async def change(
        self,
        actor: Actor,
        closure_id: str,
        wish: Wish,
        survey: Survey,
        *,
        expected_version: int | None = None,
        key: Key = NO_KEY,
    ) -> Outcome:
        """Change what is closed, why or how long. Raises as `command.closures.decide_change`."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return closures.decide_change(
                picture, closure_id, wish, survey, context, expected_version=expected_version
            )

        return await self._do(actor, decide, whole("closures", closure_id), key)

    async def end(
        self,
        actor: Actor,
        closure_id: str,
        *,
        reason: str | None = None,
        expected_version: int | None = None,
        key: Key = NO_KEY,
    ) -> Outcome:
        """Open the roads again, or call off what was planned. Raises as `command.closures.decide_end`."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return closures.decide_end(
                picture, closure_id, context, reason=reason, expected_version=expected_version
            )

        return await self._do(actor, decide, whole("closures", closure_id), key)

    async def turn(self, now: datetime) -> None:
        """Begin and end what is due by the clock."""
        if closures.any_due(self._desk.board.closures.values(), now):
            await self._desk.submit(Command(SYSTEM, closures.decide_due))

    async def lines(self, shown: Sequence[Closure]) -> Json:
        """Return the closed stretches of these closures as a FeatureCollection, one feature each.

        A one-way closure's lines run in the direction that is closed. Where no roads are known there are none.
        """
        roads = self._district().roads
        held = self._desk.board.closures
        self._lines = {key: kept for key, kept in self._lines.items() if key in held}
        missing = [
            one
            for one in shown
            if (kept := self._lines.get(one.id)) is None or kept[0] != one.version or kept[1] is not roads
        ]
        if missing:
            made = await asyncio.to_thread(lambda: [_feature(roads, one) for one in missing])
            for one, feature in zip(missing, made, strict=True):
                self._lines[one.id] = (one.version, roads, feature)
        return {
            "type": "FeatureCollection",
            "features": [self._lines[one.id][2] for one in shown if one.id in self._lines],
        }

    async def _do(
        self,
        actor: Actor,
        decide: Callable[[Picture, Context], Sequence[Fact]],
        answer: Callable[[Picture], Answer],
        key: Key,
    ) -> Outcome:
        return await self._desk.submit(Command(actor, decide, answer, key.key, key.fingerprint))


def live(held: Mapping[str, Closure]) -> list[Closure]:
    """Return the closures planned or in force, in the order in which they begin."""
    return sorted(
        (one for one in held.values() if one.state in LIVE), key=lambda one: (one.starts_at, one.id)
    )


def _survey(district: District, blockage: Blockage, *, must_hit: bool = True) -> Survey:
    graph = graph_for(district.roads.graphs, blockage)
    areas, outside = ground_of(district.areas, blockage)
    place = district.address_at(*_middle(blockage))
    if graph is None:
        # Without roads a closure is still worth showing.
        return Survey(place, areas=areas, outside=outside)
    found = closed_roads(graph, blockage)
    if must_hit and not found.edges.size:
        raise Malformed("coordinates", "no road is there to be closed")
    return Survey(place, found.names, round(found.length_m, 1), areas, outside)


def _middle(blockage: Blockage) -> tuple[float, float]:
    points = blockage.coordinates
    if blockage.kind == "line":
        # Of the middle piece, so that the place lies on the drawing.
        first, second = points[(len(points) - 1) // 2], points[(len(points) - 1) // 2 + 1]
        return (first[0] + second[0]) / 2.0, (first[1] + second[1]) / 2.0
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def _lines(roads: NearestByRoad, blockage: Blockage) -> list[list[list[float]]]:
    graph = graph_for(roads.graphs, blockage)
    if graph is None:
        return []
    return [
        [[round(lon, 6), round(lat, 6)] for lon, lat in line]
        for line in closed_lines(graph, blockage)[:_LINES_SHOWN]
    ]


def _feature(roads: NearestByRoad, closure: Closure) -> Json:
    return {
        "type": "Feature",
        "id": closure.id,
        "properties": {
            "id": closure.id,
            "version": closure.version,
            "state": closure.state,
            "one_way": closure.direction != "both",
        },
        "geometry": {"type": "MultiLineString", "coordinates": _lines(roads, blockage_of(closure))},
    }
