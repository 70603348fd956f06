"""What is vendored is what the manifest says, byte for byte, with its licence beside it."""

import hashlib
import json
import re
from pathlib import Path

import pytest

VENDOR = Path(__file__).parents[2] / "static" / "vendor"
MANIFEST = json.loads((VENDOR / "manifest.json").read_text("utf-8"))


def test_every_folder_is_in_the_manifest() -> None:
    assert {path.name for path in VENDOR.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(
        MANIFEST
    )


@pytest.mark.parametrize("folder", sorted(MANIFEST))
def test_files_match_their_sums(folder: str) -> None:
    found = {
        path.relative_to(VENDOR / folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (VENDOR / folder).rglob("*")
        if path.is_file()
    }
    assert found == MANIFEST[folder]["files"]
    assert "LICENSE" in found
    assert MANIFEST[folder]["version"]


def test_the_typeface_list_names_files_that_exist() -> None:
    folder = VENDOR / "noto-sans-sc"
    named = set(re.findall(r"url\((files/[^)]+)\)", (folder / "faces.css").read_text("utf-8")))
    assert named == {path.relative_to(folder).as_posix() for path in (folder / "files").iterdir()}
    pieces = {name for name, _ in json.loads((folder / "faces.json").read_text("utf-8"))}
    assert {f"files/{piece}-{weight}.woff2" for piece in pieces for weight in (400, 600)} == named
