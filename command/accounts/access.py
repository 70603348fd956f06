"""The one answer to "may they?": role × area × object, for rows, feed, search and media alike.

Roles and their scopes come from ``config/roles.toml``. A permission has one of two scopes: ``all`` within
the account's area, or ``own``: what concerns the person (`command.accounts.visibility` says what that is).
What is not granted is refused, an unknown kind of thing is invisible, and what may not be seen is answered as
absent.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from command.accounts.visibility import (
    Lookup,
    Viewer,
    concerns,
    in_area,
    is_own_message,
    may_unmask,
    shows,
    significant,
)
from command.errors import Forbidden, NotFound
from command.events import Actor

Scope = Literal["all", "own"]

PERMISSIONS: Final[Mapping[str, str]] = {
    "view.map": "see the map and the incidents on it",
    "incident.report": "report an incident",
    "incident.accept": "claim, acknowledge, accept, classify, reject and merge incidents",
    "incident.dispatch": "dispatch, reassign and recall responders",
    "incident.handle": "sign, decline, report progress and finish assignments",
    "incident.self_close": "report something as already dealt with on the spot",
    "incident.close": "check and close incidents, record evaluations and revisits, archive",
    "incident.supervise": "suspend, resume, cancel and reopen incidents, and put handling under supervision",
    "incident.escalate": "raise an incident to the tier above",
    "incident.note": "add a remark or a photo",
    "contact.unmask": "read a reporter's real contact, giving a purpose that is recorded",
    "responders.view": "see who the responders are and whether they are on duty",
    "positions.view": "see where on-duty responders are",
    "responders.shift": "start and end shifts",
    "responders.manage": "enter and change responders",
    "roads.close": "close roads and open them again",
    "message.send": "write and read messages, log calls",
    "camera.view": "watch cameras",
    "camera.control": "move cameras",
    "camera.manage": "enter and change cameras, their sources and devices",
    "video.manage": "keep tours and layouts, answer the alarms of cameras",
    "clip.create": "keep pictures of a camera as evidence",
    "clip.view": "play recordings and kept pictures",
    "clip.export": "take kept pictures out, giving a purpose that is recorded",
    "layers.export": "take whole layers out as files: of what the account sees, each recorded",
    "kpi.view": "see figures and rankings",
    "audit.view": "read and verify the audit record",
    "users.manage": "add, disable and reset accounts",
    "areas.manage": "import and change areas, beats and roads",
    "tokens.manage": "issue and revoke device, integration and kiosk tokens",
    "settings.manage": "change rules and time limits",
    "position.report": "report positions",
}
"""Every permission and what it allows; anything else stops the start."""

_ALL_OR_NOTHING: Final = frozenset({"layers.export"})
"""Held or not: how far it reaches is what the permissions to view say of each thing."""

COMMANDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("claim", "unclaim", "acknowledge", "accept", "classify", "reject", "merge", "dismiss_suspect"),
        "incident.accept",
    ),
    **dict.fromkeys(("dispatch", "recall", "reassign"), "incident.dispatch"),
    **dict.fromkeys(
        ("deliver", "sign", "decline", "en_route", "on_scene", "not_on_scene", "finish"), "incident.handle"
    ),
    **dict.fromkeys(
        ("check_pass", "check_fail", "close", "evaluate", "revisit", "archive"), "incident.close"
    ),
    **dict.fromkeys(("suspend", "resume", "cancel", "reopen", "supervise"), "incident.supervise"),
    "self_close": "incident.self_close",
    "escalate": "incident.escalate",
    "note": "incident.note",
}
"""The permission each incident or assignment command needs."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role: its id, its name for people, and the scope of each permission it has."""

    id: str
    name: str
    scopes: Mapping[str, Scope]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: an account, a wall or an integration.

    Attributes:
        area: Division code whose subtree is theirs, or None for the whole district.
        responder_id: The responder this account is, for field staff.
        department: The department's name, for department accounts.
        permissions: Names of the permissions held with any scope.
    """

    user_id: str
    username: str
    name: str
    role: str
    area: str | None = None
    responder_id: str | None = None
    department: str | None = None
    permissions: frozenset[str] = frozenset()

    @property
    def actor(self) -> Actor:
        """The same one as the desk knows an actor."""
        return Actor(self.user_id, self.name, self.role, self.responder_id)


def load_roles(path: Path) -> Mapping[str, Role]:
    """Read the roles file.

    Returns:
        Role id → role, in the file's order.

    Raises:
        OSError: The file cannot be read.
        ValueError: It grants an unknown permission or scope; the text names file, role and permission.
    """
    with path.open("rb") as file:
        document = tomllib.load(file)
    if set(document) != {"roles"}:
        raise ValueError(f"{path}: expected only [roles.*], found {', '.join(sorted(document))}")
    roles: dict[str, Role] = {}
    for role_id, raw in document["roles"].items():
        if set(raw) != {"name", "permissions"}:
            raise ValueError(f"{path}: roles.{role_id}: expected name and permissions")
        for permission, scope in raw["permissions"].items():
            if permission not in PERMISSIONS:
                raise ValueError(f"{path}: roles.{role_id}: unknown permission {permission!r}")
            if scope not in get_args(Scope):
                raise ValueError(f"{path}: roles.{role_id}: {permission}: unknown scope {scope!r}")
            if permission in _ALL_OR_NOTHING and scope != "all":
                raise ValueError(f'{path}: roles.{role_id}: {permission}: only "all", or left out')
        roles[role_id] = Role(role_id, raw["name"], dict(raw["permissions"]))
    return roles


def granted_to_nobody(roles: Mapping[str, Role]) -> tuple[str, ...]:
    """Return the permissions that no role has: mostly those newer than a centre's own roles file."""
    held = {permission for role in roles.values() for permission in role.scopes}
    return tuple(permission for permission in PERMISSIONS if permission not in held)


class Access:
    """The rule itself.

    Args:
        roles: From `load_roles`.
        district_code: Code of the whole district: an account with this area or one above is unrestricted.
    """

    def __init__(self, roles: Mapping[str, Role], district_code: str | None = None) -> None:
        self.roles = roles
        self.district_code = district_code

    def take_code(self, district_code: str | None) -> None:
        """Take the code of the whole district, which an import may have changed."""
        self.district_code = district_code

    def principal(
        self,
        *,
        user_id: str,
        username: str,
        name: str,
        role: str,
        area: str | None = None,
        responder_id: str | None = None,
        department: str | None = None,
    ) -> Principal:
        """Return the principal with the role's permissions; a role that is gone from the file has none."""
        held = self.roles[role].scopes if role in self.roles else {}
        return Principal(user_id, username, name, role, area, responder_id, department, frozenset(held))

    def scope(self, principal: Principal, permission: str) -> Scope | None:
        """Return how far the permission reaches, or None.

        Raises:
            KeyError: There is no such permission: a slip in the code, not in the request.
        """
        if permission not in PERMISSIONS:
            raise KeyError(permission)
        role = self.roles.get(principal.role)
        return role.scopes.get(permission) if role is not None else None

    def allows(self, principal: Principal, permission: str) -> bool:
        """Say whether the permission is held at all; which things it covers is `may`'s answer."""
        return self.scope(principal, permission) is not None

    def sees(self, principal: Principal, kind: str, entity: object, lookup: Lookup) -> bool:
        """Say whether this thing exists for the principal.

        Args:
            principal: Who asks.
            kind: A kind of the board (`command.events.KINDS`).
            entity: The thing, as mapping or struct.
            lookup: Finds another entity of the board by (kind, id), None where it is not on the board.

        Returns:
            False also for a kind that is not known.
        """
        return shows(self.viewer(principal), kind, entity, lookup)

    def sees_position(self, principal: Principal, responder: object, lookup: Lookup) -> bool:
        """Say whether the principal may know where this responder is; never while off duty."""
        return shows(self.viewer(principal), "positions", responder, lookup)

    def may(self, principal: Principal, permission: str, kind: str, entity: object, lookup: Lookup) -> bool:
        """Say whether the permission covers this thing: held, visible, and their own if it must be."""
        scope = self.scope(principal, permission)
        if scope is None or not self.sees(principal, kind, entity, lookup):
            return False
        if scope == "all":
            return True
        viewer = self.viewer(principal)
        if permission == "contact.unmask":
            return may_unmask(viewer, entity, lookup)
        if permission == "message.send" and kind == "messages":
            return is_own_message(viewer, entity)
        return concerns(viewer, kind, entity, lookup, strict=permission == "incident.dispatch")

    def demand(
        self, principal: Principal, permission: str, kind: str, entity: object | None, id: str, lookup: Lookup
    ) -> None:
        """Raise unless `may`.

        Raises:
            Forbidden: The role lacks the permission, or may see this thing but not do that to it.
            NotFound: The thing is absent (``entity`` None), or the principal may not see it.
        """
        if not self.allows(principal, permission):
            raise Forbidden()
        if entity is None or not self.sees(principal, kind, entity, lookup):
            raise NotFound(kind.removesuffix("s"), id)
        if not self.may(principal, permission, kind, entity, lookup):
            raise Forbidden("This one is not yours to act on.")

    def covers(self, principal: Principal, code: str | None) -> bool:
        """Say whether a division or grid code lies in their area; None lies only in an unrestricted one."""
        return in_area(self.viewer(principal), (code,))

    def viewer(self, principal: Principal) -> Viewer:
        """Return what the visibility rules need to know of the principal."""
        role = self.roles.get(principal.role)
        return Viewer(
            user_id=principal.user_id,
            area=self._effective_area(principal.area),
            responder_id=principal.responder_id,
            department=principal.department,
            scopes=role.scopes if role is not None else {},
        )

    def view_for(self, principal: Principal, lookup: Lookup, topics: Iterable[str] | None = None) -> ViewFor:
        """Return the principal's view of the board, for one feed connection.

        Args:
            principal: Whose view.
            lookup: Finds an entity of the board by (kind, id).
            topics: Those asked for; the ones not allowed are left out. None: all that are allowed.
        """
        viewer = self.viewer(principal)
        allowed = topics_of(viewer)
        return ViewFor(viewer, lookup, allowed if topics is None else allowed.intersection(topics))

    def _effective_area(self, area: str | None) -> str | None:
        if area is None or not area:
            return None
        root = significant(area)
        if self.district_code and significant(self.district_code).startswith(root):
            return None
        return root


class ViewFor:
    """What one principal may see on the feed; satisfies `command.feed.View`.

    Args:
        viewer: The rules' short form of the principal.
        lookup: Finds an entity of the board by (kind, id).
        topics: Asked for and allowed.

    Attributes:
        unrestricted: Everything of the topics is visible, so that nothing need be asked.
        share: Equal for all who see the same; None where the answer depends on more than the entity.
    """

    def __init__(self, viewer: Viewer, lookup: Lookup, topics: frozenset[str]) -> None:
        self._viewer = viewer
        self._lookup = lookup
        self.topics = topics
        needed = {_PERMISSION_OF_TOPIC[topic] for topic in topics}
        self.unrestricted = viewer.area is None and all(viewer.scopes.get(one) == "all" for one in needed)
        self.share = "everything" if self.unrestricted else None

    def sees(self, kind: str, id: str, entity: object) -> bool:
        """Say whether this entity exists for the principal; what it is depends on `entity` alone."""
        del id
        return shows(self._viewer, kind, entity, self._lookup)

    def sees_position(self, responder_id: str) -> bool:
        """Say whether the principal may know where this responder is now."""
        responder = self._lookup("responders", responder_id)
        return responder is not None and shows(self._viewer, "positions", responder, self._lookup)


_PERMISSION_OF_TOPIC: Final[Mapping[str, str]] = {
    "incidents": "view.map",
    "responders": "responders.view",
    "cameras": "camera.view",
    "messages": "message.send",
    "telemetry": "positions.view",
    "presence": "view.map",
}


def topics_of(viewer: Viewer) -> frozenset[str]:
    """Return the feed topics that a viewer may ask for; anything else is refused."""
    held = {topic for topic, permission in _PERMISSION_OF_TOPIC.items() if viewer.has(permission)}
    if viewer.scopes.get("view.map") != "all":
        held.discard("presence")
    return frozenset(held)
