"""Records that a command leaves beside a running service."""

from __future__ import annotations

import os
import pwd
import threading
from pathlib import Path

import msgspec
import pytest

from command.accounts.assembly import AccountParts
from command.accounts.notes import Note, Notes, hand_over, user_name
from command.errors import Unavailable

NOTE = Note("cameras", "340604", "csv", "WGS-84", 3, None, None, "/home/x/摄像头.csv", "x")


async def test_what_is_left_is_entered_once_as_its_owners(parts: AccountParts, tmp_path: Path) -> None:
    notes = Notes(tmp_path, parts.audit)
    (tmp_path / "a.json").write_bytes(msgspec.json.encode(NOTE))
    await notes.round()
    await notes.round()
    assert names(tmp_path) == []
    [entry] = await parts.audit.recent()
    assert (entry.actor, entry.action, entry.object) == ("cli", "data.exported", "cameras:340604")
    assert entry.data["os_user"] == pwd.getpwuid(os.getuid()).pw_name
    assert (entry.data["login"], entry.data["file"]) == ("x", "/home/x/摄像头.csv")
    assert user_name(4_000_000_000) == "4000000000"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_anything_else_is_thrown_away(parts: AccountParts, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere"
    secret.write_bytes(msgspec.json.encode(NOTE))
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "link.json").symlink_to(secret)
    os.mkfifo(folder / "pipe.json")
    (folder / "half.json").write_bytes(msgspec.json.encode(NOTE)[:20])
    (folder / "more.json").write_bytes(
        msgspec.json.encode({**msgspec.to_builtins(NOTE), "action": "user.added"})
    )
    (folder / "long.json").write_bytes(b" " * 20_000 + msgspec.json.encode(NOTE))
    (folder / "being-written.part").write_bytes(b"{")
    await Notes(folder, parts.audit).round()
    assert names(folder) == ["being-written.part"]
    assert list(await parts.audit.recent()) == []
    assert names(tmp_path) == ["elsewhere", "notes"]


def test_handing_over_waits_until_it_was_taken(tmp_path: Path) -> None:
    def take() -> None:
        while not (left := list(tmp_path.glob("*.json"))):
            pass
        assert msgspec.json.decode(left[0].read_bytes(), type=Note) == NOTE
        left[0].unlink()

    reader = threading.Thread(target=take)
    reader.start()
    hand_over(tmp_path, NOTE, 30.0)
    reader.join()
    with pytest.raises(Unavailable):
        hand_over(tmp_path, NOTE, 0.0)
    assert list(tmp_path.iterdir()) == []
