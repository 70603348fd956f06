"""What can be done with people: their shifts, the roster, messages to and from them.

What may be done is decided in `responders` and `messages`.
"""

from collections.abc import Callable, Sequence

from command import messages, responders
from command.board import Picture
from command.desk import NO_KEY, Answer, Command, Desk, Key, Outcome, whole
from command.events import Actor, Context, Fact
from command.ids import new_id
from command.responders import Responder


class PeopleOperations:
    """Everything people, imports and the watch can ask for.

    Args:
        desk: The single writer.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def _do(
        self,
        actor: Actor,
        decide: Callable[[Picture, Context], Sequence[Fact]],
        answer: Callable[[Picture], Answer],
        key: Key = NO_KEY,
    ) -> Outcome:
        return await self._desk.submit(Command(actor, decide, answer, key.key, key.fingerprint))

    async def shift(
        self, actor: Actor, responder_id: str, *, on_duty: bool, until: str | None = None, key: Key = NO_KEY
    ) -> Outcome:
        """Start or end a responder's shift."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return responders.decide_shift(picture, responder_id, context, on_duty=on_duty, until=until)

        return await self._do(actor, decide, whole("responders", responder_id), key)

    async def register(self, actor: Actor, people: Sequence[Responder]) -> Outcome:
        """Enter people into the roster; known ids keep shift and job."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return responders.decide_register(picture, list(people), context)

        return await self._do(actor, decide, lambda _picture: {"registered": len(people)})

    async def withdraw(self, actor: Actor, responder_ids: Sequence[str]) -> int:
        """Take people off the roster again who have done nothing since they entered it; returns how many."""
        gone: list[Fact] = []

        def decide(picture: Picture, _context: Context) -> Sequence[Fact]:
            gone[:] = responders.decide_withdraw(picture, responder_ids)
            return gone

        await self._do(actor, decide, lambda _picture: {})
        return len(gone)

    async def send(
        self, actor: Actor, to: Sequence[str], body: str, incident_id: str | None, key: Key = NO_KEY
    ) -> Outcome:
        """Send a message to responders, or from a responder to the centre (``to`` empty)."""
        message_id = new_id("m")

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return messages.decide_send(
                picture, message_id, tuple(to), body, context, incident_id=incident_id
            )

        return await self._do(actor, decide, whole("messages", message_id), key)

    async def receipt(self, actor: Actor, message_id: str, *, read: bool, key: Key = NO_KEY) -> Outcome:
        """Record that a message reached the phone or was opened."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return messages.decide_receipt(picture, message_id, context, read=read)

        return await self._do(actor, decide, whole("messages", message_id), key)
