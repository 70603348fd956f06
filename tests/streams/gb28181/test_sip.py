import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.gb28181 import sip
from streams.gb28181.sip import Framer, MalformedSip, Request, Response

REGISTER = (
    b"REGISTER sip:34020000002000000001@3402000000 SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 10.0.0.9:5060;rport;branch=z9hG4bKone, SIP/2.0/UDP 10.0.0.8;branch=z9hG4bKtwo\r\n"
    b"Via: SIP/2.0/UDP 10.0.0.7;branch=z9hG4bKthree\r\n"
    b"f: <sip:34020000001320000001@3402000000>;tag=abc\r\n"
    b"T:\t<sip:34020000001320000001@3402000000>\r\n"
    b"i: 77\r\n"
    b"CSeq: 20 REGISTER\r\n"
    b"Subject: one\r\n two\r\n\tthree\r\n"
    b"l: 3\r\n\r\nabcdef"
)

tokens = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12).filter(
    lambda name: name not in ("content-length", *sip._COMPACT)
)
values = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp", "Cs")), max_size=60).map(
    str.strip
)
needed = st.fixed_dictionaries(
    {
        "via": st.just("SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKx"),
        "from": st.just("<sip:34020000001320000001@3402000000>;tag=abc"),
        "to": st.just("<sip:34020000002000000001@3402000000>"),
        "call-id": st.text("abcdef0123456789", min_size=1, max_size=20),
        "cseq": st.integers(0, 2**31 - 1).map(lambda number: f"{number} MESSAGE"),
    }
)


def test_what_a_device_writes_is_understood():
    message = sip.parse(REGISTER)
    assert isinstance(message, Request)
    assert (message.method, message.uri) == ("REGISTER", "sip:34020000002000000001@3402000000")
    assert len(message.all("via")) == 2
    assert message.branch == "z9hG4bKone"
    assert message.from_user == message.to_user == "34020000001320000001"
    assert (message.from_tag, message.to_tag) == ("abc", "")
    assert message.cseq == (20, "REGISTER")
    assert message.get("subject") == "one two three"
    assert message.body == b"abc"


@given(needed, st.lists(st.tuples(tokens, values), max_size=8), st.binary(max_size=200))
def test_round_trip(head, extra, body):
    headers = [*head.items(), *extra]
    request = Request(headers, body, "MESSAGE", "sip:a@b")
    response = Response(headers, body, 200, "OK")
    for message in (request, response):
        read = sip.parse(sip.build(message))
        assert type(read) is type(message)
        assert [pair for pair in read.headers if pair[0] != "content-length"] == headers
        assert read.body == body


@given(st.binary(max_size=400))
def test_any_bytes_are_a_message_or_malformed(data):
    for attempt in (data, REGISTER[: len(data)] + data, REGISTER + data):
        try:
            message = sip.parse(attempt)
        except MalformedSip:
            continue
        sip.build(message)
        if isinstance(message, Request):
            sip.stamp_source(message, "10.0.0.1", 1)
            sip.parse(sip.build(sip.answer(message, 400)))


@pytest.mark.parametrize(
    "spoilt",
    [
        REGISTER.replace(b"i: 77\r\n", b""),
        REGISTER.replace(b"CSeq: 20 REGISTER", b"CSeq: twenty"),
        REGISTER.replace(b"l: 3", b"l: 30000"),
        REGISTER.replace(b"l: 3", b"l: -1"),
        REGISTER.replace(b"SIP/2.0\r\nv", b"HTTP/1.1\r\nv"),
        REGISTER.replace(b"i: 77", b"i: 77\r\n" + b"a: b\r\n" * 200),
        REGISTER.replace(b"i: 77", b"i: 77\r\nno header"),
        b"REGISTER sip:a SIP/2.0\r\n" + b"x" * 20_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_message_is_refused(spoilt):
    with pytest.raises(MalformedSip):
        sip.parse(spoilt)


def test_unix_line_ends_are_understood():
    assert sip.parse(REGISTER.replace(b"\r\n", b"\n")).get("subject") == "one two three"


def test_no_header_can_smuggle_another():
    with pytest.raises(ValueError, match="line break"):
        sip.build(Request([("subject", "a\r\nExpires: 0")], b"", "MESSAGE", "sip:a@b"))


def test_an_answer_goes_back_the_way_it_came():
    request = sip.parse(REGISTER)
    assert isinstance(request, Request)
    sip.stamp_source(request, "203.0.113.5", 40_000)
    answer = sip.answer(request, 200, to_tag="xyz")
    assert answer.all("via") == request.all("via")
    assert answer.get("via").startswith(
        "SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKone;rport=40000;received=203.0.113.5,"
    )
    assert (answer.get("from"), answer.to_tag, answer.call_id) == (request.get("from"), "xyz", "77")
    assert sip.answer(request, 100).to_tag == ""


class TestFramer:
    whole = REGISTER[:-3]

    @given(st.data())
    def test_the_same_however_it_is_cut(self, data):
        stream = b"\r\n\r\n" + self.whole + b"\r\n\r\n" + self.whole * 2
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
        framer = Framer()
        found = []
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            found += framer.feed(stream[start:end])
        assert [message for message in found if message] == [self.whole] * 3
        assert found.count(b"") == 2

    @pytest.mark.parametrize(
        "stream",
        [b"x" * 20_000, REGISTER.replace(b"l: 3\r\n", b""), REGISTER.replace(b"l: 3", b"l: 99999999")],
    )
    def test_a_stream_that_cannot_be_followed(self, stream):
        with pytest.raises(MalformedSip):
            Framer().feed(stream)

    @given(st.lists(st.binary(max_size=60), max_size=20))
    def test_any_stream_is_followed_or_malformed(self, pieces):
        framer = Framer()
        try:
            for piece in pieces:
                framer.feed(piece)
        except MalformedSip:
            pass
