"""The session cookie: its name, and how it is set and taken back."""

from __future__ import annotations

from starlette.responses import Response

from command.setting_sections import SecuritySettings


def cookie_name(settings: SecuritySettings) -> str:
    """Return the cookie's name; over HTTPS with ``__Host-``, which binds it to this host and to TLS."""
    return "__Host-yiping_session" if settings.https else "yiping_session"


def set_cookie(response: Response, token: str, settings: SecuritySettings, max_age_s: float) -> None:
    """Give the browser its session token.

    Args:
        response: The answer to put it in.
        token: From `Sessions.open`.
        settings: Whether the service is reached over HTTPS.
        max_age_s: When the browser may forget it, in seconds; the server decides on its own when it ends.
    """
    response.set_cookie(
        cookie_name(settings),
        token,
        max_age=int(max_age_s),
        path="/",
        secure=settings.https,
        httponly=True,
        samesite="strict",
    )


def clear_cookie(response: Response, settings: SecuritySettings) -> None:
    """Take the session token back."""
    response.delete_cookie(
        cookie_name(settings), path="/", secure=settings.https, httponly=True, samesite="strict"
    )
