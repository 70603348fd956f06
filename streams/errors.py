"""What can go wrong with a camera, told apart by what is done about it.

::

    StreamError
    ├── NotAllowed      the address or protocol is outside what the administrator allows: never tried again
    ├── Unauthorized    the device refused the credentials: not tried again until they change
    ├── Unsupported     this reader cannot speak it; another one may (`streams.libav`)
    │   └── UdpOnly     … because the device sends RTP by UDP alone
    ├── Busy            the device, or our own pool, has no room: tried again later
    ├── Unreachable     no connection, no answer, or the wrong one
    ├── Stalled         connected, but no picture for too long
    ├── Ended           the device closed the session
    ├── BadMedia        what came is not what it says it is
    └── NoSuchCamera    the id names no camera

A camera that is down is a state, not an exception: these travel from a reader to whoever supervises it, and
end there as the reason shown on the tile.
"""

from typing import ClassVar


class StreamError(Exception):
    """Anything that keeps a camera's picture away.

    Attributes:
        code: Stable word for programs and translations.
    """

    code: ClassVar[str] = "failed"


class NotAllowed(StreamError):
    """The address or protocol is outside what the administrator allows."""

    code = "not_allowed"


class Unauthorized(StreamError):
    """The device refused the credentials."""

    code = "unauthorized"


class Unsupported(StreamError):
    """This reader cannot speak what the device speaks."""

    code = "unsupported"


class UdpOnly(Unsupported):
    """The device sends RTP by UDP alone."""


class Busy(StreamError):
    """There is no free session, here or at the device."""

    code = "busy"


class Unreachable(StreamError):
    """No connection, no answer, or a refusal."""

    code = "unreachable"


class Stalled(StreamError):
    """Connected, but nothing has come for too long."""

    code = "stalled"


class Ended(StreamError):
    """The device closed the session."""

    code = "ended"


class BadMedia(StreamError):
    """What came is not what it says it is."""

    code = "bad_media"


class NoSuchCamera(StreamError):
    """The id names no camera."""

    code = "no_such_camera"


def by_code(code: str) -> type[StreamError]:
    """Return the kind of error a code stands for; `StreamError` itself for one that is unknown."""
    kinds = [StreamError]
    for kind in kinds:
        if kind.code == code:
            return kind
        kinds += kind.__subclasses__()
    return StreamError
