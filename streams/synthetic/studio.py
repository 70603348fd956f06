"""The encoders of a farm: made when somebody looks, thrown away when nobody has for a while."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from streams.synthetic.canvas import Pixels
from streams.synthetic.encoder import Encoder, Planes
from streams.synthetic.faults import FaultKind
from streams.synthetic.head import Head
from streams.synthetic.profiles import Profile
from streams.synthetic.scenes import Scene
from streams.synthetic.sites import SceneKind
from streams.synthetic.spoiling import spoil

_IDLE_S: Final = 20.0
_KEPT_SCENES: Final = 64


@dataclass(frozen=True, slots=True)
class Shot:
    """What an encoder shows; cameras with an equal shot share one.

    Attributes:
        kind: Of the scene.
        seed: Of the scene.
        profile: How it is coded.
        fault: What is wrong with the picture.
        since: When a frozen picture froze.
        head: What turns the camera, if it can be turned; such a camera shares its pictures with no other.
    """

    kind: SceneKind
    seed: int
    profile: Profile
    fault: FaultKind | None = None
    since: float = 0.0
    head: Head | None = None


class Steered:
    """A scene seen by a camera that can be turned.

    Args:
        scene: The place.
        head: Where it looks.
    """

    def __init__(self, scene: Scene, head: Head) -> None:
        self._scene = scene
        self._head = head
        self.seed = scene.seed

    def view(self, at: float) -> Pixels:
        """Return the picture without clock and grain."""
        return self._scene.view(at, self._head.aim(at).window())

    def finish(self, picture: Pixels, at: float) -> Planes:
        """Write the clock and add the grain."""
        return self._scene.finish(picture, at)

    def plain(self, picture: Pixels) -> Planes:
        """Leave it as it is."""
        return self._scene.plain(picture)

    @property
    def ready(self) -> bool:
        """See `Drawn`."""
        return self._scene.ready

    def prepare(self, at: float) -> None:
        """See `Drawn`."""
        self._scene.prepare(at)

    def picture(self, at: float) -> Planes:
        """See `Drawn`."""
        return self.finish(self.view(at), at)


class Spoiled:
    """A scene as a faulty camera shows it.

    Args:
        scene: The place.
        kind: What is wrong.
        since: Seconds since 1970, when it began.
    """

    def __init__(self, scene: Scene | Steered, kind: FaultKind, since: float) -> None:
        self._scene = scene
        self._kind = kind
        self._since = since
        self._frozen: Planes | None = None

    @property
    def ready(self) -> bool:
        """See `Drawn`."""
        return self._scene.ready

    def prepare(self, at: float) -> None:
        """See `Drawn`."""
        self._scene.prepare(at)

    def picture(self, at: float) -> Planes:
        """See `Drawn`."""
        if self._kind == "frozen":
            if self._frozen is None:
                self._frozen = self._scene.picture(self._since or at)
            return self._frozen
        view = spoil(self._scene.view(at), self._kind, self._scene.seed, int(at * 12.5))
        if self._kind == "no_signal":
            return self._scene.plain(view)
        return self._scene.finish(view, at)


class Studio:
    """Keeps one encoder for each shot that is looked at.

    Args:
        zone: Time zone of all scenes.
        clock: Seconds since 1970.
        hour: Fixes the light, 1 day to 0 night; None follows the clock.
    """

    def __init__(self, zone: tzinfo, clock: Callable[[], float], *, hour: float | None = None) -> None:
        self._zone = zone
        self._clock = clock
        self._hour = hour
        self._scenes: dict[tuple[SceneKind, int], Scene] = {}
        self._encoders: dict[Shot, Encoder] = {}
        self.pictures = 0
        """Pictures coded by encoders that are gone."""

    def encoder(self, shot: Shot) -> Encoder:
        """Return the encoder of a shot."""
        found = self._encoders.get(shot)
        if found is None:
            place = self.scene(shot.kind, shot.seed)
            scene = place if shot.head is None else Steered(place, shot.head)
            drawn = scene if shot.fault is None else Spoiled(scene, shot.fault, shot.since)
            ssrc = 0x59500000 + 2 * len(self._encoders) % 0xFFFF
            found = self._encoders[shot] = Encoder(drawn, shot.profile, self._clock, ssrc)
        return found

    def scene(self, kind: SceneKind, seed: int) -> Scene:
        """Return a scene; the ones not asked for lately are drawn anew when they are."""
        scene = self._scenes.pop((kind, seed), None)
        if scene is None:
            scene = Scene(kind, seed, self._zone, hour=self._hour)
        self._scenes[kind, seed] = scene
        while len(self._scenes) > _KEPT_SCENES:
            self._scenes.pop(next(iter(self._scenes)))
        return scene

    def running(self) -> int:
        """Return how many encoders have an audience."""
        return sum(encoder.running for encoder in self._encoders.values())

    def coded(self) -> int:
        """Return how many pictures were coded so far."""
        return self.pictures + sum(encoder.pictures for encoder in self._encoders.values())

    def tidy(self, *, everything: bool = False) -> None:
        """Throw away the encoders nobody has used for a while, or all of them."""
        now = self._clock()
        for shot, encoder in list(self._encoders.items()):
            if everything or (not encoder.running and now - encoder.idle_since > _IDLE_S):
                encoder.close()
                self.pictures += encoder.pictures
                del self._encoders[shot]
