"""The figures of an assignment: how many of a class have handed in, are late, or have feedback."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ngshare_fs.store import Timestamp
from ngshare_fs.store.dates import Dates
from ngshare_fs.web.instructor.class_work.standing import ClassDates, Standing

# An extension that ends in less than that ends soon.
EXTENSION_ENDS = timedelta(days=3)


@dataclass(frozen=True)
class Figures:
    """How a class stands with an assignment. Students are those on the roster.

    Args:
        students: how many there are.
        handed_in: how many of them have handed in.
        late: of how many the newest submission is late; None where nothing is due.
        missing: how many have handed in nothing by a due date of theirs that is past.
        feedback: how many have been given feedback, on whichever of their submissions.
        new: how many have handed in since the newest feedback was given to anybody; all where none was.
        others: how many have handed in who are no students: who have left, and who tried it out.
        newest: when any of the students handed in for the last time.
        newest_feedback: when any of them was given feedback for the last time.
        ending: how many have handed in nothing, and have an extension that ends soon.
        first_end: when the first of these does.
    """

    students: int
    handed_in: int
    late: int | None
    missing: int
    feedback: int
    new: int
    others: int
    newest: Timestamp | None
    newest_feedback: Timestamp | None
    ending: int
    first_end: datetime | None

    @property
    def not_yet(self) -> int:
        """How many have not handed in."""
        return self.students - self.handed_in


@dataclass(frozen=True)
class Row:
    """An assignment of the course.

    Args:
        assignment: its name.
        dates: those of all without an extension; without any where nobody can say.
        is_known: whether somebody can.
        state: see `Dates.state`, and `withdrawn`.
        released: when it was released or taken back for the last time.
        figures: how the class stands; None where nobody has counted.
    """

    assignment: str
    dates: Dates
    is_known: bool
    state: str
    released: Timestamp | None
    figures: Figures | None = None


def figures_of(
    found: Mapping[str, Standing], dates: ClassDates, students: Mapping[str, object], now: datetime
) -> Figures:
    """The figures of an assignment.

    Args:
        found: who has handed in, and how they stand.
        dates: of the assignment.
        students: those on the roster.
    """
    own = [(student, each) for student, each in found.items() if student in students]
    newest_feedback = max((each.feedback for _, each in own if each.feedback is not None), default=None)
    has_due = dates.file.due is not None
    waited_for = [each for each in dates.file.extensions if each in students and each not in found]
    ends = [end for each in waited_for if (end := _end_of(dates.of(each), now)) is not None]
    return Figures(
        students=len(students),
        handed_in=len(own),
        late=sum(not dates.of(student).is_in_time(each.newest) for student, each in own) if has_due else None,
        missing=_missing(found, dates, students, now),
        feedback=sum(each.feedback is not None for _, each in own),
        new=sum(newest_feedback is None or each.newest > newest_feedback for _, each in own),
        others=len(found) - len(own),
        newest=max((each.newest for _, each in own), default=None),
        newest_feedback=newest_feedback,
        ending=len(ends),
        first_end=min(ends, default=None),
    )


def _missing(found: Mapping[str, Standing], dates: ClassDates, students: Mapping[str, object], now: datetime) -> int:
    if dates.file.due is None:
        return 0
    extended = [each for each in dates.file.extensions if each in students and each not in found]
    without = sum(each not in found for each in students) - len(extended)
    is_due = not dates.of(None).is_in_time(now)
    return (without if is_due else 0) + sum(not dates.of(each).is_in_time(now) for each in extended)


def _end_of(dates: Dates, now: datetime) -> datetime | None:
    """When an extension ends, where that is soon."""
    for end in (dates.due, dates.close):
        if end is not None and now <= end.at:
            return end.at if end.at <= now + EXTENSION_ENDS else None
    return None
