"""Files of people and units: read like every other file, judged as the roster would, entered into it as events."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from command import importing
from command.board import Board
from command.events import Actor
from command.geography.imports.appliers import Applied, NothingTaken, Tell, drafted
from command.geography.imports.jobs import Job
from command.geography.imports.judging import counts_of, judge
from command.geography.keeper import Keeper
from command.geography.portions import portions
from command.people_operations import PeopleOperations
from command.responders import Responder
from command.row_faults import RowFault
from gis.intake import Draft, Progress

_BEFORE: Final = "before.json"


class ResponderApplier:
    """People and units.

    Args:
        keeper: The district whose grids they look after.
        board: The roster.
        people: Enters them.
    """

    def __init__(self, keeper: Keeper, board: Board, people: PeopleOperations) -> None:
        self._keeper = keeper
        self._board = board
        self._people = people

    async def draft(self, source: Path, folder: Path, job: Job, tell: Tell) -> Draft:
        """Read the file, then judge each row as the roster would."""
        draft = await drafted(self._keeper, source, folder, job, tell)
        if draft.needs:
            return draft
        _, faults = await self._read(folder, draft)
        return await asyncio.to_thread(judge, folder, draft, faults)

    async def apply(self, job: Job, folder: Path, actor: Actor, tell: Tell) -> Applied:
        """Enter the good rows; what was there before is remembered for `undo`.

        Raises:
            NothingTaken: There is no good row.
        """
        assert job.draft is not None
        people, _ = await self._read(folder, job.draft)
        if not people:
            raise NothingTaken(f"No row of {job.filename} is a person who can be entered.")
        before = {person.id: self._board.responders.get(person.id) for person in people}
        await asyncio.to_thread(_remember, folder, before)
        done, total = 0, len(people)
        for some in portions(people):
            await self._people.register(actor, some)
            done += len(some)
            tell(Progress(done / total, "applying", done, total))
        return Applied(None, counts_of(job.draft, before))

    async def undo(self, job: Job, folder: Path, actor: Actor) -> None:
        """Take off who is new and has done nothing yet, and give the others their facts back."""
        del job
        stored = await asyncio.to_thread((folder / _BEFORE).read_bytes)
        before = msgspec.json.decode(stored, type=dict[str, Responder | None])
        await self._people.withdraw(actor, [key for key, person in before.items() if person is None])
        await self._people.register(actor, [person for person in before.values() if person is not None])

    async def _read(self, folder: Path, draft: Draft) -> tuple[list[Responder], list[RowFault]]:
        known = list(self._board.responders.values())
        return await asyncio.to_thread(
            importing.read_responders,
            folder / draft.result,
            self._keeper.atlas.district,
            [person.unit for person in known],
            known,
        )


def _remember(folder: Path, before: Mapping[str, Responder | None]) -> None:
    (folder / _BEFORE).write_bytes(msgspec.json.encode(before))
