from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.lettering import Face, Lettering, find_faces

TYPEFACE = Path(__file__).parents[2] / "static" / "vendor" / "noto-sans-sc"


@pytest.fixture(scope="module")
def lettering() -> Lettering:
    return Lettering(find_faces([str(TYPEFACE)]), 24)


def test_chinese_and_latin_come_from_the_typeface_of_the_pages(lettering: Lettering) -> None:
    box = Lettering([], 24).draw("张")
    for letter in "张三烈山区指挥中心龘ABC09:-。，（）":
        drawn = lettering.draw(letter)
        assert drawn.max() > 100, letter
        assert drawn.shape != box.shape or not np.array_equal(drawn, box), letter


def test_different_names_look_different(lettering: Lettering) -> None:
    assert not np.array_equal(lettering.draw("张三"), lettering.draw("李四"))
    assert lettering.length_px("张三李四") == pytest.approx(4 * 24, abs=4)


def test_a_character_no_font_has_becomes_a_box(lettering: Lettering) -> None:
    drawn = lettering.draw("\U00012000\U00012001")
    assert drawn.max() == 255
    assert drawn.shape[1] == pytest.approx(2 * 24, abs=4)


def test_without_any_font_there_are_boxes(tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    (tmp_path / "faces.json").write_text("[[1]]")
    faces = find_faces([str(tmp_path / "broken.ttf"), str(tmp_path), str(tmp_path / "missing")])
    assert faces == [Face(tmp_path / "broken.ttf")]
    assert Lettering(faces, 20).draw("张三 A").max() == 255


@settings(max_examples=60)
@given(text=st.text(max_size=20))
def test_any_text_can_be_drawn(lettering: Lettering, text: str) -> None:
    drawn = lettering.draw(text)
    assert drawn.shape[0] == lettering.line_px
    assert drawn.shape[1] >= 1
