"""The tick: five times a second, what moved is written once and handed to every map that shows the place.

Changed rows are sorted by map cell once; a client's view is a rectangle of cells, so its frame is a few
slices of that buffer joined behind a header. Walls take the whole buffer as one shared frame. Records are
absolute, so a client that cannot keep up is simply skipped and healed by a snapshot of its view once its
socket has drained.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from command.framing import BINARY, FrameSink, frame_header
from command.telemetry.history import TrackWriter
from command.telemetry.records import HEADER, RECORD, SNAPSHOT, header, records, status_flags
from command.telemetry.state import Positions, Settled

__all__ = ["BEHIND_BYTES", "Bbox", "MapClient", "Ticker"]

Rows: TypeAlias = NDArray[np.intp]
Bbox: TypeAlias = tuple[float, float, float, float]
"""west, south, east, north in degrees WGS-84."""
Locate: TypeAlias = Callable[
    [Rows, NDArray[np.floating[Any]], NDArray[np.floating[Any]]], NDArray[np.integer[Any]]
]
"""(rows, lon, lat in degrees) → grid index per row, -1 outside of all grids."""
Allow: TypeAlias = Callable[[NDArray[np.uint32]], NDArray[np.bool_]]
"""Unit numbers → which of them this client may see."""

BEHIND_BYTES: Final = 256 * 1024
_DRAINED_BYTES: Final = 64 * 1024
CELLS: Final = 40


class MapClient:
    """One client of the tick: where it looks and whom it follows; made by `Ticker.attach`."""

    __slots__ = ("allow", "cells", "follow", "fresh", "seen_follow", "sink", "skipped")

    def __init__(self, sink: FrameSink, allow: Allow | None) -> None:
        self.sink = sink
        self.allow = allow
        self.cells: tuple[int, int, int, int] | None = None
        self.follow: int | None = None
        self.seen_follow: float = -np.inf
        self.fresh = True
        self.skipped = 0


class Ticker:
    """Sends positions to maps; call `tick` at 5 Hz and `half_tick` between, from one task.

    Args:
        positions: What to send.
        extent: The district's bounding box; views are cut into 40 x 40 cells of it.
        history: Where accepted reports are kept.
        locate: Tells the grid of moved rows.
        rev: First revision; start from the milliseconds of the clock so that it grows across restarts.
    """

    def __init__(
        self,
        positions: Positions,
        extent: Bbox,
        *,
        history: TrackWriter | None = None,
        locate: Locate | None = None,
        rev: int = 0,
    ) -> None:
        west, south, east, north = extent
        self.positions = positions
        self.rev = rev
        self.on_tick: list[Callable[[Rows, float], None]] = []
        self.sent_frames = 0
        self.skipped_ticks = 0
        self._origin = round(west * 1e7), round(south * 1e7)
        self._span = max(1, round((east - west) * 1e7)), max(1, round((north - south) * 1e7))
        self._history = history
        self._locate = locate
        self._clients: dict[MapClient, None] = {}
        self._moved_between: list[Rows] = []
        self._cell = np.full(len(positions.unit), -1, np.int32)
        self._flags = np.zeros(len(positions.unit), np.uint16)

    def __len__(self) -> int:
        return len(self._clients)

    # Clients

    def attach(self, sink: FrameSink, bbox: Bbox | None = None, allow: Allow | None = None) -> MapClient:
        """Add a client; its first frame is a snapshot of its view at the next tick.

        Args:
            sink: Its connection.
            bbox: Where it looks; None for everything.
            allow: Which units it may see; None for all. Such clients are filtered one by one, which costs
            more.
        """
        client = MapClient(sink, allow)
        self.look(client, bbox)
        self._clients[client] = None
        return client

    def detach(self, client: MapClient) -> None:
        """Remove a client; harmless when it is gone already."""
        self._clients.pop(client, None)

    def look(self, client: MapClient, bbox: Bbox | None) -> None:
        """Change where a client looks: a snapshot of the new view follows with the next tick."""
        if bbox is None:
            client.cells = None
        else:
            west, south, east, north = (round(v * 1e7) for v in bbox)
            x0, x1 = self._clamp(west, 0), self._clamp(east, 0)
            y0, y1 = self._clamp(south, 1), self._clamp(north, 1)
            client.cells = (x0, y0, x1 + 1, y1 + 1) if x0 <= x1 and y0 <= y1 else (0, 0, 0, 0)
        client.fresh = True

    def follow(self, client: MapClient, unit: int | None) -> None:
        """Send one unit to this client at twice the rate, wherever it is."""
        client.follow = unit
        client.seen_follow = -np.inf

    def _clamp(self, value: int, axis: int) -> int:
        return min(max((value - self._origin[axis]) * CELLS // self._span[axis], 0), CELLS - 1)

    # The tick

    def tick(self, now: float) -> Settled:
        """Settle reports, keep them, place them and send what changed.

        Args:
            now: Seconds since 1970.
        """
        table = self.positions
        settled = table.settle()
        if self._history is not None:
            self._history.add(settled, now)
        moved = settled.moved
        if self._moved_between:
            moved = np.unique(np.concatenate([moved, *self._moved_between]))
            self._moved_between = []
        known = len(table)
        if len(self._flags) < len(table.unit):
            more = len(table.unit) - len(self._flags)
            self._flags = np.append(self._flags, np.zeros(more, np.uint16))
            self._cell = np.append(self._cell, np.full(more, -1, np.int32))
        flags = status_flags(table, slice(0, known), now)
        visible = (table.on_duty[:known] & (table.fix_at[:known] > -np.inf)) | table.gone[:known]
        rows = np.flatnonzero(visible & (table.dirty[:known] | (flags != self._flags[:known])))
        self._flags[:known] = flags
        table.dirty[:known] = False
        if len(moved) and self._locate is not None:
            table.grid[moved] = self._locate(moved, table.lon[moved] * 1e-7, table.lat[moved] * 1e-7)
        for hook in self.on_tick:
            hook(moved, now)
        self.rev += 1
        self._send(rows, now)
        return settled

    def half_tick(self, now: float) -> None:
        """Send followed units to their followers, between two ticks."""
        followers = [c for c in self._clients if c.follow is not None]
        if not followers:
            return
        table = self.positions
        table_settled = False
        for client in followers:
            row = table.row(client.follow) if client.follow is not None else None
            if row is None:
                continue
            if not table_settled:
                self._settle_between(now)
                table_settled = True
            if (
                not table.on_duty[row]
                or table.fix_at[row] <= client.seen_follow
                or not self._may(client, row)
            ):
                continue
            if client.sink.buffered() > BEHIND_BYTES:
                continue
            client.seen_follow = float(table.fix_at[row])
            body = records(table, np.array([row]), now).tobytes()
            self.rev += 1
            self._write(client, 0, [body], len(body), now)

    def _settle_between(self, now: float) -> None:
        settled = self.positions.settle()
        self._moved_between.append(settled.moved)
        if self._history is not None:
            self._history.add(settled, now)

    def _may(self, client: MapClient, row: int) -> bool:
        return client.allow is None or bool(client.allow(self.positions.unit[row : row + 1])[0])

    def _send(self, rows: Rows, now: float) -> None:
        table = self.positions
        before = self._cell[rows]
        cells = self._cells(rows)
        gone = table.gone[rows]
        self._cell[rows] = np.where(gone, -1, cells)
        if not self._clients:
            table.gone[rows] = False
            return
        deltas = records(table, rows, now)
        # A unit that left a cell is told there too, or its ghost would stay at the edge of somebody's view.
        left = np.flatnonzero((before >= 0) & (before != cells))
        sorted_all: _Sorted | None = None
        changed = _Sorted(
            np.concatenate([deltas, deltas[left]]),
            np.concatenate([np.where(gone & (before >= 0), before, cells), before[left]]),
        )
        whole: bytes | None = None
        for client in list(self._clients):
            if client.sink.buffered() > (_DRAINED_BYTES if client.skipped else BEHIND_BYTES):
                client.skipped += 1
                self.skipped_ticks += 1
                continue
            if client.fresh or client.skipped:
                client.fresh, client.skipped = False, 0
                if sorted_all is None:
                    live = table.live()
                    sorted_all = _Sorted(records(table, live, now), self._cells(live))
                self._write(client, SNAPSHOT, *self._view(client, sorted_all), now)
                continue
            if not len(rows):
                continue
            if client.cells is None and client.allow is None:
                if whole is None:
                    body = deltas.tobytes()
                    whole = b"".join(
                        (
                            frame_header(BINARY, HEADER.size + len(body)),
                            header(0, len(deltas), self.rev, now),
                            body,
                        )
                    )
                client.sink.write(whole)
                self.sent_frames += 1
                continue
            parts, size = self._view(client, changed)
            if size:
                self._write(client, 0, parts, size, now)
        table.gone[rows] = False

    def _cells(self, rows: Rows) -> NDArray[np.int32]:
        table = self.positions
        x = (table.lon[rows].astype(np.int64) - self._origin[0]) * CELLS // self._span[0]
        y = (table.lat[rows].astype(np.int64) - self._origin[1]) * CELLS // self._span[1]
        return (np.clip(y, 0, CELLS - 1) * CELLS + np.clip(x, 0, CELLS - 1)).astype(np.int32)

    def _view(self, client: MapClient, data: _Sorted) -> tuple[list[bytes | memoryview], int]:
        parts = data.parts(client.cells)
        if client.allow is not None:
            mine = np.frombuffer(b"".join(parts), RECORD)
            parts = [mine[client.allow(mine["unit"])].tobytes()]
        return parts, sum(map(len, parts))

    def _write(
        self,
        client: MapClient,
        flags: int,
        parts: list[bytes | memoryview] | list[bytes],
        size: int,
        now: float,
    ) -> None:
        head = frame_header(BINARY, HEADER.size + size)
        client.sink.write(b"".join((head, header(flags, size // RECORD.itemsize, self.rev, now), *parts)))
        self.sent_frames += 1


class _Sorted:
    """Records sorted by cell, ready to be sliced by rectangles of cells."""

    def __init__(self, unsorted: NDArray[np.void], cells: NDArray[np.int32]) -> None:
        order = np.argsort(cells, kind="stable")
        self._buffer = memoryview(unsorted[order].tobytes())
        self._offset = (
            np.searchsorted(cells[order], np.arange(CELLS * CELLS + 1)) * RECORD.itemsize
        ).tolist()

    def parts(self, cells: tuple[int, int, int, int] | None) -> list[bytes | memoryview]:
        if cells is None:
            return [self._buffer]
        x0, y0, x1, y1 = cells
        offset = self._offset
        slices: list[bytes | memoryview] = []
        for start in range(y0 * CELLS, y1 * CELLS, CELLS):
            first, last = offset[start + x0], offset[start + x1]
            if first < last:
                slices.append(self._buffer[first:last])
        return slices
