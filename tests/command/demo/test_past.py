"""A demo's past: measured by the service's own code, hour by hour, and gone on from by the real history."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from command.clock import rfc3339
from command.coverage_record import hour_of
from command.demo import past
from command.demo.simulator.rates import load_rates
from command.resources import config_dir
from tests.command.api.test_access_matrix import inner
from tests.fixtures import COUNTY, Centre


async def test_the_hours_before_are_written_and_the_real_ones_follow(centre: Centre) -> None:
    core, record = centre.core, inner(centre.app).state.services.coverage_record
    rates = load_rates(config_dir() / "demo")
    wanted = msgspec.structs.replace(rates.past, hours=26)
    now = centre.clock.now()
    before = dict(core.board.responders)
    homes = {person.name: (117.0, 34.0) for person in before.values()}
    assert await past.remember(core, wanted, homes, rates.movement.stroll_m, seed=1) == 26
    assert core.board.responders == before  # the present is left as it is
    assert await record.look()
    rows = await record.hours.of_area(COUNTY, rfc3339(now - timedelta(days=3)), rfc3339(now))
    assert [hour for hour, _ in rows] == [hour_of(now - timedelta(hours=n)) for n in range(26, -1, -1)]
    made = [figures for _, figures in rows[:-1]]
    assert all(figures.grids == rows[-1][1].grids for figures in made)
    # So late in an hour the service would not get to it any more.
    centre.clock.advance(3600 + 58 * 60)
    wanted = msgspec.structs.replace(wanted, hours=1)
    assert await past.remember(core, wanted, homes, rates.movement.stroll_m, seed=1) == 1
    assert not await record.look()
    assert len({(figures.people, figures.reach) for figures in made}) > 3
