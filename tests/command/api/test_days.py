"""What was decided for a day comes into force when the day turns, and everybody is told."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

from command.events import SYSTEM
from command.geography.area_edits import AreaEdits, Edit
from command.geography.days import today_in, turn_days
from gis.redraw import Attributes
from tests.fixtures import G1, G2, Centre, middle


async def test_a_merger_comes_into_force_at_midnight(centre: Centre) -> None:
    keeper = centre.core.keeper
    body = {
        "base_revision": 0,
        "steps": [{"op": "merge", "keep": G1, "gone": G2}],
        "valid_from": "2026-11-23",
    }
    answer = await centre.post("admin", "/geography/edits", body)
    assert answer.status_code == 200, answer.text
    assert G2 in centre.core.district.areas
    told = centre.core.board.geography["district"].version
    assert not await keeper.turn_day()
    centre.clock.advance(timedelta(hours=12, minutes=59).total_seconds())
    assert today_in(centre.clock, "Asia/Shanghai").day == 22
    assert not await keeper.turn_day()
    centre.clock.advance(120.0)
    turned = asyncio.Event()
    keeper.atlas.follow(lambda _district: turned.set())
    turning = asyncio.create_task(turn_days(keeper, 0.01))
    try:
        async with asyncio.timeout(10):
            await turned.wait()
            await keeper.turn_day()  # waits for its turn, which comes when everybody was told
    finally:
        turning.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await turning
    known = centre.core.board.geography["district"]
    assert (known.version, known.revision) == (told + 1, 1)
    lon, lat = middle(G2)
    assert centre.core.district.areas.locate(lon, lat).areas[4] == G1
    # An edit later that day keeps it.
    edits = AreaEdits(keeper, centre.core.desk, lambda: today_in(centre.clock, "Asia/Shanghai"))
    await edits.put(Edit(1, [Attributes(G1, {"name": "合并格"})]), SYSTEM)
    assert G2 not in centre.core.district.areas
    assert centre.core.district.areas.area(G1).name == "合并格"
