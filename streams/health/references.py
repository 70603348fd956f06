"""What a camera usually shows, one reference per light, and what people have said about its alarms.

A reference is learned from the first healthy pictures and follows slowly, only while the camera is healthy. All of
a camera's memory is one small file, because fifteen thousand of them must neither fill memory nor a database.
"""

import zlib
from typing import Final

import msgspec
import numpy as np
import structlog

from streams.health.files import PictureFolder
from streams.health.measures import EDGE_COLUMNS, EDGE_ROWS, Grey, Measures
from streams.health.messages import Fault, Light, Status

log = structlog.get_logger("streams.health")

_EAGER_CHECKS: Final = 8
_PAUSE_S: Final = 3600.0
_SLOWEST: Final = 0.05
_FALSE_ALARM: Final = 1.5
MOST_TOLERANCE: Final = 4.0
"""A fault whose tolerance has come to this is not reported for the camera any more."""


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What a camera shows in one light.

    Attributes:
        mean: As in `Measures`, like the others.
        checks: Pictures it was learned from.
        adapted_at: When it last followed, in seconds since 1970.
        edges: Compressed `Measures.edge_map`.
    """

    mean: float
    acutance: float
    flat_share: float
    noise: float
    cast_a: float
    cast_b: float
    checks: int
    adapted_at: float
    edges: bytes

    def edge_map(self) -> Grey:
        """Return the edges.

        Raises:
            ValueError: They are damaged.
        """
        try:
            raw = zlib.decompress(self.edges)
        except zlib.error as error:
            raise ValueError(f"damaged reference: {error}") from None
        return np.frombuffer(raw, np.uint8).reshape(EDGE_ROWS, EDGE_COLUMNS)


def learned(measures: Measures, at: float) -> Reference:
    """Return a new reference from one picture."""
    return _made(measures, measures.edge_map, 1.0, None, at)


def adapted(reference: Reference, measures: Measures, at: float) -> Reference | None:
    """Let a reference follow a healthy picture: at once while it is young, later once an hour and slowly.

    Returns:
        The new one, or None if it is too early.
    """
    if reference.checks >= _EAGER_CHECKS and at - reference.adapted_at < _PAUSE_S:
        return None
    weight = max(_SLOWEST, 1.0 / (reference.checks + 1))
    edges = (1.0 - weight) * reference.edge_map().astype(np.float32) + weight * measures.edge_map
    return _made(measures, np.rint(edges).astype(np.uint8), weight, reference, at)


def _made(m: Measures, edges: Grey, weight: float, before: Reference | None, at: float) -> Reference:
    def mixed(name: str) -> float:
        present = float(getattr(m, name))
        return present if before is None else (1.0 - weight) * float(getattr(before, name)) + weight * present

    return Reference(
        mean=mixed("mean"),
        acutance=mixed("acutance"),
        flat_share=mixed("flat_share"),
        noise=mixed("noise"),
        cast_a=mixed("cast_a"),
        cast_b=mixed("cast_b"),
        checks=1 if before is None else before.checks + 1,
        adapted_at=at,
        edges=zlib.compress(edges.tobytes(), 1),
    )


class Memory(msgspec.Struct, kw_only=True):
    """Everything remembered of one camera.

    Attributes:
        references: By light.
        tolerance: How much further than usual the camera may go before a fault counts.
        status: As last reported, so that a restart reports nothing twice.
        fault: As last reported.
        since: When status and fault last changed, in seconds since 1970.
    """

    references: dict[Light, Reference] = {}
    tolerance: dict[Fault, float] = {}
    status: Status = "unknown"
    fault: Fault | None = None
    since: float | None = None

    def tolerate(self, fault: Fault) -> None:
        """Take note that an alarm was false."""
        self.tolerance[fault] = min(MOST_TOLERANCE, self.tolerance.get(fault, 1.0) * _FALSE_ALARM)

    def reference_for(self, light: Light, mean: float) -> Reference | None:
        """Return the reference for a light, else one for another light in which the picture is as bright."""
        own = self.references.get(light)
        if own is not None:
            return own
        near = min(self.references.values(), key=lambda r: abs(r.mean - mean), default=None)
        return near if near is not None and abs(near.mean - mean) < _NEAR_MEAN else None


_NEAR_MEAN: Final = 45.0
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Memory)


def recall(folder: PictureFolder, camera_id: str) -> Memory:
    """Read a camera's memory; a missing or damaged one is empty."""
    try:
        data = folder.read(folder.path(camera_id, "memory"))
        if data is None:
            return Memory()
        memory = _decoder.decode(data)
        for reference in memory.references.values():
            reference.edge_map()
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        log.warning("a camera's memory is lost", camera_id=camera_id, reason=str(error))
        return Memory()
    return memory


def remember(folder: PictureFolder, camera_id: str, memory: Memory) -> None:
    """Write a camera's memory as a whole.

    Raises:
        OSError: It cannot be written; the old one stays.
    """
    folder.write(folder.path(camera_id, "memory"), _encoder.encode(memory))
