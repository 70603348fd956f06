from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

import streams
from streams.errors import BadMedia
from streams.media import VideoCodec, VideoTrack
from streams.picture import decode, encode_jpeg, shrink
from tests.streams.coded import coded
from tests.streams.pictures import key_frame

AT = datetime(2026, 3, 1, tzinfo=UTC)


def _picture(width: int = 640, height: int = 360) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    coarse = np.random.default_rng(1).integers(0, 256, (9, 16, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_key_frame_becomes_the_picture_it_was(codec: VideoCodec) -> None:
    image = _picture()
    frame = key_frame(image, AT, codec)
    again = decode(frame.track, frame.nals)
    assert again.shape == image.shape
    assert again.dtype == np.uint8
    assert np.abs(again.astype(int) - image).mean() < 6


def test_nothing_is_decoded_before_a_key_frame() -> None:
    stream = coded(count=10, gop=10)
    sets = tuple(unit for unit in stream.units[0] if unit[0] & 31 in (7, 8))
    track = VideoTrack(codec="h264", width=160, height=96, parameter_sets=sets, codec_string="avc1")
    assert decode(track, stream.units[0]).shape == (96, 160, 3)
    for later in stream.units[1:]:
        with pytest.raises(BadMedia):
            decode(track, later)


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_junk_is_refused_or_decoded_but_never_anything_else(codec: VideoCodec) -> None:
    frame = key_frame(_picture(320, 180), AT, codec)
    refused = 0
    for seed in range(100):
        chance = np.random.default_rng(seed)
        units = [bytearray(unit) for unit in (*frame.track.parameter_sets, *frame.nals)]
        for _ in range(int(chance.integers(1, 9))):
            unit = units[chance.integers(len(units))]
            unit[chance.integers(len(unit))] ^= 1 << int(chance.integers(8))
        if seed % 5 == 0:
            del units[-1][len(units[-1]) // 2 :]
        count = len(frame.track.parameter_sets)
        track = VideoTrack(
            codec=codec,
            width=320,
            height=180,
            parameter_sets=tuple(map(bytes, units[:count])),
            codec_string="x",
        )
        try:
            assert decode(track, tuple(map(bytes, units[count:]))).ndim == 3
        except BadMedia:
            refused += 1
    assert refused > 50


@pytest.mark.parametrize("nals", [(), (b"",), (b"\x65",), (b"\x65" + bytes(1000),), (b"\xff" * 50,)])
def test_no_picture_is_bad_media(nals: tuple[bytes, ...]) -> None:
    frame = key_frame(_picture(320, 180), AT)
    with pytest.raises(BadMedia):
        decode(frame.track, nals)


def test_half_a_picture_is_no_picture() -> None:
    frame = key_frame(_picture(), AT)
    cut = (*frame.nals[:-1], frame.nals[-1][: len(frame.nals[-1]) // 2])
    with pytest.raises(BadMedia):
        decode(frame.track, cut)


def test_shrinking_keeps_the_shape_and_never_enlarges() -> None:
    assert shrink(_picture(1280, 720), 320).shape == (180, 320, 3)
    assert shrink(_picture(300, 200), 320).shape == (200, 300, 3)
    assert shrink(_picture(4000, 2), 320).shape == (1, 320, 3)


def test_jpeg_is_jpeg() -> None:
    data = encode_jpeg(_picture())
    assert data.startswith(b"\xff\xd8\xff")
    again = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert again is not None
    assert again.shape == (360, 640, 3)


# OpenCV draws and shrinks pictures, measures and compares them. It looks for nothing in them: no people, faces,
# plates or whatever moves. A name that is not here needs a reason why it cannot.
MEASURING = {
    *("CV_16S", "CV_32F", "COLOR_BGR2GRAY", "COLOR_BGR2LAB", "INTER_AREA", "NORM_L1"),
    *("IMWRITE_JPEG_QUALITY", "Sobel", "absdiff", "addWeighted", "blur", "convertScaleAbs"),
    *("countNonZero", "createHanningWindow", "cvtColor", "filter2D", "imencode", "inRange", "meanStdDev"),
    *("norm", "phaseCorrelate", "resize", "setNumThreads"),
}
DRAWING = {
    *("BORDER_CONSTANT", "BORDER_REFLECT", "BORDER_REPLICATE", "COLOR_BGR2YUV_I420", "COLOR_YUV2BGR_I420"),
    *("COLOR_BGR2HSV", "COLOR_HSV2BGR", "COLOR_GRAY2BGR", "FONT_HERSHEY_SIMPLEX", "INTER_CUBIC"),
    *("INTER_LINEAR", "INTER_NEAREST", "LINE_4", "LINE_8", "LINE_AA"),
    *("GaussianBlur", "LUT", "add", "bitwise_and", "bitwise_not", "bitwise_or", "circle", "copyMakeBorder"),
    *("dilate", "ellipse", "erode", "fillConvexPoly", "fillPoly", "flip", "getPerspectiveTransform"),
    *("getRotationMatrix2D", "line", "max", "merge", "min", "multiply", "polylines", "putText", "randn"),
    *("rectangle", "remap", "rotate", "split", "subtract", "warpAffine", "warpPerspective"),
}


def _opencv_names(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "cv2":
            names.add(node.attr)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "cv2":
                    assert (alias.name, alias.asname) == ("cv2", None), path
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "cv2":
            raise AssertionError(f"{path}: from cv2 import …")
        elif isinstance(node, ast.Call):
            for argument in node.args:  # getattr(cv2, …), vars(cv2) and the like
                assert not (isinstance(argument, ast.Name) and argument.id == "cv2"), path
    return names


def test_opencv_measures_pictures_and_does_nothing_else() -> None:
    folder = Path(streams.__file__).parent
    seen = 0
    for path in sorted(folder.rglob("*.py")):
        names = _opencv_names(path)
        drawn = "synthetic" in path.relative_to(folder).parts
        unknown = names - MEASURING - (DRAWING if drawn else set())
        assert not unknown, f"{path.relative_to(folder)} uses cv2.{sorted(unknown)}"
        seen += len(names)
    assert seen > 20


def test_nothing_else_that_looks_into_pictures_is_installed_with_us() -> None:
    text = (Path(streams.__file__).parents[1] / "pyproject.toml").read_text("utf-8").lower()
    for name in (
        "torch",
        "tensorflow",
        "onnx",
        "ultralytics",
        "mediapipe",
        "dlib",
        "face",
        "paddle",
        "opencv-contrib",
    ):
        assert name not in text
