"""Decisions that touch nothing but the incident; those that also concern units are in `command.assignments`."""

from typing import Final

import msgspec

from command.clock import parse_rfc3339, rfc3339
from command.errors import AlreadyAssigned, Malformed
from command.events import Context, Fact
from command.incidents.lifecycle import check_move
from command.incidents.model import Attachment, Incident, changed
from command.policy import Policy, Stages, check_moment, due_at


def decide_claim(incident: Incident, context: Context) -> list[Fact]:
    """Put the acting desk's name on the incident; claiming one's own again changes nothing.

    Raises:
        AlreadyAssigned: Another desk holds it; names that desk.
        IllegalTransition: It is closed or terminal.
    """
    check_move(incident, "claim", {})
    if incident.claimed_by == context.actor.id:
        return []
    if incident.claimed_by is not None:
        raise AlreadyAssigned(
            {"user_id": incident.claimed_by, "by_name": incident.claimed_name, "at": incident.claimed_at},
            f"{incident.claimed_name} has claimed this incident.",
        )
    new = changed(
        incident,
        context,
        claimed_by=context.actor.id,
        claimed_name=context.actor.name,
        claimed_at=context.at,
        acknowledged_at=incident.acknowledged_at or context.at,
        acknowledged_by=incident.acknowledged_by or context.actor.name,
    )
    return [Fact("incident.claimed", (("incidents", new.id, new),))]


def decide_classify(
    incident: Incident,
    command: str,
    policy: Policy,
    context: Context,
    *,
    category: str | None = None,
    level: str | None = None,
    title: str | None = None,
    address: str | None = None,
    lead_department: str | None = None,
) -> list[Fact]:
    """Accept an incident (``accept``) or correct its facts later (``classify``).

    Raises:
        Malformed: Unknown category or level, an empty or over-long text, or an accepted incident outside
            every grid without an address.
        IllegalTransition: As the lifecycle says.
    """
    move = check_move(incident, command, {})
    fields: dict[str, object] = {}
    if category is not None:
        fields["category"] = policy.check_category(category)
    if title is not None:
        if not title.strip() or len(title) > 80:
            raise Malformed("title", "a title has 1 to 80 characters")
        fields["title"] = title.strip()
    if address is not None:
        if len(address) > 200:
            raise Malformed("address", "at most 200 characters")
        fields["address"] = address.strip() or None
    if lead_department is not None:
        if len(lead_department) > 60:
            raise Malformed("lead_department", "at most 60 characters")
        fields["lead_department"] = lead_department.strip() or None
    if level is not None:
        known = policy.check_level(level)
        limits = policy.limits_for(known)
        start = parse_rfc3339(incident.reported_at)
        fields |= {"level": known, "limits_s": limits}
        fields["due"] = msgspec.structs.replace(
            incident.due, accept=due_at(start, limits.accept), handle=due_at(start, limits.handle)
        )
    if move.target is not None:
        if incident.grid is None and not fields.get("address", incident.address):
            raise Malformed("address", "outside every grid, an address says where it is")
        fields |= {"state": move.target, "accepted_at": context.at}
    new = changed(incident, context, **fields)
    return [Fact(move.event, (("incidents", new.id, new),), {"fields": sorted(fields)})]


_STAMPS: Final[dict[str, str]] = {"closed": "closed_at", "handled": "handled_at"}


def decide_move(
    incident: Incident, command: str, context: Context, texts: dict[str, str] | None = None
) -> list[Fact]:
    """Decide any command that only moves the incident itself, as `LIFECYCLE` says.

    ``texts`` are the words the command brings (reason, note, disposition, …); they go into the timeline, and
    onto the incident where it has such a field.

    Raises:
        IllegalTransition: As the lifecycle says.
        Malformed: A needed text is blank or too long, or a number is out of range.
    """
    texts = {name: text.strip() for name, text in (texts or {}).items()}
    move = check_move(incident, command, texts)
    for name, text in texts.items():
        if len(text) > 2_000:
            raise Malformed(name, "at most 2,000 characters")
    fields: dict[str, object] = {}
    if move.target is not None:
        fields["state"] = move.target
        stamp = _STAMPS.get(move.target)
        if stamp is not None:
            fields[stamp] = context.at
    match command:
        case "unclaim":
            fields |= {"claimed_by": None, "claimed_name": None, "claimed_at": None}
        case "acknowledge":
            if incident.acknowledged_at is not None:
                return []
            fields |= {"acknowledged_at": context.at, "acknowledged_by": context.actor.name}
        case "dismiss_suspect":
            fields["suspects"] = tuple(s for s in incident.suspects if s != texts.get("incident_id"))
        case "reject" | "cancel":
            fields["reason"] = texts["reason"]
        case "self_close":
            if incident.level not in ("IV", "none"):
                raise Malformed("level", "only level IV or none may be dealt with on the spot")
            if not incident.attachments:
                raise Malformed("file", "what was dealt with on the spot needs a photo")
            fields |= {"self_handled": True, "disposition": texts["note"]}
        case "suspend":
            until = check_moment(texts["until"], "until")
            fields |= {"suspended_at": context.at, "suspended_until": until, "reason": texts["reason"]}
        case "resume":
            fields |= {"suspended_at": None, "suspended_until": None, "due": _paused(incident, context)}
        case "check_pass" | "close":
            fields["disposition"] = texts.get("disposition") or incident.disposition
            fields["attention"] = None
        case "check_fail":
            fields |= {"rework": incident.rework + 1, "handled_at": None}
        case "reopen":
            fields |= {"closed_at": None, "handled_at": None, "reason": texts["reason"]}
        case "evaluate":
            score = texts.get("score", "")
            if score not in ("1", "2", "3", "4", "5"):
                raise Malformed("score", "a score is a whole number from 1 to 5")
            fields["score"] = int(score)
        case "escalate":
            tier = incident.escalation_tier if incident.escalation_tier is not None else 4
            fields["escalation_tier"] = max(1, tier - 1)
        case "supervise":
            grade = texts.get("grade") or "normal"
            if grade not in ("normal", "yellow", "red"):
                raise Malformed("grade", "a supervision is normal, yellow or red")
            if incident.supervision == "red" and grade != "red":
                raise Malformed("grade", "a red supervision does not return to a lower one")
            fields["supervision"] = grade
        case _:
            pass
    new = changed(incident, context, **fields)
    return [Fact(move.event, (("incidents", new.id, new),), dict(texts))]


def decide_attach(incident: Incident, attachment: Attachment, context: Context) -> list[Fact]:
    """Add a photo that has been stored.

    Raises:
        IllegalTransition: The incident is over.
        Malformed: It has 20 photos already.
    """
    move = check_move(incident, "attach", {})
    if len(incident.attachments) >= 20:
        raise Malformed("file", "an incident holds at most 20 photos")
    new = changed(incident, context, attachments=(*incident.attachments, attachment))
    return [Fact(move.event, (("incidents", new.id, new),), {"attachment_id": attachment.id})]


def decide_keep_clip(incident: Incident, facts: dict[str, object], context: Context) -> list[Fact]:
    """Note that pictures of a camera were kept as evidence, also when the incident is over meanwhile.

    Args:
        incident: Which.
        facts: ``clip_id``, ``camera_id``, ``camera_name``, ``start`` and ``end`` (RFC 3339).
        context: Who and when.
    """
    new = changed(incident, context)
    return [Fact("incident.clip_kept", (("incidents", new.id, new),), dict(facts))]


def _paused(incident: Incident, context: Context) -> Stages:
    """Return the due times after a suspension: its length does not count."""
    due = incident.due.handle
    if due is None or incident.suspended_at is None:
        return incident.due
    rest = parse_rfc3339(due) - parse_rfc3339(incident.suspended_at)
    return msgspec.structs.replace(incident.due, handle=rfc3339(context.now + rest))
