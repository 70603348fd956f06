"""Pictures as a faulty camera gives them. The clock is written over them afterwards, as in the real thing."""

import cv2
import numpy as np

from streams.synthetic.canvas import HEIGHT, WIDTH, Pixels
from streams.synthetic.faults import FaultKind


def spoil(picture: Pixels, kind: FaultKind, seed: int, number: int) -> Pixels:
    """Return a picture with a fault.

    Args:
        picture: A healthy one.
        kind: What is wrong; link faults leave it as it is.
        seed: Of the camera: the dirt stays where it is.
        number: Of the picture, for what changes from one to the next.
    """
    if kind == "black":
        return np.asarray(cv2.convertScaleAbs(picture, alpha=0.035, beta=2), np.uint8)
    if kind == "no_signal":
        return _no_signal()
    if kind == "covered":
        return _covered(picture, seed)
    if kind == "blurred":
        small = cv2.resize(picture, (WIDTH // 4, HEIGHT // 4), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(cv2.GaussianBlur(small, (0, 0), 1.6), (WIDTH, HEIGHT)), np.uint8)
    if kind == "noise":
        return _noisy(picture, number)
    if kind == "colour_cast":
        cast = picture.astype(np.float32) * _CASTS[seed % len(_CASTS)]
        return np.asarray(np.clip(cast, 0, 255), np.uint8)
    if kind == "moved":
        side = 1 if seed % 2 else -1
        turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), 9.0 * side, 1.45)
        turn[0, 2] += 90 * side
        turn[1, 2] += 34
        return np.asarray(
            cv2.warpAffine(picture, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT), np.uint8
        )
    return picture


_CASTS = tuple(
    np.array(cast, np.float32) for cast in ((0.55, 1.25, 0.6), (1.25, 0.62, 1.2), (1.4, 0.85, 0.5))
)


def _no_signal() -> Pixels:
    screen = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    screen[:] = (96, 42, 24)
    return screen


def _covered(picture: Pixels, seed: int) -> Pixels:
    """Hang something dark and out of focus before the lens; one edge stays free."""
    chance = np.random.default_rng(seed)
    rough = chance.normal(0, 1, (6, 8)).astype(np.float32)
    cloth = cv2.resize(rough, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)[..., None] * 5
    colour = np.array([38, 44, 46], np.float32)
    edge = np.clip((np.arange(WIDTH, dtype=np.float32) - WIDTH * 0.87) / 50, 0, 1)[None, :, None]
    if seed % 2:
        edge = edge[:, ::-1]
    blurred = cv2.blur(picture, (31, 31)).astype(np.float32)
    return np.asarray(np.clip((colour + cloth) * (1 - edge) + blurred * 0.8 * edge, 0, 255), np.uint8)


def _noisy(picture: Pixels, number: int) -> Pixels:
    chance = np.random.default_rng(number)
    grain = chance.normal(0, 26, (HEIGHT, WIDTH, 1)).astype(np.float32)
    return np.asarray(np.clip(picture + grain, 0, 255), np.uint8)
