import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.gb28181 import digest
from streams.gb28181.digest import Gatekeeper

REALM = "3402000000"
DEVICE = "34020000001320000001"
URI = "sip:34020000002000000001@3402000000"
HERE = "10.1.1.1"


class Clock:
    now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def gate(clock):
    return Gatekeeper(REALM, ("SHA-256", "MD5"), now=clock)


def proof(gate, password="secret", *, at=0, host=HERE, device=DEVICE, qop=False):
    challenge = digest.parameters(gate.challenges(device, host)[at][1])
    if qop:
        challenge["qop"] = "auth,auth-int"
    return digest.authorization(challenge, device, password, "REGISTER", URI)


def judge(gate, header, password="secret", host=HERE, device=DEVICE):
    return gate.judge(header, "REGISTER", device, password, host)


def test_a_known_digest():
    # RFC 2617 §3.5
    given = {
        "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        "uri": "/dir/index.html",
        "qop": "auth",
        "nc": "00000001",
        "cnonce": "0a4f113b",
    }
    answer = digest.response("MD5", "Mufasa", "testrealm@host.com", "Circle Of Life", "GET", given)
    assert answer == "6629fae49393a05397450978507c4ef1"


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("qop", [False, True])
def test_the_right_password(gate, at, qop):
    assert judge(gate, proof(gate, at=at, qop=qop)) == "good"


def test_the_wrong_password(gate):
    assert judge(gate, proof(gate, "wrong")) == "bad"
    assert judge(gate, proof(gate), password=None) == "bad"
    assert judge(gate, proof(gate, ""), password="") == "bad"


def test_a_proof_is_worth_nothing_elsewhere(gate):
    header = proof(gate)
    assert judge(gate, header, host="10.1.1.2") == "challenge"
    assert judge(gate, header, device="34020000001320000002") == "challenge"
    assert judge(Gatekeeper(REALM), header) == "challenge"


def test_an_old_nonce_is_stale_but_only_with_the_right_password(gate, clock):
    header, wrong = proof(gate), proof(gate, "wrong")
    clock.now += 301
    assert judge(gate, header) == "stale"
    assert judge(gate, wrong) == "bad"
    assert "stale=true" in gate.challenges(DEVICE, HERE, stale=True)[0][1]


def test_whoever_guesses_has_to_wait_and_nobody_else(gate, clock):
    for _ in range(5):
        assert judge(gate, proof(gate, "guess")) == "bad"
    assert judge(gate, proof(gate)) == "throttled"
    assert judge(gate, proof(gate, host="10.9.9.9"), host="10.9.9.9") == "good"
    clock.now += 61
    assert judge(gate, proof(gate)) == "good"


def test_what_is_remembered_of_guesses_is_bounded(gate):
    for number in range(5_000):
        host = f"10.{number >> 8}.{number & 255}.1"
        judge(gate, proof(gate, "guess", host=host), host=host)
    assert len(gate._bad) <= 4096


@given(st.text(max_size=300))
def test_any_header_is_judged(text):
    gate = Gatekeeper(REALM)
    for header in (text, f"Digest {text}", proof(gate) + text, f'Digest nonce="{text}", response="{text}"'):
        assert judge(gate, header, password="other") in ("challenge", "bad", "throttled")


def test_the_password_shows_nowhere(gate):
    assert "secret" not in proof(gate)
    assert "secret" not in repr(vars(gate))
