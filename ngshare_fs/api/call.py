"""A request on its way through the checks, and what it may be answered with."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ngshare_fs.access.groups import NO_GROUPS, UserGroups
from ngshare_fs.access.permission import Asking
from ngshare_fs.access.roles import grades, teaches
from ngshare_fs.api.request.form import Form
from ngshare_fs.store import LastCheck, Role, Roster, Tree, Volume, journal, no_check
from ngshare_fs.store.quota import NO_LIMITS, NOT_COUNTED, Limits, Used


@dataclass
class Call:
    """A request.

    Args:
        volume: where everything is.
        user: who is asking.
        is_admin: whether that is an admin.
        debug: whether debug mode is on.
        names: the names in the path: `course`, `assignment`, `user`.
        form: the arguments; empty while they are still to come.
        arrived: when its head arrived, which decides whether work is in time to be accepted.
        people: the roster of the course in the path.
        limits: how much may be stored.
        used: what is taken of it, as far as the server has counted.
        groups: that the user is in.
        creates_courses: whether the user may make courses.
        via: by what way it came, for the journal.
        last_check: makes the checks once more, as they are at that moment; whatever an action changes, it is handed on.
    """

    volume: Volume
    user: str
    is_admin: bool
    debug: bool
    names: Mapping[str, str]
    form: Form
    arrived: datetime
    people: Roster | None = None
    last_check: LastCheck = no_check
    limits: Limits = NO_LIMITS
    used: Used = NOT_COUNTED
    groups: UserGroups = NO_GROUPS
    creates_courses: bool = False
    via: str = "api"

    @property
    def asking(self) -> Asking:
        """Who asks, and for what."""
        return Asking(self.volume, self.user, self.is_admin, self.creates_courses, self.groups, self.names)

    @property
    def course(self) -> str:
        """The course in the path."""
        return self.names["course"]

    @property
    def assignment(self) -> str:
        """The assignment in the path."""
        return self.names["assignment"]

    @property
    def named_user(self) -> str:
        """The instructor, grader or student in the path."""
        return self.names["user"]

    @property
    def roster(self) -> Roster:
        """The roster of the course in the path, once that was found."""
        assert self.people is not None
        return self.people

    @property
    def role(self) -> Role | None:
        """What the user is in this course."""
        return self.asking.role(self.roster)

    @property
    def teaches(self) -> bool:
        """Whether the user may do what instructors of this course may."""
        return teaches(self.role, self.is_admin)

    @property
    def grades(self) -> bool:
        """Whether the user may do what graders of this course may."""
        return grades(self.role, self.is_admin)

    def note(self, what: str, detail: str = "", student: str | None = None, is_read: bool = False) -> None:
        """Record in the journal what was done, once it is done.

        Args:
            what: a word for it.
            detail: what the names in the path do not say.
            student: where that is not the user in the path.
            is_read: whether something was only read.
        """
        course, assignment = self.names.get("course", ""), self.names.get("assignment", "")
        student = self.names.get("user", "") if student is None else student
        event = journal.Event(what, self.user, self.via, course, assignment, student, detail)
        journal.record(self.volume, event, is_read)


@dataclass
class TreeAnswer:
    """An answer with a directory tree.

    Args:
        tree: open; None for an empty one.
        fields: what the answer has beside it.
        list_only: leave the content out.
        for_many: many will ask for just this.
    """

    tree: Tree | None
    fields: Mapping[str, Any]
    list_only: bool
    for_many: bool = False


@dataclass
class TreesAnswer:
    """An answer of many directory trees, each in a line of its own.

    Args:
        trees: per tree the fields that its line has in any case, and what opens it; raises `StoreError`.
    """

    trees: Sequence[tuple[Mapping[str, Any], Callable[[], Tree]]]


@dataclass
class PageAnswer:
    """An answer to somebody who looks at it in a browser.

    Args:
        html: the page.
    """

    html: str


@dataclass
class MadeAnswer:
    """An answer that was made before, and is the same again.

    Args:
        body: JSON, all of it.
    """

    body: bytes


Answer = Mapping[str, Any] | MadeAnswer | TreeAnswer | TreesAnswer | PageAnswer


def success(fields: Mapping[str, object]) -> bytes:
    """The body of an answer that has these fields."""
    return json.dumps({"success": True, **fields}).encode()
