"""What the function of a page is given."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from multidict import MultiMapping

from ngshare_fs.access import permission
from ngshare_fs.access.identity import Caller
from ngshare_fs.access.permission import Asking, Conditions
from ngshare_fs.access.roles import grades, teaches
from ngshare_fs.settings import Settings
from ngshare_fs.store import LastCheck, Role, Roster, Volume, journal
from ngshare_fs.store.dates import UTC


@dataclass(frozen=True)
class Visit:
    """Somebody looks at a page, or sends a form of it; what is checked of them has been.

    Args:
        asking: who, and for what.
        conditions: what was checked.
        caller: what else is known of them.
        people: the roster of the course; None on pages that are of no course.
        query: the parameters of the address.
        now: when they asked.
        settings: of the server.
        server: the address of this service, as the browser has it.
        language: of the texts that they read.
    """

    asking: Asking
    conditions: Conditions
    caller: Caller
    people: Roster | None
    query: MultiMapping[str]
    now: datetime
    settings: Settings
    server: str
    language: str

    @property
    def volume(self) -> Volume:
        """Where everything is."""
        return self.asking.volume

    @property
    def user(self) -> str:
        """Who looks at it."""
        return self.asking.user

    @property
    def course(self) -> str:
        """The course in the address."""
        return self.asking.names["course"]

    @property
    def assignment(self) -> str:
        """The assignment in the address."""
        return self.asking.names["assignment"]

    @property
    def named_user(self) -> str:
        """The user in the address."""
        return self.asking.names["user"]

    @property
    def roster(self) -> Roster:
        """The roster of the course in the address."""
        assert self.people is not None
        return self.people

    @property
    def zone(self) -> str:
        """In which times of this course are shown."""
        return zone_of(self.people)

    @property
    def role(self) -> Role | None:
        """What they are in this course."""
        return self.asking.role(self.people)

    @property
    def teaches(self) -> bool:
        """Whether they may do what instructors of this course may."""
        return teaches(self.role, self.asking.is_admin)

    @property
    def grades(self) -> bool:
        """Whether they may do what graders of this course may."""
        return grades(self.role, self.asking.is_admin)

    @property
    def last_check(self) -> LastCheck:
        """The checks once more, as they are at that moment; whatever changes something is handed it."""
        return partial(_check, self.asking, self.conditions)

    def note(self, what: str, detail: str = "", student: str | None = None, is_read: bool = False) -> None:
        """Record in the journal what was done, once it is done.

        Args:
            what: a word for it, the same as the API's.
            detail: what the names in the address do not say.
            student: where that is not the user in the address.
            is_read: whether something was only read.
        """
        names = self.asking.names
        student = names.get("user", "") if student is None else student
        event = journal.Event(
            what, self.user, "page", names.get("course", ""), names.get("assignment", ""), student, detail
        )
        journal.record(self.volume, event, is_read)

    def note_of(self, what: str, course: str, assignment: str = "", student: str = "", detail: str = "") -> None:
        """The same of what is not what the address names.

        Args:
            what, detail: see `note`.
            course, assignment, student: what it was done to.
        """
        journal.record(self.volume, journal.Event(what, self.user, "page", course, assignment, student, detail))


def zone_of(people: Roster | None) -> str:
    """In which times of a course are shown."""
    return (people.rules.timezone if people is not None else None) or UTC


def _check(asking: Asking, conditions: Conditions) -> None:
    permission.check(asking, conditions)
