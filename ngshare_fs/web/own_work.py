"""What somebody has to do in a course, and has done: its assignments, as they see them themselves."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from ngshare_fs.access import permission
from ngshare_fs.access.permission import Asking, Conditions, Who
from ngshare_fs.access.roles import teaches
from ngshare_fs.store import Roster, Timestamp, assignment, dates, feedback, release, submission
from ngshare_fs.store.dates import Dates
from ngshare_fs.store.errors import AssignmentNotFound
from ngshare_fs.store.problems import Problems
from ngshare_fs.web.frame.visit import Visit

# In these states work is taken, see `Dates.state`.
TAKEN = ("open", "late")
_SEES_IT = Conditions(Who.MEMBER, course=True, assignment=True)


@dataclass(frozen=True)
class OwnWork:
    """An assignment, and what somebody has done of it.

    Args:
        assignment: its name.
        dates: as they apply to them; without any where nobody can say which.
        state: what it is at the moment, `withdrawn` included.
        newest: when they handed in for the last time; None where they have not.
        count: how often they have.
        late_seconds: by how much the newest one is late; None where nothing was due.
        feedback: when they were given feedback for the last time, on whichever of their submissions.
        left: how much time is left until the next date that matters: it is due, or it closes.
    """

    assignment: str
    dates: Dates
    state: str
    newest: Timestamp | None
    count: int
    late_seconds: int | None
    feedback: Timestamp | None
    left: "TimeLeft | None" = None

    @property
    def words(self) -> str:
        """The key of the text that says how it stands."""
        if self.newest is None:
            known = self.dates.due is not None or self.state != "open"
            return f"work.not-handed-in.{self.state if known else 'always'}"
        if self.late_seconds is None:
            return "work.handed-in"
        return "work.late" if self.late_seconds else "work.in-time"

    @property
    def is_to_do(self) -> bool:
        """Whether there is something that they could still do, and have reason to."""
        is_taken = self.state in TAKEN
        return is_taken and (self.newest is None or (self.state == "open" and self.dates.due is not None))

    @property
    def next_step(self) -> str | None:
        """The key of what a student would do next; None where that is nothing."""
        if self.state not in TAKEN:
            return None
        if self.newest is None:
            return "next.hand-in"
        # What is handed in late would count in place of what was in time.
        return "next.hand-in-again" if self.state == "open" else None

    @property
    def urgency(self) -> str:
        """How it is set off, beside the words: done, needs somebody, or neither."""
        if self.newest is not None:
            return "bad" if self.late_seconds else "good"
        return "bad" if self.state in ("late", "closed") else "open" if self.state == "open" else ""


@dataclass(frozen=True)
class TimeLeft:
    """How long something is to be done in time, or at all.

    Args:
        words: the key of the text that says which of the two.
        seconds: how long, at least one.
    """

    words: str
    seconds: int


def time_left(applying: Dates, now: datetime) -> TimeLeft | None:
    """How much time is left until an assignment is due, or, after that, until it closes; None where there is no end."""
    for words, end in (("left.due", applying.due), ("left.close", applying.close)):
        if end is not None and (seconds := int((end.at - now).total_seconds())) > 0:
            return TimeLeft(words, seconds)
    return None


def takes_work_of(visit: Visit, applying: Dates) -> bool:
    """Whether whoever looks at an assignment may hand in to it now; whoever teaches may at any time.

    Args:
        applying: their dates.
    """
    if visit.teaches or visit.role is None:
        return visit.teaches
    return applying.state(visit.now) in TAKEN and release.is_open(*visit.asking.work)


def own_work(asking: Asking, people: Roster, now: datetime, problems: Problems) -> Iterator[OwnWork]:
    """The assignments of a course that somebody sees, in the order of their release.

    Args:
        asking: who; of the names in it, only the course counts.
        people: the roster of the course.
        problems: what cannot be read is noted there, and passed over.

    Raises:
        CourseNotFound: the course is gone.
    """
    volume, course = asking.volume, asking.names["course"]
    # Whoever teaches has no dates of their own.
    student = None if teaches(asking.role(people), asking.is_admin) else asking.user
    names: list[str] = []
    with problems.noted():
        names = assignment.assignments_of(volume, course)
    for name in names:
        about = replace(asking, names={"course": course, "assignment": name})
        with contextlib.suppress(AssignmentNotFound), problems.noted():
            if permission.is_there(about, _SEES_IT, people):
                yield _work(about, people, student, now)


def _work(about: Asking, people: Roster, student: str | None, now: datetime) -> OwnWork:
    applying = dates.for_each(dates.written(*about.work), people.rules)(student)
    handed_in = submission.submissions_by(*about.work, about.user)
    newest = handed_in[-1].timestamp if handed_in else None
    given = (feedback.given_at(*about.work, about.user, each.timestamp) for each in handed_in)
    return OwnWork(
        about.names["assignment"],
        applying,
        applying.state(now) if release.is_open(*about.work) else "withdrawn",
        newest,
        len(handed_in),
        None if newest is None else applying.late_seconds(newest),
        max((moment for moment in given if moment is not None), default=None),
        time_left(applying, now),
    )
