"""The desk: the one writer. Every change of the picture goes through it, in order.

A command is decided against the picture, committed, and only then applied to the board and published; so
nothing is ever shown or acknowledged that a crash could take back. Commands that arrive while one group is
being written form the next group (group commit): under load the disk is waited for once per group.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import structlog

from command.board import Board, Draft, Picture
from command.clock import Clock, rfc3339
from command.errors import IdempotencyReuse, Unavailable, YipingError
from command.events import Actor, Context, Event, Fact
from command.store.log import Apart, Commit, EventLog, Receipt

log = structlog.get_logger("desk")

GROUP: Final = 512
"""Most commands in one commit."""
INBOX: Final = 10_000
"""Most commands waiting; past it the desk says so instead of letting them grow old."""
REMEMBERED: Final = 20_000
"""Most idempotency answers held in memory; older ones are looked up in the store."""

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key and what it was used for."""

    key: str | None = None
    fingerprint: str = ""


NO_KEY: Final = Key()


@dataclass(frozen=True, slots=True)
class Command:
    """One wish to change the picture.

    Attributes:
        actor: Who wants it.
        decide: Returns the facts that follow, or raises; pure, called on the writer's turn.
        answer: Returns the object to answer with, from the picture after the facts.
        key: Idempotency key of this actor, or None.
        fingerprint: What the key was used for; the same key for something else is refused.
        apart: Returns what to keep apart from the log, in the same commit.
    """

    actor: Actor
    decide: Callable[[Picture, Context], Sequence[Fact]]
    answer: Callable[[Picture], Answer] = field(default=lambda _picture: {})
    key: str | None = None
    fingerprint: str = ""
    apart: Callable[[Context], Sequence[Apart]] = field(default=lambda _context: ())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command: the answer and the sequence number of its last event."""

    answer: Answer
    seq: int
    replayed: bool = False


def whole(kind: str, key: str) -> Callable[[Picture], Answer]:
    """Return an answer for `Command`: the entity as it is after the facts."""

    def answer(picture: Picture) -> Answer:
        found: Answer = msgspec.to_builtins(getattr(picture, kind)[key])
        return found

    return answer


@dataclass(slots=True)
class _Waiting:
    command: Command
    done: "asyncio.Future[Outcome]"


class Desk:
    """The single writer.

    Args:
        board: The picture to change; owned by the desk from now on.
        event_log: Where events become durable.
        clock: Time of decisions.
        publish: Called with each event after it was committed and applied, in order.
    """

    def __init__(
        self, board: Board, event_log: EventLog, clock: Clock, publish: Callable[[Event], None]
    ) -> None:
        self.board = board
        self._log = event_log
        self._clock = clock
        self._publish = publish
        self._inbox: asyncio.Queue[_Waiting] = asyncio.Queue(INBOX)
        self._answers: OrderedDict[tuple[str, str], Receipt] = OrderedDict()
        self.failure: str | None = None
        """Why the last commit was refused, while it is; shown by readiness and metrics."""
        self.committed = 0
        self.groups = 0

    @property
    def waiting(self) -> int:
        """Commands in the inbox."""
        return self._inbox.qsize()

    async def submit(self, command: Command) -> Outcome:
        """Have a command decided and committed.

        A caller that goes away after this point changes nothing: the command is finished all the same.

        Raises:
            YipingError: Whatever the decision raises; nothing was changed.
            IdempotencyReuse: The key was used for another request.
            StorageFull: The disk is full; nothing was changed.
            Unavailable: The inbox or the store does not take it.
        """
        if command.key is not None:
            known = self._answers.get((command.actor.id, command.key))
            if known is None:
                known = await self._log.receipt(command.actor.id, command.key)
            if known is not None:
                return _replay(known, command)
        waiting = _Waiting(command, asyncio.get_running_loop().create_future())
        try:
            self._inbox.put_nowait(waiting)
        except asyncio.QueueFull:
            raise Unavailable("Too many commands are waiting; try again.") from None
        return await asyncio.shield(waiting.done)

    async def run(self) -> None:
        """Serve the inbox until cancelled; then finish what has been taken."""
        committing: asyncio.Task[None] | None = None
        try:
            while True:
                group = [await self._inbox.get()]
                while len(group) < GROUP and not self._inbox.empty():
                    group.append(self._inbox.get_nowait())
                committing = asyncio.create_task(self._commit(group))
                await asyncio.shield(committing)
        finally:
            # Numbers are given out from what is applied: the group on its way to the disk comes first.
            if committing is not None:
                await asyncio.wait([committing])
            await self._drain()

    async def _drain(self) -> None:
        group = []
        while not self._inbox.empty():
            group.append(self._inbox.get_nowait())
        if group:
            await self._commit(group)

    async def _commit(self, group: list[_Waiting]) -> None:
        now = self._clock.now()
        at = rfc3339(now)
        draft = Draft(self.board)
        commit = Commit()
        fresh: dict[tuple[str, str], Receipt] = {}
        outcomes: list[tuple[_Waiting, Outcome]] = []
        for waiting in group:
            command = waiting.command
            key = None if command.key is None else (command.actor.id, command.key)
            try:
                if key is not None and (known := fresh.get(key) or self._answers.get(key)) is not None:
                    outcomes.append((waiting, _replay(known, command)))
                    continue
                context = Context(command.actor, now, at)
                facts = command.decide(draft, context)
                apart = command.apart(context)
                first = self.board.seq + len(commit.events) + 1
                events = [
                    Event(first + n, at, fact.type, fact.data(command.actor)) for n, fact in enumerate(facts)
                ]
                seq = first + len(events) - 1
                # On a trial: should the answer fail, nobody after it may see what it did.
                answer = {**command.answer(draft.trial(facts)), "seq": seq}
            except YipingError as error:
                _fail(waiting, error)
                continue
            except Exception as error:  # one bad command must not take the group with it
                log.exception("decision failed")
                _fail(waiting, error)
                continue
            draft.lay(facts)
            commit.events += events
            commit.apart += apart
            if key is not None:
                encoded = msgspec.json.encode(answer)
                fresh[key] = Receipt(*key, command.fingerprint, seq, at, encoded)
            outcomes.append((waiting, Outcome(answer, seq)))
        commit.receipts = list(fresh.values())
        await self._finish(commit, outcomes, fresh)

    async def _finish(
        self,
        commit: Commit,
        outcomes: list[tuple[_Waiting, Outcome]],
        fresh: Mapping[tuple[str, str], Receipt],
    ) -> None:
        if commit.events or commit.receipts or commit.apart:
            try:
                await self._log.append(commit)
            except Exception as error:
                reason = error if isinstance(error, YipingError) else Unavailable()
                if self.failure is None:
                    log.error("commit refused", reason=str(error), kind=type(error).__name__)
                self.failure = reason.detail
                for waiting, _ in outcomes:
                    _fail(waiting, reason)
                return
        if self.failure is not None:
            log.info("commits work again")
            self.failure = None
        self._answers.update(fresh)
        while len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
        for event in commit.events:
            self.board.apply(event)
            self._publish(event)
        self.committed += len(commit.events)
        self.groups += 1
        for waiting, outcome in outcomes:
            if not waiting.done.done():
                waiting.done.set_result(outcome)


def _replay(known: Receipt, command: Command) -> Outcome:
    if known.fingerprint != command.fingerprint:
        raise IdempotencyReuse
    return Outcome(msgspec.json.decode(known.answer), known.seq, replayed=True)


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.done.done():
        waiting.done.set_exception(error)
        # A caller that went away never asks for it; asyncio must not complain about that at shutdown.
        waiting.done.exception()
