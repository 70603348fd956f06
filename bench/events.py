"""Durable events per second: the desk's group commit against raw append + fdatasync, and one commit each.

Definitions: an event counts when its command was acknowledged, i.e. after the commit with ``synchronous=FULL``.
50 callers wait for their own answers; the raw limit writes the same bytes with one fdatasync each, unbatched.

    python -m bench.events
"""

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

import msgspec

from command import incidents
from command.board import Picture
from command.clock import SystemClock
from command.desk import Command, Desk
from command.events import Actor, Context, Event, Fact
from command.incidents import Incident
from command.store.database import Database
from command.store.log import Commit, SqlLog
from command.store.migrate import upgrade

CALLERS = 50
SECONDS = 3.0
ROUNDS = 3
ACTOR = Actor("u-bench", "bench")


def incident(number: int) -> Incident:
    """A plain incident."""
    return Incident(
        id=f"i_{number}",
        code=f"BM-0101-{number:06d}",
        trace_code="00000000",
        title="井盖缺失",
        category="city_component",
        level="IV",
        source="hotline",
        lon=106.9,
        lat=37.2,
        state="accepted",
        reported_at="2026-01-01T00:00:00.000Z",
    )


def raw(folder: Path, payload: bytes) -> float:
    """Append and fdatasync one record at a time; returns records per second."""
    handle = os.open(folder / "raw.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        done, end = 0, time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            os.write(handle, payload)
            os.fdatasync(handle)
            done += 1
    finally:
        os.close(handle)
    return done / SECONDS


def open_log(folder: Path) -> tuple[Database, SqlLog]:
    """A fresh database."""
    database = Database(folder / "bench.db")
    upgrade(database)
    return database, SqlLog(database)


async def store(folder: Path, *, grouped: bool) -> float:
    """The event store alone: append what is waiting in one commit, or one event a commit."""
    database, log = open_log(folder)
    entity = msgspec.to_builtins(incident(1))
    data = {
        "actor": {"id": "u", "name": "u"},
        "changes": {"messages": {"m": {"id": "m", "body": entity["title"]}}},
    }
    seq = 0
    waiting: list[asyncio.Future[None]] = []
    acknowledged = 0
    stop = time.perf_counter() + SECONDS

    async def writer() -> None:
        nonlocal seq, acknowledged
        while time.perf_counter() < stop:
            group, waiting[:] = (waiting[:], []) if grouped else (waiting[:1], waiting[1:])
            if not group:
                await asyncio.sleep(0)
                continue
            events = [
                Event(seq + n + 1, "2026-01-01T00:00:00.000Z", "message.sent", data)
                for n in range(len(group))
            ]
            await log.append(Commit(events=events))
            seq += len(group)
            acknowledged += len(group)
            for one in group:
                one.set_result(None)

    async def caller() -> None:
        loop = asyncio.get_running_loop()
        while time.perf_counter() < stop:
            done = loop.create_future()
            waiting.append(done)
            await done

    tasks = [asyncio.create_task(caller()) for _ in range(CALLERS * 10 if grouped else CALLERS)]
    await writer()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    database.close()
    return acknowledged / SECONDS


async def desk(folder: Path) -> tuple[float, float]:
    """The whole way: decide, commit with projections, apply, publish, answer. (events/s, p99 ms)."""
    database, log = open_log(folder)
    board = log.start()
    writer = Desk(board, log, SystemClock(), lambda _event: None)
    running = asyncio.create_task(writer.run())
    seed = [Fact("incident.reported", (("incidents", f"i_{n}", incident(n)),)) for n in range(CALLERS)]
    await writer.submit(Command(ACTOR, lambda _picture, _context: seed))
    times: list[float] = []
    stop = time.perf_counter() + SECONDS

    async def caller(number: int) -> None:
        def decide(picture: Picture, context: Context) -> list[Fact]:
            found = incidents.incident_of(picture, f"i_{number}")
            return incidents.decide_move(found, "note", context, {"text": "现场已围挡"})

        while time.perf_counter() < stop:
            start = time.perf_counter()
            await writer.submit(Command(ACTOR, decide))
            times.append(time.perf_counter() - start)

    await asyncio.gather(*(caller(number) for number in range(CALLERS)))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    database.close()
    return len(times) / SECONDS, statistics.quantiles(times, n=100)[98] * 1_000


def main() -> None:
    """Print the medians and ratios."""
    payload = os.urandom(300)
    figures: dict[str, list[float]] = {"raw": [], "each": [], "group": [], "desk": [], "p99": []}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir=".") as folder:
            figures["raw"].append(raw(Path(folder), payload))
        with tempfile.TemporaryDirectory(dir=".") as folder:
            figures["each"].append(asyncio.run(store(Path(folder), grouped=False)))
        with tempfile.TemporaryDirectory(dir=".") as folder:
            figures["group"].append(asyncio.run(store(Path(folder), grouped=True)))
        with tempfile.TemporaryDirectory(dir=".") as folder:
            rate, p99_ms = asyncio.run(desk(Path(folder)))
            figures["desk"].append(rate)
            figures["p99"].append(p99_ms)
    middle = {name: statistics.median(values) for name, values in figures.items()}
    limit = middle["raw"]
    print(f"raw append + fdatasync, unbatched      {limit:9.0f} events/s   1.0×")
    print(
        f"one SQLite commit each, FULL           {middle['each']:9.0f} events/s   {middle['each'] / limit:.1f}×"
    )
    print(
        f"store, group commit, FULL              {middle['group']:9.0f} events/s"
        f"   {middle['group'] / limit:.1f}×  (target ≥ 5×)"
    )
    print(
        f"whole desk (decide, projections, …)    {middle['desk']:9.0f} events/s   {middle['desk'] / limit:.1f}×"
        f"   p99 {middle['p99']:.1f} ms with {CALLERS} callers"
    )


if __name__ == "__main__":
    main()
