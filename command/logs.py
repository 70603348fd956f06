"""Log lines: one JSON object each (or text for people), with the request's id, and never a secret.

Everything goes through `redact`, also what libraries say through the standard `logging`: passwords, tokens,
cookies, contacts, query strings of theirs and credentials in camera addresses are replaced before a line is
written. Lines of uvicorn lose whole query strings; its access log is off, because ours
(`command.api.security`) says the same without them.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any, Final, TextIO

import structlog

from command.setting_sections import LogSettings

request_id: Final[ContextVar[str]] = ContextVar("request_id", default="")
"""Id of the request being handled; "" outside one. Every line of the request carries it."""

REDACTED: Final = "[redacted]"

_NAMES: Final = (
    r"pass(?:word|wd|phrase)?|pwd|secret|token|api_?key|access_?key|camera_?key|contact_?key|authorization|"
    r"cookie|set_?cookie|credentials?|kiosk|(?:reporter_?)?contact|phone|ticket|session"
)
_SECRET_KEY: Final = re.compile(rf"^(?:.*[_.-])?(?:{_NAMES})$", re.IGNORECASE)
_HARMLESS_KEYS: Final = frozenset({"contact_purged", "cookie_name"})
_PATTERNS: Final = (
    (re.compile(r"(?i)\b(bearer|basic|digest)\s+[A-Za-z0-9+/=_.~-]{6,}"), rf"\1 {REDACTED}"),
    # rtsp://user:password@host → rtsp://[redacted]@host
    (re.compile(r"(?<=://)[^/\s@\"']+(?=@)"), REDACTED),
    # password=…, "token": "…", token%3D… in query strings, forms and printed mappings
    (
        re.compile(
            rf"(?i)(\b[\w-]*(?:{_NAMES})\b[\"']?\s*(?:=|:|%3d)\s*[\"']?)(?!\[redacted)[^\s&;,\"'}})\]]+"
        ),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"\byt_[A-Za-z0-9_-]{8,}"), REDACTED),
    (re.compile(r"\$argon2[a-z]*\$\S+"), REDACTED),
    # A mobile number is somebody's contact, wherever it turns up.
    (re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)"), r"\1****\2"),
)
_QUERY: Final = re.compile(r"\?[^\s\"']*")
_MAX_TEXT: Final = 20_000


def redact_text(text: str) -> str:
    """Return the text without what must not be in a log."""
    text = text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "…"
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog processor: redact every value, at any depth, by its name and by what it looks like."""
    for key, value in list(event.items()):
        event[key] = _clean(key, value)
    return event


def configure(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Send all logging of this process through one formatter.

    Args:
        settings: Level and format.
        stream: Where to; None: standard error.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _add_request_id,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
        if settings.format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # Tracebacks become text before redaction, because a message in one may hold a secret.
                structlog.processors.format_exc_info,
                _drop_queries,
                redact,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False
    access.disabled = True


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger; give facts as keywords: ``log.info("session opened", user_id=…)``."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def _clean(key: str, value: Any) -> Any:
    if (
        value is not None
        and not isinstance(value, bool)
        and _SECRET_KEY.match(key)
        and key not in _HARMLESS_KEYS
    ):
        return REDACTED
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes):
        return redact_text(value.decode("utf-8", "replace"))
    if isinstance(value, Mapping):
        return {str(name): _clean(str(name), one) for name, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_pair(one) for one in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return redact_text(str(value))


def _pair(value: Any) -> Any:
    # Headers come as (name, value) pairs.
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], (str, bytes)):
        name = value[0].decode("latin-1") if isinstance(value[0], bytes) else value[0]
        return [name, _clean(name, value[1])]
    return _clean("", value)


def _add_request_id(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    current = request_id.get()
    if current:
        event.setdefault("request_id", current)
    return event


def _drop_queries(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if str(event.get("logger", "")).startswith("uvicorn") and isinstance(event.get("event"), str):
        event["event"] = _QUERY.sub("", event["event"])
    return event
