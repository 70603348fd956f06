"""A flat ground seen from a pole: where things on it appear, and how large."""

from dataclasses import dataclass

from streams.synthetic.canvas import WIDTH, Point


@dataclass(frozen=True, slots=True)
class Ground:
    """A camera above level ground, looking along it.

    Attributes:
        horizon: Row of the horizon.
        focal: Focal length in pixels.
        height_m: Of the camera above the ground.
        centre: Column straight ahead.
    """

    horizon: float
    focal: float = 430.0
    height_m: float = 6.0
    centre: float = WIDTH / 2

    def at(self, x_m: float, z_m: float, up_m: float = 0.0) -> Point:
        """Return where a point appears: metres to the right, ahead, and above the ground."""
        scale = self.focal / max(0.5, z_m)
        return self.centre + x_m * scale, self.horizon + (self.height_m - up_m) * scale

    def scale(self, z_m: float) -> float:
        """Return pixels per metre at a distance."""
        return self.focal / max(0.5, z_m)

    def quad(self, x0: float, x1: float, z0: float, z1: float) -> list[Point]:
        """Return a rectangle on the ground."""
        return [self.at(x0, z0), self.at(x1, z0), self.at(x1, z1), self.at(x0, z1)]
