"""For those who run the service: is it alive, is it ready, what are its figures.

Open to everybody who reaches the port, so nothing here names a person, a place or a case. What is checked and
counted stands in ``app.state.checks`` and ``app.state.figures``; `command.server` puts it there.
"""

from __future__ import annotations

import asyncio
import inspect
import shutil
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from command import logs
from command.api.security import public

if TYPE_CHECKING:
    from command.api.services import Services

Check = Callable[[], "bool | Awaitable[bool]"]
"""True: this part is ready. An exception, or no answer in time, counts as not."""

_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1.0, 3.0)
_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_CHECK_S: Final = 2.0

router = APIRouter(tags=["operations"], dependencies=[Depends(public)])
log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Figure:
    """A gauge read when somebody looks.

    Attributes:
        name: Without the ``yiping_`` in front; the unit at the end.
        help: One sentence.
        read: The value now.
    """

    name: str
    help: str
    read: Callable[[], float]


class Figures:
    """The service's metrics in a registry of their own.

    Args:
        gauges: What the parts of the service can tell: clients, queues, sequence numbers, ages.
    """

    def __init__(self, gauges: Iterable[Figure] = ()) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "yiping_requests_total", "HTTP requests answered.", ("method", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "yiping_request_seconds",
            "Time to answer, by route.",
            ("route",),
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        for figure in gauges:
            self.add(figure)

    def add(self, figure: Figure) -> None:
        """Add a gauge.

        Raises:
            ValueError: The name is in use.
        """
        gauge = Gauge(f"yiping_{figure.name}", figure.help, registry=self.registry)
        gauge.set_function(_safe(figure.read))

    def add_labelled(self, read: Callable[[], Mapping[str, float]], help: Mapping[str, str]) -> None:
        """Add gauges of a part that has a set of its own for each of its processes.

        Args:
            read: Returns the values now, by names such as ``streams{process="media-0"}``.
            help: A sentence for each name without its label.
        """
        self.registry.register(_Labelled(read, help))

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request; hand this to `SecurityMiddleware`."""
        # Only what we know becomes a label: methods that callers invent would fill the memory.
        known = method if method in _METHODS else "OTHER"
        self._requests.labels(known, str(status or 499)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Return all figures in the Prometheus text format."""
        return generate_latest(self.registry)


class _Labelled(Collector):
    """Reads labelled figures when somebody looks."""

    def __init__(self, read: Callable[[], Mapping[str, float]], help: Mapping[str, str]) -> None:
        self._read = read
        self._help = help

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return one family for each name."""
        families: dict[str, GaugeMetricFamily] = {}
        for full, value in self._read().items():
            name, _, label = full.partition("{")
            key, _, text = label.rstrip("}").partition("=")
            family = families.get(name)
            if family is None:
                labels = [key] if key else []
                family = GaugeMetricFamily(f"yiping_video_{name}", self._help.get(name, name), labels=labels)
                families[name] = family
            family.add_metric([text.strip('"')] if key else [], value)
        return families.values()


class Hub(Protocol):
    """What the figures need of the open feeds."""

    cut_off: int

    def __len__(self) -> int: ...


def standard_figures(services: Services, hub: Hub | None = None) -> Figures:
    """Return the figures of a whole service; parts may `add` their own."""
    board = services.board
    figures = Figures(
        [
            Figure("sessions", "Live sessions.", lambda: len(services.sessions)),
            Figure("tokens", "Live device, integration and kiosk tokens.", lambda: len(services.tokens)),
            Figure("log_seq", "Number of the last event in the log.", lambda: board.seq),
            Figure("board_incidents", "Incidents on the live board.", lambda: len(board.incidents)),
            Figure("board_assignments", "Assignments on the live board.", lambda: len(board.assignments)),
            Figure("board_responders", "Responders in the roster.", lambda: len(board.responders)),
            Figure("board_cameras", "Cameras in the registry.", lambda: len(board.cameras)),
            Figure("feed_subscriptions", "Event subscriptions.", lambda: len(services.feed)),
            Figure("disk_free_bytes", "Free bytes where the data is.", lambda: _free_bytes(services)),
        ]
    )
    if hub is not None:
        figures.add(Figure("feed_clients", "Browsers connected to the feed.", lambda: len(hub)))
        figures.add(Figure("feed_cut_off_total", "Slow browsers cut off so far.", lambda: hub.cut_off))
    return figures


def standard_checks(services: Services) -> dict[str, Check]:
    """Return what must hold for a whole service to be ready."""

    async def database() -> bool:
        found = await services.database.read(
            lambda connection: connection.execute(sa.text("SELECT 1")).scalar()
        )
        return bool(found)

    return {
        "database": database,
        "disk": lambda: _free_bytes(services) >= services.settings.retention.min_free_bytes,
    }


@router.get("/livez")
async def livez() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Say whether every part is ready: 200 or 503, with each part's state."""
    checks: Mapping[str, Check] = getattr(request.app.state, "checks", {})
    states = {name: await _holds(name, check) for name, check in checks.items()}
    ready = all(states.values())
    body = {"status": "ready" if ready else "not_ready", "checks": states}
    return JSONResponse(body, 200 if ready else 503, headers={"cache-control": "no-store"})


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Return the figures in the Prometheus text format."""
    figures: Figures | None = getattr(request.app.state, "figures", None)
    return Response(b"" if figures is None else figures.text(), media_type=CONTENT_TYPE_LATEST)


async def _holds(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(_CHECK_S):
            outcome = check()
            if inspect.isawaitable(outcome):
                outcome = await outcome
    except Exception as error:  # a broken check is a part that is not ready, whatever broke it
        log.warning("readiness check failed", check=name, detail=str(error))
        return False
    return bool(outcome)


def _free_bytes(services: Services) -> int:
    return shutil.disk_usage(services.settings.data_dir).free


def _safe(read: Callable[[], float]) -> Callable[[], float]:
    def value() -> float:
        try:
            return float(read())
        except Exception:  # one part that cannot tell must not hide the figures of all others
            return float("nan")

    return value
