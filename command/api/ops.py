"""For those who run the service: is it alive, is it ready, what are its figures.

Open to everybody who reaches the port, so nothing here names a person, a place or a case.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from command import logs
from command.api.security import public

Check = Callable[[], "bool | Awaitable[bool]"]
"""True: this part is ready. An exception counts as not."""

_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1.0, 3.0)
_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})

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
        """Add a gauge; a name may be used once."""
        gauge = Gauge(f"yiping_{figure.name}", figure.help, registry=self.registry)
        gauge.set_function(_safe(figure.read))

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request; hand this to `SecurityMiddleware`."""
        # Only what we know becomes a label: methods and paths that callers invent would fill the memory.
        known = method if method in _METHODS else "OTHER"
        self._requests.labels(known, str(status or 499)).inc()
        self._seconds.labels(route).observe(seconds)


def ops_router(figures: Figures, checks: Mapping[str, Check]) -> APIRouter:
    """Return the routes ``/livez``, ``/readyz`` and ``/metrics``.

    Args:
        figures: The metrics.
        checks: What must hold for the service to be ready, by name.
    """
    router = APIRouter(tags=["operations"], dependencies=[Depends(public)])

    @router.get("/livez")
    async def livez() -> dict[str, str]:
        """Say that the process answers."""
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> Response:
        """Say whether every part is ready: 200 or 503, with each part's state."""
        states = {name: await _holds(name, check) for name, check in checks.items()}
        ready = all(states.values())
        body = {"status": "ready" if ready else "not_ready", "checks": states}
        return JSONResponse(body, 200 if ready else 503, headers={"cache-control": "no-store"})

    @router.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        return Response(generate_latest(figures.registry), media_type=CONTENT_TYPE_LATEST)

    return router


async def _holds(name: str, check: Check) -> bool:
    try:
        outcome = check()
        if inspect.isawaitable(outcome):
            outcome = await outcome
    except Exception as error:  # a broken check is a part that is not ready, whatever broke it
        log.warning("readiness check failed", check=name, detail=str(error))
        return False
    return bool(outcome)


def _safe(read: Callable[[], float]) -> Callable[[], float]:
    def value() -> float:
        try:
            return float(read())
        except Exception:  # one part that cannot tell must not hide the figures of all others
            return float("nan")

    return value
