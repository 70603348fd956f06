"""Messages between the centre and responders, with delivered and read receipts per recipient."""

from typing import TYPE_CHECKING

import msgspec

from command.errors import Forbidden, Malformed, NotFound
from command.events import Context, Fact

if TYPE_CHECKING:
    from command.board import Picture

BODY_LIMIT = 2_000
RECIPIENT_LIMIT = 2_000


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """When one recipient's phone got the message, and when it was opened."""

    delivered_at: str | None = None
    read_at: str | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message. ``to`` is empty where a responder wrote to the centre (``from_responder``)."""

    id: str
    to: tuple[str, ...]
    body: str
    from_user: str
    from_name: str
    sent_at: str
    incident_id: str | None = None
    from_responder: str | None = None
    receipts: dict[str, Receipt] = {}
    version: int = 1


def decide_send(
    picture: "Picture",
    message_id: str,
    to: tuple[str, ...],
    body: str,
    context: Context,
    *,
    incident_id: str | None = None,
) -> list[Fact]:
    """Send a message to responders, or (with ``to`` empty, from a responder) to the centre.

    Raises:
        Malformed: Empty or over-long body, or too many recipients.
        NotFound: A recipient or the incident does not exist.
    """
    body = body.strip()
    if not body or len(body) > BODY_LIMIT:
        raise Malformed("body", f"a message has 1 to {BODY_LIMIT} characters")
    if len(to) > RECIPIENT_LIMIT:
        raise Malformed("to", f"at most {RECIPIENT_LIMIT} recipients")
    if not to and context.actor.responder_id is None:
        raise Malformed("to", "name at least one responder")
    for responder_id in to:
        if responder_id not in picture.responders:
            raise NotFound("responder", responder_id)
    if incident_id is not None and incident_id not in picture.incidents:
        raise NotFound("incident", incident_id)
    unique = tuple(dict.fromkeys(to))
    message = Message(
        id=message_id,
        to=unique,
        body=body,
        from_user=context.actor.id,
        from_name=context.actor.name,
        from_responder=None if unique else context.actor.responder_id,
        sent_at=context.at,
        incident_id=incident_id,
        receipts={responder_id: Receipt() for responder_id in unique},
    )
    return [Fact("message.sent", (("messages", message_id, message),))]


def decide_receipt(picture: "Picture", message_id: str, context: Context, *, read: bool) -> list[Fact]:
    """Record that the acting responder's phone got the message, or that it was opened.

    Repeating changes nothing; reading implies delivery.

    Raises:
        NotFound: No such message.
        Forbidden: The actor is not a recipient.
    """
    message = picture.messages.get(message_id)
    if message is None:
        raise NotFound("message", message_id)
    me = context.actor.responder_id
    if me is None or me not in message.receipts:
        raise Forbidden("only a recipient can acknowledge a message")
    old = message.receipts[me]
    new = Receipt(
        delivered_at=old.delivered_at or context.at,
        read_at=(old.read_at or context.at) if read else old.read_at,
    )
    if new == old:
        return []
    entity = msgspec.structs.replace(
        message, receipts={**message.receipts, me: new}, version=message.version + 1
    )
    kind = "message.read" if read else "message.delivered"
    return [Fact(kind, (("messages", message_id, entity),), {"responder_id": me})]
