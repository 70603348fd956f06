"""Where a camera's media comes from, as the centre keeps it: apart from the log and the feed.

The password is write-only. It is sealed before it is handed to anybody who writes, and it belongs to one target: a
source that points elsewhere than before does not inherit it, or whoever may edit cameras could have the stored
password sent to a machine of their own.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Final, get_args

import msgspec

from command.cameras.model import checked_text
from command.errors import Malformed
from streams.errors import NotAllowed, StreamError
from streams.source import Admission, Protocol, Source

NETWORKED: Final = frozenset({"rtsp", "rtsps", "rtmp", "http-flv", "hls"})
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9])?")
_NUMBER: Final = re.compile(r"[0-9]{20}")
_PASSWORD_IN_PATH: Final = re.compile(r"(?i)(?:passw(?:or)?d|pwd)=[^&\s]")
MOST_PATH: Final = 500
MOST_PASSWORD: Final = 128


@dataclass(frozen=True, slots=True)
class PutSource:
    """What a commit keeps of a source.

    Attributes:
        source: Without its password.
        secret: The sealed password; None: there is none, or with `keep` none was given.
        keep: None was given: the one kept before holds on, if the source points where it did.
    """

    camera_id: str
    source: Source
    secret: bytes | None = field(repr=False)
    keep: bool
    at: str


@dataclass(frozen=True, slots=True)
class DropSource:
    """A commit forgets a camera's source, password and all."""

    camera_id: str


def target_of(source: Source) -> tuple[object, ...]:
    """Return what a password is given for: where it would be sent, and as whose."""
    return (
        source.protocol,
        source.host.lower(),
        source.effective_port,
        source.username,
        source.control_port,
    )


def secret_after(put: PutSource, old: Source | None, old_secret: bytes | None) -> bytes | None:
    """Return the sealed password to keep, given the source kept before."""
    if not put.keep:
        return put.secret
    if old is None or target_of(old) != target_of(put.source):
        return None
    return old_secret


def bare(source: Source) -> Source:
    """Return the source without its password."""
    return msgspec.structs.replace(source, password=None)


def checked(source: Source) -> Source:
    """Return the source in the form in which it is kept, if it makes sense in itself.

    Raises:
        Malformed: A part is missing, superfluous, too long, or holds characters that it must not.
    """
    if source.protocol not in get_args(Protocol):
        raise Malformed("source.protocol", "not a protocol this service knows")
    if source.protocol == "gb28181":
        return _gb(source)
    if source.protocol == "file":
        return _file(source)
    host = source.host.strip().strip("[]")
    if not host:
        raise Malformed("source.host", "a name or an address is needed")
    if not _is_address(host) and _NAME.fullmatch(host) is None:
        raise Malformed("source.host", "a host is letters, digits, dots and dashes, or an address; no port")
    for name, port in (("port", source.port), ("control_port", source.control_port)):
        if not 0 <= port <= 65_535:
            raise Malformed(f"source.{name}", "0 to 65535")
    if source.device_id is not None or source.channel_id is not None:
        raise Malformed("source.device_id", "only gb28181 has devices and channels")
    path = _line("source.path", source.path.lstrip("/"), MOST_PATH)
    if " " in path:
        raise Malformed("source.path", "a path has no spaces")
    if _PASSWORD_IN_PATH.search(path):
        raise Malformed("source.path", "a password stands in its own field, not in the path: paths are shown")
    return msgspec.structs.replace(
        source,
        host=host,
        path=path,
        username=_line("source.username", source.username or "", 64) or None,
        password=_password(source.password),
        control_profile=_line("source.control_profile", source.control_profile or "", 100) or None,
    )


async def admit(source: Source, admission: Admission) -> None:
    """Refuse a source that the administrator does not allow; its name is looked up.

    Raises:
        Malformed: Names the field, and the host.
    """
    try:
        admission.check_protocol(source.protocol)
    except NotAllowed as error:
        raise Malformed("source.protocol", f"{error}; see cameras.allowed_protocols") from None
    if source.protocol == "file":
        try:
            admission.check_file(source.path)
        except NotAllowed as error:
            raise Malformed("source.path", str(error)) from None
    elif source.protocol in NETWORKED:
        try:
            await admission.resolve(source.host)
        except NotAllowed as error:
            where = "" if source.host in str(error) else f"{source.host}: "
            raise Malformed("source.host", f"{where}{error}; see cameras.allowed_networks") from None
        except StreamError as error:
            raise Malformed("source.host", str(error)) from None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def _gb(source: Source) -> Source:
    if source.username or source.password:
        raise Malformed("source.password", "a gb28181 device's password is kept with the device")
    for name, number in (("device_id", source.device_id), ("channel_id", source.channel_id)):
        if number is None or _NUMBER.fullmatch(number) is None:
            raise Malformed(f"source.{name}", "20 digits")
    # Nothing else says where it is: the device comes to us.
    return Source(
        protocol="gb28181",
        device_id=source.device_id,
        channel_id=source.channel_id,
        transport=source.transport,
    )


def _file(source: Source) -> Source:
    if source.host or source.username or source.password:
        raise Malformed("source.host", "a file has neither host nor credentials")
    path = _line("source.path", source.path, MOST_PATH)
    if not path:
        raise Malformed("source.path", "a file's name is needed")
    return Source(protocol="file", path=path)


def _password(password: str | None) -> str | None:
    if not password:
        return password  # None: not said; empty: there is none
    if len(password) > MOST_PASSWORD:
        raise Malformed("source.password", f"at most {MOST_PASSWORD} characters")
    if any(ord(character) < 32 or ord(character) == 127 for character in password):
        raise Malformed("source.password", "control characters are not allowed in it")
    return password


def _line(name: str, text: str, most: int) -> str:
    return checked_text(name, text, most, least=0)
