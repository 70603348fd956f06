"""What one picture looks like in numbers. Pure: a picture in, the same numbers out.

Every measure describes the picture as a whole or in fixed cells: how bright, how sharp, how flat, how coloured, how
noisy. Nothing here looks for anything in it.

Most work is done on copies 640 and 320 pixels wide, so that a check costs the same for every camera and means the
same for a main and a sub-stream. Only noise is measured in the full picture, because shrinking removes it.

The top and bottom tenths are left out: cameras write clock and name there, which stay sharp and in place whatever
the lens sees.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streams.picture import Image, shrink

Grey = NDArray[np.uint8]

MIDDLE_PX: Final = 640
EDGE_ROWS: Final = 72
EDGE_COLUMNS: Final = 160
_SAMPLE: Final = (54, 96)
_CELLS: Final = (8, 16)
_FLAT_SIGMA: Final = 5.0
_DARK: Final = 32
_BRIGHT: Final = 235
_PEAK_REACH: Final = 4
_STEEPEST: Final = 0.99
_NOISE_KERNEL: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_CROP_PX: Final = 240


@dataclass(frozen=True, slots=True)
class Measures:
    """One picture in numbers.

    Attributes:
        mean: Luma, 0 to 255.
        sigma: Its standard deviation.
        dark_share: Share of pixels below 32.
        bright_share: Share of pixels from 235 up.
        peak_share: Share of pixels within four grey levels of the commonest one.
        entropy: Of the luma histogram in 64 steps, in bits.
        flat_share: Share of the 8 × 16 cells with next to no contrast.
        acutance: How steep the steepest hundredth of the edges is, over contrast. (The variance of the Laplacian
            and the re-blur ratio, which are used more often, take the grain behind a blurred lens for sharp.)
        edges: Mean strength of edges.
        cast_a: Mean of Lab's a, green to red, around 0.
        cast_b: Mean of Lab's b, blue to yellow, around 0.
        chroma: Mean distance from grey in Lab.
        cast_ratio: Distance of the mean colour from grey over the spread of colours (Gasparini and Schettini 2004).
        noise: Standard deviation of the noise, in grey levels (Immerkær 1996).
        edge_map: (72, 160) uint8, strength of edges.
        sample: (54, 96) uint8, luma at fixed points of the whole picture: what the next one is compared with.
    """

    mean: float
    sigma: float
    dark_share: float
    bright_share: float
    peak_share: float
    entropy: float
    flat_share: float
    acutance: float
    edges: float
    cast_a: float
    cast_b: float
    chroma: float
    cast_ratio: float
    noise: float
    edge_map: Grey
    sample: Grey

    def numbers(self) -> dict[str, float]:
        """Return the scalars by name."""
        return {name: getattr(self, name) for name in _SCALARS}


_SCALARS: Final = tuple(name for name, kind in Measures.__annotations__.items() if kind is float)


def measure(image: Image, whole: Image | None = None) -> Measures:
    """Measure one picture.

    Args:
        image: Rows × columns × blue, green, red; at least 16 × 16.
        whole: The same, at most `MIDDLE_PX` wide, if it is there already.

    Raises:
        ValueError: It is smaller, or no such picture.
    """
    if image.ndim != 3 or image.shape[2] != 3 or min(image.shape[:2]) < 16:
        raise ValueError(f"a picture of shape {image.shape}")
    if whole is None:
        whole = shrink(image, MIDDLE_PX)
    middle = whole[len(whole) // 10 : len(whole) - len(whole) // 10]
    small = shrink(middle, 320)
    grey_whole = _grey(whole)
    grey_middle = grey_whole[len(whole) // 10 : len(whole) - len(whole) // 10]
    grey = _grey(small)
    mean, sigma = _moments(grey)
    histogram = np.bincount(grey.ravel(), minlength=256) / grey.size
    chroma, cast_a, cast_b, cast_ratio = _colour(small)
    edge_map = _edge_map(grey)
    return Measures(
        mean=mean,
        sigma=sigma,
        dark_share=float(histogram[:_DARK].sum()),
        bright_share=float(histogram[_BRIGHT:].sum()),
        peak_share=_peak(histogram),
        entropy=_entropy(histogram),
        flat_share=_flat_share(grey),
        acutance=_acutance(grey_middle),
        edges=float(edge_map.mean()),
        cast_a=cast_a,
        cast_b=cast_b,
        chroma=chroma,
        cast_ratio=cast_ratio,
        noise=_noise(image),
        edge_map=edge_map,
        sample=_sample(grey_whole),
    )


def _grey(image: Image) -> Grey:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def _moments(grey: Grey) -> tuple[float, float]:
    mean, sigma = cv2.meanStdDev(grey)
    return float(mean[0, 0]), float(sigma[0, 0])


def _peak(histogram: NDArray[np.float64]) -> float:
    window = 2 * _PEAK_REACH + 1
    sums = np.concatenate(([0.0], np.cumsum(np.pad(histogram, _PEAK_REACH))))
    return float((sums[window:] - sums[:-window]).max())


def _entropy(histogram: NDArray[np.float64]) -> float:
    steps = histogram.reshape(64, 4).sum(axis=1)
    used = steps[steps > 0]
    return abs(float((used * np.log2(used)).sum()))


def _flat_share(grey: Grey) -> float:
    """Cells are judged without their outermost quarter, where a neighbour's edge would make them rough."""
    rows, columns = _CELLS
    high, wide = grey.shape[0] // rows, grey.shape[1] // columns
    if min(high, wide) < 2:
        return 0.0
    cells = grey[: high * rows, : wide * columns].reshape(rows, high, columns, wide).astype(np.float32)
    return float((cells.std(axis=(1, 3)) < _FLAT_SIGMA).mean())


def _acutance(grey: Grey) -> float:
    """A lens out of focus makes edges gentle; the sensor behind it goes on making grain, which is smoothed out."""
    steepness = _steepness(np.asarray(cv2.blur(grey, (3, 3)), np.uint8), 0.5)
    counts = np.cumsum(np.bincount(steepness.ravel(), minlength=256))
    steepest = int(np.searchsorted(counts, _STEEPEST * steepness.size))
    return (steepest + 0.5) / max(_moments(grey)[1], 2.0)


def _steepness(grey: Grey, scale: float) -> Grey:
    across = cv2.convertScaleAbs(cv2.Sobel(grey, cv2.CV_16S, 1, 0), alpha=scale)
    down = cv2.convertScaleAbs(cv2.Sobel(grey, cv2.CV_16S, 0, 1), alpha=scale)
    return np.asarray(cv2.addWeighted(across, 0.5, down, 0.5, 0.0), np.uint8)


def _edge_map(grey: Grey) -> Grey:
    soft = np.asarray(cv2.resize(grey, (EDGE_COLUMNS, EDGE_ROWS), interpolation=cv2.INTER_AREA), np.uint8)
    return _steepness(soft, 1.0)


def _colour(image: Image) -> tuple[float, float, float, float]:
    """Chroma, the mean of a and b, and their distance from grey over their spread; extremes of light left out."""
    lab = cv2.cvtColor(image, cv2.COLOR_BGR2LAB)
    usable = cv2.inRange(lab[..., 0], np.array([25]), np.array([230]))
    if cv2.countNonZero(usable) < image.shape[0] * image.shape[1] // 50:
        return 0.0, 0.0, 0.0, 0.0
    mean, sigma = cv2.meanStdDev(lab, mask=usable)
    a, b = float(mean[1, 0]) - 128.0, float(mean[2, 0]) - 128.0
    spread = float(np.hypot(sigma[1, 0], sigma[2, 0]))
    distance = float(np.hypot(a, b))
    return float(np.hypot(distance, spread)), a, b, distance / max(spread, 0.5)


def _noise(image: Image) -> float:
    """The middle stands for the whole: noise comes from the sensor or the line, not from the scene."""
    top = max(0, (image.shape[0] - _CROP_PX) // 2)
    left = max(0, (image.shape[1] - _CROP_PX) // 2)
    grey = _grey(np.ascontiguousarray(image[top : top + _CROP_PX, left : left + _CROP_PX]))
    residue = cv2.filter2D(grey, cv2.CV_16S, _NOISE_KERNEL)
    return float(cv2.norm(residue, cv2.NORM_L1)) / grey.size * 1.2533 / 6.0


def _sample(grey: Grey) -> Grey:
    rows = np.linspace(0, grey.shape[0] - 1, _SAMPLE[0]).astype(np.intp)
    columns = np.linspace(0, grey.shape[1] - 1, _SAMPLE[1]).astype(np.intp)
    return np.ascontiguousarray(grey[rows[:, None], columns])
