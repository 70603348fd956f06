from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command.store.secret_box import KEY_FILE, Sealed, SecretBox, load_box

CANARY = "canary-5d1f"
box = SecretBox(b"k" * 32)


@given(st.text(max_size=200), st.text(max_size=40))
def test_what_is_sealed_opens_for_its_owner_alone(text: str, owner: str) -> None:
    sealed = box.seal(text, owner)
    assert box.open(sealed, owner) == text
    assert sealed != box.seal(text, owner), "the same text never looks the same"
    with pytest.raises(Sealed):
        box.open(sealed, owner + "x")
    with pytest.raises(Sealed):
        SecretBox(b"l" * 32).open(sealed, owner)


@given(st.binary(max_size=60))
def test_rubbish_does_not_open(sealed: bytes) -> None:
    with pytest.raises(Sealed):
        box.open(sealed, "camera:c1")


@given(st.integers(0, 7), st.integers(0, 39))
def test_a_flipped_bit_is_noticed(bit: int, place: int) -> None:
    sealed = bytearray(box.seal(CANARY, "camera:c1"))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(Sealed):
        box.open(bytes(sealed), "camera:c1")


def test_nothing_shows_what_is_inside() -> None:
    assert CANARY.encode() not in box.seal(CANARY, "x")
    assert "kkkk" not in repr(box)
    assert not hasattr(box, "__dict__")


def test_a_fingerprint_needs_the_key() -> None:
    assert box.fingerprint(b"a") == box.fingerprint(b"a") != box.fingerprint(b"b")
    assert SecretBox(b"l" * 32).fingerprint(b"a") != box.fingerprint(b"a")


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    sealed = load_box(None, tmp_path).seal(CANARY, "x")
    path = tmp_path / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_box(None, tmp_path).open(sealed, "x") == CANARY
    path.chmod(0o644)
    assert load_box(None, tmp_path).open(sealed, "x") == CANARY
    assert stat.S_IMODE(path.stat().st_mode) == 0o600, "a key that others could read is closed to them"


@pytest.mark.parametrize("content", [b"", b"00", b"zz" * 32, b"\xff" * 64, b"0" * 65])
def test_a_file_that_is_no_key_stops_the_start(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(ValueError, match=r"camera\.key"):
        load_box(None, tmp_path)


def test_a_key_from_the_settings_needs_no_file(tmp_path: Path) -> None:
    sealed = load_box("a passphrase of the centre", tmp_path).seal(CANARY, "x")
    assert not (tmp_path / KEY_FILE).exists()
    assert load_box("a passphrase of the centre", tmp_path / "elsewhere").open(sealed, "x") == CANARY
    with pytest.raises(Sealed):
        load_box("another passphrase", tmp_path).open(sealed, "x")
