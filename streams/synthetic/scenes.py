"""The drawn places: what kinds there are, and their pictures at any time."""

import random
import threading
import zlib
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streams.synthetic.canvas import HEIGHT, WIDTH, Backdrop, Canvas, Lit, Pixels
from streams.synthetic.drawn.bridge import bridge
from streams.synthetic.drawn.car_park import car_park
from streams.synthetic.drawn.dam import dam
from streams.synthetic.drawn.highway import highway
from streams.synthetic.drawn.junction import junction
from streams.synthetic.drawn.lookout import lookout
from streams.synthetic.drawn.market import market
from streams.synthetic.drawn.mine import mine
from streams.synthetic.drawn.river import river
from streams.synthetic.drawn.school import school
from streams.synthetic.drawn.square import square
from streams.synthetic.drawn.street import street
from streams.synthetic.drawn.village import village
from streams.synthetic.moving import Mover
from streams.synthetic.osd import write
from streams.synthetic.sites import SceneKind

Window = tuple[int, int, int, int]
"""Left, top, width and height of a part of a picture."""

_DRAW: Final[dict[SceneKind, Callable[[int], tuple[Canvas, list[Mover]]]]] = {
    "junction": junction,
    "street": street,
    "school": school,
    "market": market,
    "car_park": car_park,
    "square": square,
    "village": village,
    "river": river,
    "bridge": bridge,
    "lookout": lookout,
    "dam": dam,
    "highway": highway,
    "mine": mine,
}
# Places that look as likely the other way round: nobody drives on a marked side of a road in them.
_MIRRORED: Final[frozenset[SceneKind]] = frozenset(("river", "dam", "lookout", "mine", "square"))
_GRAIN_HZ: Final = 12.5
_GRAINS: Final = 8


def daylight(at: float, zone: tzinfo) -> float:
    """Return how light it is by the clock: 1 by day, 0 at night, in a few steps."""
    local = datetime.fromtimestamp(at, zone)
    hour = local.hour + local.minute / 60
    rise = (hour - 6.0) / 1.5 if hour < 12 else (19.2 - hour) / 1.5
    return round(min(1.0, max(0.0, rise)) * 8) / 8


def _framing(chance: random.Random) -> Window:
    """Return how a camera was hung: not quite like the next one of its kind."""
    zoom = chance.uniform(1.05, 1.22)
    width, height = round(WIDTH / zoom), round(HEIGHT / zoom)
    return chance.randint(0, WIDTH - width), chance.randint(0, HEIGHT - height), width, height


def _grain(sigma: float, seed: int) -> tuple[Pixels, Pixels]:
    noise = np.random.default_rng(seed).normal(0, sigma, (HEIGHT, WIDTH)).round()
    return noise.clip(0, 255).astype(np.uint8), (-noise).clip(0, 255).astype(np.uint8)


_grains: dict[float, list[tuple[Pixels, Pixels]]] = {}


class Scene:
    """One drawn place.

    Args:
        kind: Which sort.
        seed: The same seed, the same place.
        zone: Its time zone.
        hour: Fixes the hour of the light, for tests; None follows the clock.
    """

    def __init__(self, kind: SceneKind, seed: int, zone: tzinfo, *, hour: float | None = None) -> None:
        self.kind = kind
        self.seed = seed
        self.zone = zone
        self.label = f"SIM {zlib.crc32(f'{kind}/{seed}'.encode()) % 90 + 10}"
        chance = random.Random(f"{kind}/{seed}")
        # Nothing is lit in the mountains: without its own lamp such a camera would see nothing.
        self.infrared = kind == "lookout" or chance.random() < 0.3
        self._mirrored = kind in _MIRRORED and chance.random() < 0.5
        self._window = _framing(chance) if seed else None
        self._hour = hour
        self._lock = threading.Lock()
        self._movers: list[Mover] = []
        self._backdrop: Backdrop | None = None
        self._lit: Lit | None = None

    @property
    def ready(self) -> bool:
        """Whether what stands still is drawn."""
        return self._lit is not None

    def prepare(self, at: float) -> None:
        """Draw what stands still; may run in another thread."""
        with self._lock:
            if self._lit is None:
                self._at_hour(at)

    def view(self, at: float, window: Window | None = None) -> Pixels:
        """Return the picture without clock and grain, BGR; ``window`` is the part a moving head sees."""
        lit = self._at_hour(at)
        picture = lit.ground.copy()
        for mover in self._movers:
            mover(picture, lit, at)
        if lit.infrared:
            grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
            picture = np.asarray(cv2.merge((grey, grey, grey)), np.uint8)
        if self._mirrored:
            picture = np.asarray(cv2.flip(picture, 1), np.uint8)
        window = window or self._window
        if window is not None:
            left, top, width, height = window
            part = picture[top : top + height, left : left + width]
            picture = np.asarray(cv2.resize(part, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR), np.uint8)
        return picture

    def finish(self, picture: Pixels, at: float) -> NDArray[np.uint8]:
        """Write the clock, convert to I420 planes and add the grain of the sensor."""
        write(picture, at, self.zone, self.label)
        planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
        dark = self._lit is not None and self._lit.daylight < 0.5
        more, less = grain(2.4 if dark else 1.1, int(at * _GRAIN_HZ))
        luma = planes[:HEIGHT]
        cv2.add(luma, more, dst=luma)
        cv2.subtract(luma, less, dst=luma)
        return planes

    def plain(self, picture: Pixels) -> NDArray[np.uint8]:
        """Convert to I420 planes and leave it at that: what a recorder shows without a camera."""
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)

    def picture(self, at: float) -> NDArray[np.uint8]:
        """Return the finished picture as I420 planes."""
        return self.finish(self.view(at), at)

    def _at_hour(self, at: float) -> Lit:
        if self._backdrop is None:
            canvas, self._movers = _DRAW[self.kind](self.seed)
            self._backdrop = canvas.backdrop()
        light = daylight(at, self.zone) if self._hour is None else self._hour
        if self._lit is None or self._lit.daylight != light:
            self._lit = self._backdrop.lit(light, infrared=self.infrared)
        return self._lit


def grain(sigma: float, number: int) -> tuple[Pixels, Pixels]:
    """Return the grain of a picture: what is added, and what is taken away."""
    bank = _grains.get(sigma)
    if bank is None:
        bank = _grains[sigma] = [_grain(sigma, seed) for seed in range(_GRAINS)]
    return bank[(number * 5 + number // _GRAINS) % _GRAINS]
