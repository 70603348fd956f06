"""The server's half of Digest and Basic authentication (RFC 2617), as cameras do it."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from typing import Final

_FIELD: Final = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
REALM: Final = "IP Camera"


def digest_fields(text: str) -> dict[str, str]:
    """Return the fields of a ``Digest`` header without its first word."""
    return {name.lower(): quoted or plain for name, quoted, plain in _FIELD.findall(text)}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class Challenge:
    """One account and the question put to those who claim it.

    Args:
        username: Of the account; None lets everybody in.
        password: Its password.
        basic: Offer Basic beside Digest.
    """

    def __init__(self, username: str | None, password: str | None, *, basic: bool = False) -> None:
        self._username = username
        self._password = password or ""
        self._basic = basic

    def nonce(self) -> str:
        """Return a fresh nonce, for one connection."""
        return secrets.token_hex(16)

    def headers(self, nonce: str) -> str:
        """Return the header lines of a refusal."""
        lines = f'WWW-Authenticate: Digest realm="{REALM}", nonce="{nonce}", algorithm="MD5"\r\n'
        if self._basic:
            lines += f'WWW-Authenticate: Basic realm="{REALM}"\r\n'
        return lines

    def accepts(self, header: str, method: str, nonce: str) -> bool:
        """Say whether an ``Authorization`` header is right."""
        if self._username is None:
            return True
        scheme, _, rest = header.partition(" ")
        if scheme.lower() == "basic" and self._basic:
            try:
                given = base64.b64decode(rest, validate=True)
            except binascii.Error:
                return False
            return hmac.compare_digest(given, f"{self._username}:{self._password}".encode())
        if scheme.lower() != "digest":
            return False
        fields = digest_fields(rest)
        first = _md5(f"{self._username}:{REALM}:{self._password}")
        second = _md5(f"{method}:{fields.get('uri', '')}")
        middle = nonce
        if "qop" in fields:
            middle += f":{fields.get('nc', '')}:{fields.get('cnonce', '')}:{fields['qop']}"
        right = _md5(f"{first}:{middle}:{second}")
        return (
            hmac.compare_digest(fields.get("response", "").encode(), right.encode())
            and fields.get("nonce") == nonce
            and fields.get("username") == self._username
        )
