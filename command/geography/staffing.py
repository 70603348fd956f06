"""Who fills which post: a grid has one chief and one or more workers (一格一长一员), and people hold several grids.

Posts come from the areas, people from the roster. One worker may hold many grids and several share one, so a
count of people says nothing about posts that nobody fills: both are counted, and what is missing is listed.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from command.errors import Malformed, NotFound
from command.events import Context, Fact
from command.responders import GRID_KINDS, Responder, changed
from gis.areas import Area, AreaIndex

if TYPE_CHECKING:
    from command.board import Picture

Post = Literal["grid_worker", "grid_chief"]
MOST: Final = 50
"""Most people in the posts of one grid."""


@dataclass(frozen=True, slots=True)
class GridStaff:
    """The people of one grid.

    Attributes:
        code: Of the grid.
        posts: How many workers it should have.
        workers: Grid workers on the roster that hold it, by id.
        chiefs: Grid chiefs on the roster that hold it, by id.
        chief: The chief's name as the area gives it, who need not be on the roster.
        stand_ins: Others on the roster that have the grid (volunteers, emergency members, …), by id; for the
            workers' posts also the chiefs.
    """

    code: str
    posts: int
    workers: tuple[Responder, ...]
    chiefs: tuple[Responder, ...]
    chief: str | None
    stand_ins: tuple[Responder, ...]

    @property
    def filled(self) -> int:
        """Workers' posts that somebody fills; a third worker in two posts is one too many, not a post more."""
        return min(self.posts, len(self.workers))

    @property
    def missing(self) -> int:
        """Workers' posts that nobody fills."""
        return self.posts - self.filled

    @property
    def headless(self) -> bool:
        """Whether it has no chief."""
        return not self.chiefs and not self.chief

    def vacancies(self) -> "list[Vacancy]":
        """What is missing, the chief first."""
        found = []
        if self.headless:
            found.append(Vacancy(self.code, "grid_chief", 1, self.stand_ins))
        if self.missing:
            found.append(Vacancy(self.code, "grid_worker", self.missing, (*self.chiefs, *self.stand_ins)))
        return found


@dataclass(frozen=True, slots=True)
class Vacancy:
    """Posts of one kind in one grid that nobody fills, and who stands in meanwhile."""

    grid: str
    post: Post
    missing: int
    stand_ins: tuple[Responder, ...]


@dataclass(frozen=True, slots=True)
class StaffFigures:
    """Counts over some grids.

    Attributes:
        grids: How many.
        posts: Workers' posts.
        filled: Of these, the ones somebody fills.
        staffed_grids: Grids with a worker at least.
        full_time_grids: Grids with a full-time worker, what the staffing rate (配备率) counts.
        headless_grids: Grids without a chief.
        people: Different workers in these posts.
        shared: Of these, the ones that hold more than one grid.
        on_duty: Of these, the ones on duty.
    """

    grids: int
    posts: int
    filled: int
    staffed_grids: int
    full_time_grids: int
    headless_grids: int
    people: int
    shared: int
    on_duty: int

    @property
    def missing(self) -> int:
        """Workers' posts that nobody fills."""
        return self.posts - self.filled


class Staffing:
    """Posts and people of a district at one moment.

    Args:
        areas: The grids and their posts.
        people: The roster; grids that they name and that do not exist are passed over.
    """

    def __init__(self, areas: AreaIndex, people: Iterable[Responder]) -> None:
        self._areas = areas
        self._by_grid: dict[str, list[Responder]] = defaultdict(list)
        for person in sorted(people, key=lambda person: person.id):
            for grid in dict.fromkeys(person.grids):
                self._by_grid[grid].append(person)

    def of(self, grid: Area) -> GridStaff:
        """The people of a grid."""
        here = self._by_grid.get(grid.code, ())
        return GridStaff(
            code=grid.code,
            posts=grid.posts,
            workers=tuple(person for person in here if person.kind == "grid_worker"),
            chiefs=tuple(person for person in here if person.kind == "grid_chief"),
            chief=grid.chief,
            stand_ins=tuple(person for person in here if person.kind not in GRID_KINDS),
        )

    def within(self, code: str | None = None) -> list[GridStaff]:
        """The people of each grid in an area (None: in the district), by code. Raises UnknownArea."""
        index = self._areas
        grids = index.grids if code is None else [index.area(grid) for grid in index.subtree_grids(code)]
        return [self.of(grid) for grid in grids]


def vacancies(areas: AreaIndex, people: Iterable[Responder]) -> list[Vacancy]:
    """All posts that nobody fills, by grid, a grid's chief before its workers."""
    return [vacancy for staff in Staffing(areas, people).within() for vacancy in staff.vacancies()]


def figures(staff: Collection[GridStaff]) -> StaffFigures:
    """Count over some grids."""
    people = {person.id: person for grid in staff for person in grid.workers}
    return StaffFigures(
        grids=len(staff),
        posts=sum(grid.posts for grid in staff),
        filled=sum(grid.filled for grid in staff),
        staffed_grids=sum(bool(grid.workers) for grid in staff),
        full_time_grids=sum(any(p.employment == "full_time" for p in grid.workers) for grid in staff),
        headless_grids=sum(grid.headless for grid in staff),
        people=len(people),
        shared=sum(len(set(person.grids)) > 1 for person in people.values()),
        on_duty=sum(person.on_duty for person in people.values()),
    )


def owners(people: Iterable[Responder]) -> dict[str, str]:
    """Grid → id of the one who looks after it: a worker before a chief, then the smaller id."""
    found: dict[str, tuple[bool, str]] = {}
    for person in people:
        if person.kind in GRID_KINDS:
            rank = (person.kind != "grid_worker", person.id)
            for grid in person.grids:
                found[grid] = min(found.get(grid, rank), rank)
    return {grid: rank[1] for grid, rank in found.items()}


def staffed(people: Iterable[Responder]) -> frozenset[str]:
    """The grids that have a worker of their own; a chief who stands in does not count."""
    return frozenset(grid for person in people if person.kind == "grid_worker" for grid in person.grids)


def decide_staff(
    picture: "Picture", grid: str, wanted: Mapping[Post, Sequence[str]], context: Context
) -> list[Fact]:
    """Put people into the posts of a grid, and those who are not named out of them.

    Args:
        picture: The board.
        grid: Code of the grid.
        wanted: For each kind of post its people's ids; a kind that is left out stays as it is.
        context: Who decides, and when.

    Raises:
        NotFound: There is no such person.
        Malformed: Somebody is of another kind, or there are too many.
    """
    facts = []
    for post, ids in wanted.items():
        field = "workers" if post == "grid_worker" else "chiefs"
        if len(ids) > MOST:
            raise Malformed(field, f"at most {MOST} people in the posts of one grid")
        for key in ids:
            person = picture.responders.get(key)
            if person is None:
                raise NotFound("responder", key)
            if person.kind != post:
                raise Malformed(field, f"{person.name} is on the roster as {person.kind}, not as {post}")
        for person in picture.responders.values():
            if person.kind == post and (grid in person.grids) != (person.id in ids):
                grids = (
                    (*person.grids, grid)
                    if person.id in ids
                    else tuple(code for code in person.grids if code != grid)
                )
                facts.append(_updated(person, grids, context))
    return facts


def decide_recode(picture: "Picture", codes: Mapping[str, str], context: Context) -> list[Fact]:
    """Let people follow grids that go under another code now (old → new), as when two became one."""
    facts = []
    for person in picture.responders.values():
        grids = tuple(dict.fromkeys(codes.get(code, code) for code in person.grids))
        if grids != person.grids:
            facts.append(_updated(person, grids, context))
    return facts


def _updated(person: Responder, grids: tuple[str, ...], context: Context) -> Fact:
    return Fact("responder.updated", (("responders", person.id, changed(person, context, grids=grids)),))
