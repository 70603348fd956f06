"""A peer that vanished without a word: its cable is cut, and neither end is told."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import struct
import time
from pathlib import Path

import httpx2
import pytest

from tests.faults.serving import Served, serving

NOTICED_S = 20.0
"""Two ping intervals and the grace of a close, with room for a busy machine."""


def masked(text: str) -> bytes:
    """Return a client's text frame."""
    payload = text.encode()
    key = os.urandom(4)
    body = bytes(byte ^ key[n % 4] for n, byte in enumerate(payload))
    return b"\x81" + struct.pack("!BH", 0x80 | 126, len(payload)) + key + body


def silent_feed(served: Served, cookie: str) -> socket.socket:
    """Open a feed by hand; afterwards nobody reads it or answers its pings, as behind a cut cable."""
    peer = socket.create_connection(("127.0.0.1", served.port), timeout=10)
    key = base64.b64encode(os.urandom(16)).decode()
    peer.sendall(
        (
            f"GET /api/v1/feed HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"Cookie: {cookie}\r\n\r\n"
        ).encode()
    )
    assert b"101" in peer.recv(4_096).split(b"\r\n")[0]
    peer.sendall(masked(json.dumps({"type": "hello", "protocol": 1, "topics": ["incidents"]})))
    assert peer.recv(4_096)
    return peer


def feed_clients(client: httpx2.Client) -> int:
    found = re.search(r"^yiping_feed_clients (\S+)", client.get("/metrics").text, re.M)
    assert found is not None
    return int(float(found[1]))


@pytest.mark.slow
def test_a_vanished_browser_is_noticed_and_its_socket_freed(data_folder: Path) -> None:
    with serving(data_folder) as served, served.signed_in("dispatcher") as client:
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        peer = silent_feed(served, cookie)
        try:
            assert feed_clients(client) == 1
            begun = time.monotonic()
            while feed_clients(client) and time.monotonic() - begun < NOTICED_S:
                time.sleep(0.25)
            assert feed_clients(client) == 0, "the feed of a silent peer is still held"
        finally:
            peer.close()
