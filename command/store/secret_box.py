"""Keeping secrets that must be given out again: camera and device passwords, sealed with AES-256-GCM.

The key comes from the environment or from a file of its own beside the database; backups take neither.
"""

import hashlib
import hmac
import os
import stat
from pathlib import Path
from typing import Final

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from command.errors import YipingError

log = structlog.get_logger("secrets")

KEY_FILE: Final = "camera.key"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_VERSION: Final = b"\x01"


class Sealed(YipingError):
    """What was sealed cannot be opened: by another key, for another owner, or damaged."""

    code = "sealed"


class SecretBox:
    """Seals and opens passwords and the files in which they come.

    Args:
        key: 32 bytes; shown nowhere.
    """

    __slots__ = ("_cipher", "_mark")

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(hmac.digest(key, b"seal", "sha256"))
        self._mark = hmac.digest(key, b"fingerprint", "sha256")

    def seal(self, text: str, owner: str) -> bytes:
        """Return the text sealed for an owner: put beside another row, it does not open."""
        return self.seal_bytes(text.encode(), owner)

    def seal_bytes(self, content: bytes, owner: str) -> bytes:
        """Return a whole file's bytes sealed for an owner."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, content, owner.encode())

    def open(self, sealed: bytes, owner: str) -> str:
        """Return the text.

        Raises:
            Sealed: It was sealed with another key or for another owner, or is damaged.
        """
        return self.open_bytes(sealed, owner).decode()

    def open_bytes(self, sealed: bytes, owner: str) -> bytes:
        """Return what `seal_bytes` was given.

        Raises:
            Sealed: As `open`.
        """
        nonce, content = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if sealed[:1] != _VERSION or len(nonce) != _NONCE_BYTES:
            raise Sealed("a stored secret is damaged")
        try:
            return self._cipher.decrypt(nonce, content, owner.encode())
        except InvalidTag:
            raise Sealed("a stored secret does not open with this key") from None

    def fingerprint(self, content: bytes) -> str:
        """Return a digest of something with a secret in it, which tells nobody without the key what it was."""
        return hmac.new(self._mark, content, hashlib.sha256).hexdigest()


def load_box(setting: str | None, folder: Path) -> SecretBox:
    """Return the box of a data folder.

    Args:
        setting: The key as the administrator gave it, or None: then a file keeps one, made when first needed.
        folder: The data folder; it exists.

    Raises:
        OSError: The file cannot be read or written.
        ValueError: The file is not a key.
    """
    if setting is not None:
        salt = b"yiping camera credentials"
        return SecretBox(hashlib.scrypt(setting.encode(), salt=salt, n=1 << 14, r=8, p=1, dklen=_KEY_BYTES))
    path = folder / KEY_FILE
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return SecretBox(_read(path))
    key = os.urandom(_KEY_BYTES)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return SecretBox(key)


def _read(path: Path) -> bytes:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        log.warning(
            "the key of camera credentials was readable by others; it is not any more", path=str(path)
        )
        path.chmod(0o600)
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise ValueError(f"{path} is not a key: restore it, or remove it and enter the camera passwords anew")
    return key
