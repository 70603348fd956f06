"""Who a map program reads for.

QGIS and GDAL keep no cookies but can send a name and a password with every request, or a token. A password is
checked once, through the throttle and into the audit record as every sign-in is, and opens a session; the requests
that follow with the same name, password and address go on in that session until it ends. A reader's token may come
as Bearer or in the place of the password. It opens these pages and nothing else.
"""

import asyncio
import base64
import hashlib
import secrets
from collections import OrderedDict
from typing import Annotated, Final

from fastapi import Depends, Request

from command.accounts.access import Principal
from command.accounts.tokens import PREFIX
from command.api.security import SIGNED_IN, bearer_token, client_address, declares, session_of
from command.api.services import Services, services_of
from command.errors import Unauthenticated

_KEPT: Final = 256
"""Names and passwords whose sessions are remembered; the one unused longest goes first."""
_MOST: Final = 1_024
"""Characters of a header that could be a name and a password."""


class Passes:
    """The sessions that names and passwords opened.

    A password is not kept: what is remembered is a hash keyed by a secret of this process.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._tokens: OrderedDict[bytes, str] = OrderedDict()
        self._signing: dict[bytes, asyncio.Task[Principal]] = {}

    async def principal(self, s: Services, name: str, password: str, address: str) -> Principal:
        """Return who this is.

        Raises:
            Unauthenticated: Name or password is wrong.
            TooManyRequests: Too many wrong ones.
        """
        mark = hashlib.blake2b("\0".join((name, password, address)).encode(), key=self._key).digest()
        session = s.sessions.resolve(self._tokens.get(mark))
        if session is not None:
            self._tokens.move_to_end(mark)
            return session.principal
        # A map program asks many things at once; together they are one sign-in.
        task = self._signing.get(mark)
        if task is None:
            task = asyncio.create_task(self._sign_in(s, mark, name, password, address))
            self._signing[mark] = task
            task.add_done_callback(lambda _task: self._signing.pop(mark, None))
        return await asyncio.shield(task)

    async def _sign_in(self, s: Services, mark: bytes, name: str, password: str, address: str) -> Principal:
        token, session = await s.accounts.sign_in(name, password, address)
        self._tokens[mark] = token
        self._tokens.move_to_end(mark)
        while len(self._tokens) > _KEPT:
            self._tokens.popitem(last=False)
        return session.principal


@declares(SIGNED_IN)
async def reader(request: Request) -> Principal:
    """Let in a session's cookie, a reader's token, or a name and password.

    Raises:
        Unauthenticated: It is none of them.
        TooManyRequests: Too many wrong passwords.
    """
    s = services_of(request)
    session = session_of(request)
    if session is not None:
        found: Principal | None = session.principal
    else:
        found = await _by_header(request, s)
    if found is None:
        raise Unauthenticated("Sign in with a name and password, or send a reader's token.")
    request.state.user_id = found.user_id
    return found


async def _by_header(request: Request, s: Services) -> Principal | None:
    token = bearer_token(request)
    if token is not None:
        return _by_token(s, token)
    pair = _basic(request.headers.get("authorization", ""))
    if pair is None:
        return None
    name, password = pair
    if password.startswith(PREFIX):
        return _by_token(s, password)
    passes: Passes = request.app.state.passes
    return await passes.principal(s, name, password, client_address(request))


def _by_token(s: Services, token: str) -> Principal | None:
    grant = s.tokens.lookup(token)
    return s.tokens.principal(grant) if grant is not None and grant.kind == "reader" else None


def _basic(header: str) -> tuple[str, str] | None:
    """Return name and password of an ``Authorization: Basic`` header, None for anything else."""
    scheme, _, packed = header.partition(" ")
    if scheme.lower() != "basic" or len(packed) > _MOST:
        return None
    try:
        name, colon, password = base64.b64decode(packed.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (name, password) if colon and name and password else None


Reader = Annotated[Principal, Depends(reader)]
