"""A class as a table: each student, and how they stand with each of some assignments."""

import contextlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ngshare_fs.store import Person, Role, Roster, Timestamp, assignment
from ngshare_fs.store.errors import AssignmentNotFound
from ngshare_fs.store.problems import Problems
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.instructor.class_work.standing import (
    ClassDates,
    Standing,
    class_dates,
    most_assignments,
    standings,
)

# What the address says: which assignments (this and the name of each), who is shown, who is looked for, the order.
OF, SHOW, FIND, SORT = "of.", "show", "find", "sort"
EVERYBODY, MISSING, LATE, WITHOUT_FEEDBACK, LEFT = "everybody", "missing", "late", "no-feedback", "left"
SHOWN = (EVERYBODY, MISSING, LATE, WITHOUT_FEEDBACK, LEFT)
NAME, USER, NEWEST = "name", "user", "newest"
SORTED = (NAME, USER, NEWEST)
# Of assignments that nobody has chosen: more than these do not fit beside each other.
MOST_COLUMNS = 8
_LONGEST = 200


@dataclass(frozen=True)
class Wanted:
    """What somebody wants to see of a class.

    Args:
        assignments: those that were chosen, as far as there are such; none for the latest ones.
        show: one of `SHOWN`, find: a part of a name, sort: one of `SORTED`.
    """

    assignments: tuple[str, ...] = ()
    show: str = EVERYBODY
    find: str = ""
    sort: str = NAME

    @property
    def asked(self) -> dict[str, str]:
        """The parameters of an address that wants the same."""
        chosen = {OF + name: "1" for name in self.assignments}
        said = {SHOW: (self.show, EVERYBODY), FIND: (self.find, ""), SORT: (self.sort, NAME)}
        return chosen | {key: value for key, (value, usual) in said.items() if value != usual}


@dataclass(frozen=True)
class Column:
    """An assignment of the table.

    Args:
        assignment: its name.
        dates: its dates, for each of the class.
        standing: who has handed in, and how they stand.
    """

    assignment: str
    dates: ClassDates
    standing: Mapping[str, Standing]


@dataclass(frozen=True)
class Cell:
    """How somebody stands with an assignment to which they have handed in.

    Args:
        newest, times, feedback, is_on_newest: see `Standing`.
        late_seconds: by how much the newest submission is late; None where nothing is due.
    """

    newest: Timestamp
    times: int
    feedback: Timestamp | None
    is_on_newest: bool
    late_seconds: int | None


@dataclass(frozen=True)
class Member:
    """Somebody of the class.

    Args:
        user: their user name.
        person: what is known of them.
        has_left: whether they have handed in, and are not on the roster any more.
    """

    user: str
    person: Person
    has_left: bool = False


@dataclass(frozen=True)
class Matrix:
    """The table.

    Args:
        assignments: all that the course has, the newest first.
        columns: those that are shown.
        members: the rows, all of them.
        now: when it was looked at.
    """

    assignments: Sequence[str]
    columns: Sequence[Column]
    members: Sequence[Member]
    now: datetime

    def cell(self, column: Column, member: Member) -> Cell | None:
        """How somebody stands with an assignment; None where they have not handed in."""
        found = column.standing.get(member.user)
        return None if found is None else Cell(*found, column.dates.of(member.user).late_seconds(found.newest))

    def is_missing(self, column: Column, member: Member) -> bool:
        """Whether they have not handed in what was due, for them."""
        applying = column.dates.of(member.user)
        return member.user not in column.standing and not member.has_left and not applying.is_in_time(self.now)


def wanted_by(visit: Visit, assignments: Sequence[str]) -> Wanted:
    """What the address of a page asks for; what nobody can ask for counts as not asked for.

    Args:
        assignments: those of the course.
    """
    query = visit.query
    show, sort = query.get(SHOW, EVERYBODY), query.get(SORT, NAME)
    return Wanted(
        tuple(name for name in assignments if query.get(OF + name)),
        show if show in SHOWN else EVERYBODY,
        query.get(FIND, "")[:_LONGEST].strip(),
        sort if sort in SORTED else NAME,
    )


def assignments_shown(visit: Visit, problems: Problems) -> list[str]:
    """The assignments of the course, the newest first."""
    with problems.noted():
        return assignment.assignments_of(visit.volume, visit.course)[::-1]
    return []


def matrix(visit: Visit, assignments: Sequence[str], wanted: Wanted, problems: Problems, is_whole: bool) -> Matrix:
    """The table that somebody wants.

    Args:
        assignments: those of the course, the newest first.
        problems: what cannot be read is noted there, and passed over.
        is_whole: whether all assignments are meant where none is chosen, and not the newest ones.
    """
    people = visit.roster
    most = min(MOST_COLUMNS, most_assignments(people))
    chosen = wanted.assignments or (assignments if is_whole else assignments[:most])
    columns = []
    for name in reversed(chosen):
        work = visit.volume, visit.course, name
        with contextlib.suppress(AssignmentNotFound), problems.noted():
            columns.append(Column(name, class_dates(*work, people, problems), standings(*work)))
    members = [each for each in _members(people, columns) if _is_wanted(each, columns, wanted)]
    _sort(members, columns, wanted.sort)
    return Matrix(assignments, columns, members, visit.now)


def _members(people: Roster, columns: Sequence[Column]) -> list[Member]:
    """The students, and whoever has handed in and is on the roster no more; those who teach only tried it out."""
    members = [Member(user, person) for user, person in people.listed(Role.STUDENT).items()]
    left = {user for column in columns for user in column.standing if user not in people}
    return members + [Member(user, Person(), has_left=True) for user in left]


def _is_wanted(member: Member, columns: Sequence[Column], wanted: Wanted) -> bool:
    if wanted.find and not _is_called(member, wanted.find):
        return False
    match wanted.show:
        case "missing":
            return not member.has_left and any(member.user not in column.standing for column in columns)
        case "late":
            return any(_is_late(column, member.user) for column in columns)
        case "no-feedback":
            own = (column.standing.get(member.user) for column in columns)
            return any(each is not None and not each.is_on_newest for each in own)
        case "left":
            return member.has_left
        case _:
            return True


def _is_late(column: Column, user: str) -> bool:
    found = column.standing.get(user)
    return found is not None and not column.dates.of(user).is_in_time(found.newest)


def _is_called(member: Member, find: str) -> bool:
    person = member.person
    full = f"{person.first_name or ''} {person.last_name or ''}"
    turned = f"{person.last_name or ''} {person.first_name or ''}"
    return any(_folded(find) in _folded(text) for text in (member.user, full, turned, person.email or ""))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _sort(members: list[Member], columns: Sequence[Column], sort: str) -> None:
    members.sort(key=lambda each: (_folded(each.user), each.user))
    if sort == NAME:
        members.sort(key=lambda each: _name_of(each.person))
    elif sort == NEWEST:
        members.sort(key=lambda each: max((_newest(column, each.user) for column in columns), default=""), reverse=True)


def _name_of(person: Person) -> tuple[bool, str, str]:
    """By last name; those without any name, whom their user name names, come behind."""
    last, first = _folded(person.last_name or ""), _folded(person.first_name or "")
    return not (last or first), last or first, first


def _newest(column: Column, user: str) -> str:
    found = column.standing.get(user)
    return "" if found is None else found.newest
