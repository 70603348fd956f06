from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable

import pytest

from streams.errors import Unauthorized
from streams.rtsp.auth import Credentials, parse_challenges


def fields(text: str) -> dict[str, str]:
    return {name: a or b for name, a, b in re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^,\s]+))', text)}


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def answer(challenge: str, username: str = "admin", password: str = "secret") -> dict[str, str]:
    credentials = Credentials(username, password)
    credentials.challenge([challenge], answered=False)
    text = credentials.authorization("DESCRIBE", "rtsp://cam/1")
    assert text is not None
    assert text.startswith("Digest ")
    return fields(text)


def test_the_old_way_without_qop() -> None:
    got = answer('Digest realm="IP Camera(12345)", nonce="abc", stale="FALSE"')
    key, action = md5("admin:IP Camera(12345):secret"), md5("DESCRIBE:rtsp://cam/1")
    assert got["response"] == md5(f"{key}:abc:{action}")
    assert (got["username"], got["realm"], got["nonce"], got["uri"]) == (
        "admin",
        "IP Camera(12345)",
        "abc",
        "rtsp://cam/1",
    )
    assert "qop" not in got
    assert "algorithm" not in got


@pytest.mark.parametrize(
    ("name", "digest"), [("", md5), (", algorithm=MD5", md5), (", algorithm=SHA-256", sha256)]
)
def test_qop_auth(name: str, digest: Callable[[str], str]) -> None:
    got = answer(f'Digest realm="r", qop="auth,auth-int", nonce="n", opaque="o"{name}')
    key, action = digest("admin:r:secret"), digest("DESCRIBE:rtsp://cam/1")
    assert got["response"] == digest(f"{key}:n:{got['nc']}:{got['cnonce']}:auth:{action}")
    assert (got["nc"], got["opaque"]) == ("00000001", "o")


def test_a_key_bound_to_the_nonce() -> None:
    got = answer('Digest realm="r", qop="auth", nonce="n", algorithm=MD5-sess')
    key = md5(f"{md5('admin:r:secret')}:n:{got['cnonce']}")
    assert got["response"] == md5(f"{key}:n:{got['nc']}:{got['cnonce']}:auth:{md5('DESCRIBE:rtsp://cam/1')}")
    assert got["algorithm"] == "MD5-sess"


def test_counts_go_up_and_begin_anew_with_a_nonce() -> None:
    credentials = Credentials("a", "b")
    credentials.challenge(['Digest realm="r", nonce="n", qop="auth"'], answered=False)
    seen = [fields(credentials.authorization("PLAY", "u") or "")["nc"] for _ in range(3)]
    assert seen == ["00000001", "00000002", "00000003"]
    credentials.challenge(['Digest realm="r", nonce="m", qop="auth", stale=TRUE'], answered=True)
    assert fields(credentials.authorization("PLAY", "u") or "")["nc"] == "00000001"


def test_quotes_and_other_letters() -> None:
    got = answer('Digest realm="a \\"b\\"", nonce="n"', 'o"p', "密码")
    assert got["username"] == 'o\\"p'
    assert got["response"] == md5(
        f"{md5('o' + chr(34) + 'p:a ' + chr(34) + 'b' + chr(34) + ':密码')}:n:{md5('DESCRIBE:rtsp://cam/1')}"
    )


def test_basic() -> None:
    credentials = Credentials("admin", "pass:word")
    assert credentials.authorization("OPTIONS", "u") is None
    credentials.challenge(['Basic realm="cam"'], answered=False)
    text = credentials.authorization("OPTIONS", "u")
    assert text is not None
    assert base64.b64decode(text.removeprefix("Basic ")) == b"admin:pass:word"


def test_the_strongest_offer_is_taken() -> None:
    offers = parse_challenges(
        [
            'Basic realm="x"',
            'Digest realm="x", nonce="1", algorithm=MD5, Digest realm="x", nonce="2", algorithm="SHA-256"',
            'Digest realm="x", nonce="3", algorithm=SHA-512-256',
            'Digest realm="x", nonce="4", qop="auth-int"',
            'Digest realm="x"',
            "Negotiate abc",
        ]
    )
    assert [(offer.scheme, offer.nonce) for offer in offers] == [
        ("digest", "2"),
        ("digest", "1"),
        ("basic", ""),
    ]
    assert parse_challenges(['Digest realm="a, Basic b", nonce="n"'])[0].realm == "a, Basic b"


def test_when_it_is_worth_another_attempt() -> None:
    credentials = Credentials("a", "b")
    credentials.challenge(['Digest realm="r", nonce="1"'], answered=False)
    with pytest.raises(Unauthorized, match="refused"):
        credentials.challenge(['Digest realm="r", nonce="2"'], answered=True)
    credentials.challenge(['Digest realm="r", nonce="3", stale=true'], answered=True)
    credentials.accepted()
    # It was good before, so that only the nonce can have run out.
    credentials.challenge(['Digest realm="r", nonce="4"'], answered=True)
    with pytest.raises(Unauthorized):
        credentials.challenge(['Digest realm="r", nonce="4"'], answered=True)
    credentials.accepted()
    with pytest.raises(Unauthorized):
        credentials.challenge(['Digest realm="r", nonce="4", stale=true'], answered=True)


@pytest.mark.parametrize(
    ("username", "challenge", "why"),
    [
        (None, 'Digest realm="r", nonce="1"', "none is set"),
        ("a", "Negotiate", "not known"),
        ("a", 'Digest realm="r", nonce="1", algorithm=SHA-512-256', "not known"),
    ],
)
def test_what_cannot_be_answered(username: str | None, challenge: str, why: str) -> None:
    with pytest.raises(Unauthorized, match=why):
        Credentials(username, "x").challenge([challenge], answered=False)


def test_nothing_is_shown() -> None:
    assert "secret" not in repr(Credentials("admin", "secret"))
