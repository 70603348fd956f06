from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import BadMedia
from streams.rtsp.messages import Headers, Request, Response, body_length, parse_head, write


def test_a_response() -> None:
    message = parse_head(
        b"RTSP/1.0 401 Unauthorized\r\nCSeq: 2\r\nWWW-Authenticate: Digest a\r\n  b\r\n"
        b"www-authenticate:Basic\r\nodd"
    )
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (401, "Unauthorized")
    assert message.headers.all("www-authenticate") == ["Digest a b", "Basic"]
    assert message.headers.number("cseq") == 2
    assert message.headers.get("session") is None


@pytest.mark.parametrize("first", [b"RTSP/1.0 200", b"RTSP/1.0  200  ", b"RTSP/2.0 200 OK"])
def test_responses_written_oddly(first: bytes) -> None:
    message = parse_head(first)
    assert isinstance(message, Response)
    assert message.status == 200


def test_a_request() -> None:
    message = parse_head(b"OPTIONS rtsp://x/ RTSP/1.0\nCSeq: 9")
    assert isinstance(message, Request)
    assert (message.method, message.headers.number("cseq")) == ("OPTIONS", 9)


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK", b"RTSP/1.0 OK", b"x", b"RTSP/1.0 2000 OK", b"get / RTSP/1.0"]
)
def test_something_else(head: bytes) -> None:
    with pytest.raises(BadMedia, match="not RTSP"):
        parse_head(head)


@pytest.mark.parametrize(("text", "length"), [("12", 12), ("", 0), ("-1", 0), ("x", 0), (" 7 ", 7)])
def test_lengths(text: str, length: int) -> None:
    assert body_length(Headers((("content-length", text),))) == length


def test_a_body_that_is_too_large() -> None:
    with pytest.raises(BadMedia, match="1048577 bytes"):
        body_length(Headers((("content-length", str((1 << 20) + 1)),)))


def test_writing() -> None:
    assert write("PLAY u RTSP/1.0", [("CSeq", "1"), ("Session", "x")]) == (
        b"PLAY u RTSP/1.0\r\nCSeq: 1\r\nSession: x\r\n\r\n"
    )


@given(st.binary(min_size=1, max_size=200))
def test_junk(data: bytes) -> None:
    try:
        parse_head(data)
    except BadMedia:
        return
