"""What each feed connection may see: the access rules in the form that the feed asks for."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from starlette.websockets import WebSocket

from command.accounts.access import Principal, ViewFor
from command.api.feed import Viewer
from command.api.security import session_of
from command.api.services import Services
from command.board import Board

WHOLE: Final = ("view.map", "responders.view", "camera.view", "message.send", "positions.view")


class FeedView:
    """One principal's view with the topics asked for.

    Args:
        rules: What the principal may see.
        asked: Topics asked for; those not allowed are left out.
        unrestricted: Nothing within the topics is hidden from this principal.
    """

    def __init__(self, rules: ViewFor, asked: frozenset[str], *, unrestricted: bool) -> None:
        self.topics = asked & rules.topics
        self.unrestricted = unrestricted
        self.share = "all" if unrestricted else None
        self._rules = rules

    def sees(self, kind: str, id: str, entity: object) -> bool:
        """Say whether this entity exists for the principal."""
        return self._rules.sees(kind, id, entity)


def viewer_of(websocket: WebSocket) -> Viewer | None:
    """Return who a handshake's session belongs to and what they may see, or None."""
    session = session_of(websocket)
    if session is None:
        return None
    services: Services = websocket.app.state.services
    me = session.principal
    whole = sees_everything(services, me)

    def view(asked: frozenset[str]) -> FeedView:
        return FeedView(services.access.view_for(me, services.lookup), asked, unrestricted=whole)

    positions_whole = whole or (
        services.access.scope(me, "positions.view") == "all" and services.access.viewer(me).area is None
    )
    return Viewer(
        session_id=session.id,
        user_id=me.user_id,
        name=me.name,
        role=me.role,
        responder_id=me.responder_id,
        view=view,
        units=None if positions_whole else _units(services, me),
    )


def sees_everything(services: Services, me: Principal) -> bool:
    """Say whether nothing on the principal's topics is hidden: whole district, every held scope "all"."""
    if services.access.viewer(me).area is not None:
        return False
    return all(services.access.scope(me, permission) in ("all", None) for permission in WHOLE)


def _units(services: Services, me: Principal) -> Callable[[NDArray[np.uint32]], NDArray[np.bool_]]:
    board: Board = services.board

    def allowed(units: NDArray[np.uint32]) -> NDArray[Any]:
        mine = {
            person.unit
            for person in board.responders.values()
            if services.access.sees_position(me, person, services.lookup)
        }
        return np.isin(units, np.fromiter(mine, np.uint32, len(mine)))

    return allowed
