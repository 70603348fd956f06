"""A client that says to the farm exactly what a test wants it to say."""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass, field

from streams.synthetic.farm import Farm


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str = ""


@dataclass
class Client:
    """One RTSP connection; media that comes between answers is kept."""

    farm: Farm
    path: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    password: str | None = None
    media: list[tuple[int, bytes]] = field(default_factory=list)
    _challenge: dict[str, str] = field(default_factory=dict)
    _number: int = 0

    @classmethod
    async def connect(cls, farm: Farm, path: str, password: str | None = None) -> Client:
        reader, writer = await asyncio.open_connection(farm.host, farm.port)
        return cls(farm, path, reader, writer, password)

    @property
    def url(self) -> str:
        return f"rtsp://{self.farm.host}:{self.farm.port}/{self.path}"

    async def close(self) -> None:
        self.writer.close()

    async def ask(self, method: str, url: str = "", *, prove: bool = True, **headers: str) -> Answer:
        """Send a request; a challenge is answered once."""
        answer = await self._once(method, url or self.url, headers, prove=prove)
        if answer.status == 401 and prove:
            self._challenge = dict(re.findall(r'(\w+)="([^"]*)"', answer.headers["www-authenticate"]))
            answer = await self._once(method, url or self.url, headers, prove=True)
        return answer

    async def play(self, *, transport: str = "RTP/AVP/TCP;unicast;interleaved=0-1") -> Answer:
        described = await self.ask("DESCRIBE")
        assert described.status == 200
        setup = await self.ask("SETUP", f"{self.url}/trackID=0", Transport=transport)
        return setup if setup.status != 200 else await self.ask("PLAY")

    async def rtp(self) -> tuple[int, bytes]:
        """Return the next packet: channel and content."""
        if self.media:
            return self.media.pop(0)
        mark = await self.reader.readexactly(4)
        assert mark[0] == 0x24
        return mark[1], await self.reader.readexactly(int.from_bytes(mark[2:4], "big"))

    async def pictures(self, count: int) -> list[bytes]:
        """Return whole access units as their RTP payloads joined."""
        found: list[bytes] = []
        current = b""
        while len(found) < count:
            channel, packet = await self.rtp()
            if channel == 0:
                current += packet[12:]
                if packet[1] & 0x80:
                    found.append(current)
                    current = b""
        return found

    async def _once(self, method: str, url: str, headers: dict[str, str], *, prove: bool) -> Answer:
        self._number += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._number}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if prove and self._challenge:
            source = self.farm.source(self.path)
            secret = source.password if self.password is None else self.password
            realm, nonce = self._challenge["realm"], self._challenge["nonce"]
            response = md5(f"{md5(f'{source.username}:{realm}:{secret}')}:{nonce}:{md5(f'{method}:{url}')}")
            lines.append(
                f'Authorization: Digest username="{source.username}", realm="{realm}", nonce="{nonce}", '
                f'uri="{url}", response="{response}"'
            )
        self.writer.write("\r\n".join([*lines, "", ""]).encode())
        while True:
            mark = await self.reader.readexactly(4)
            if mark[0] != 0x24:
                break
            self.media.append((mark[1], await self.reader.readexactly(int.from_bytes(mark[2:4], "big"))))
        head = (mark + await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *rest = head.strip().split("\r\n")
        found = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        size = int(found.get("content-length", "0"))
        body = (await self.reader.readexactly(size)).decode() if size else ""
        return Answer(int(first.split()[1]), found, body)
