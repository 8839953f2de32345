"""The dates of an assignment: when it is released, due and closed, and what that means for somebody's work.

They are compared with the clock at each use; nothing runs when one of them comes. Lateness is not stored anywhere: it
follows from the timestamp of a submission and the dates as they are now. A second that is named is meant whole: what
arrives at 23:59:59.9 is in time at 23:59:59.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Literal

from ngshare_fs.formats.civil_time import Moment, moment_at
from ngshare_fs.formats.lateness import late_seconds
from ngshare_fs.store import roster
from ngshare_fs.store.editable_file import EditableFile
from ngshare_fs.store.errors import AssignmentClosed, AssignmentNotFound, BrokenManifest, WrongDates
from ngshare_fs.store.format import layout
from ngshare_fs.store.format.assignment_file import DATES, NO_DATES, AssignmentFile, Extension
from ngshare_fs.store.format.course_rules import NO_RULES, CourseRules
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.volume import Volume
from ngshare_fs.store.writing.last_check import LastCheck, no_check

State = Literal["scheduled", "open", "late", "closed"]
UTC = "UTC"
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Dates:
    """The dates of an assignment as they apply to somebody.

    Args:
        release, due, close: see `AssignmentFile`; None where there is none.
        grace: what is late by no more than this is not late.
        zone: in which to show them.
        extension: what this student has been given, if anything; the dates have it already.
    """

    release: Moment | None = None
    due: Moment | None = None
    close: Moment | None = None
    grace: timedelta = timedelta()
    zone: str = UTC
    extension: Extension | None = None

    def __bool__(self) -> bool:
        return self.release is not None or self.due is not None or self.close is not None

    def is_released(self, now: datetime) -> bool:
        """Whether students see the assignment at a time, as far as its dates say."""
        return self.release is None or now >= self.release.at

    def is_closed(self, now: datetime) -> bool:
        """Whether work that begins to arrive at a time is refused."""
        return self.close is not None and now >= self.close.at + _SECOND

    def late_seconds(self, moment: datetime | Timestamp) -> int | None:
        """By how much work of that time is late, counted from the due date; 0 in time, None where nothing is due."""
        if self.due is None:
            return None
        if isinstance(moment, str):
            moment = datetime.fromisoformat(moment.removesuffix(" UTC")).replace(tzinfo=timezone.utc)
        return late_seconds(moment, self.due.at, self.grace)

    def state(self, now: datetime) -> State:
        """What the assignment is at a time."""
        if not self.is_released(now):
            return "scheduled"
        if self.is_closed(now):
            return "closed"
        return "late" if self.late_seconds(now) else "open"


def now() -> datetime:
    """The present, by this machine's clock."""
    return datetime.now(timezone.utc)


def written(volume: Volume, course: str, assignment: str) -> AssignmentFile:
    """What the file of an assignment says; where it is broken by now, what it said before.

    Raises:
        AssignmentNotFound: there is no such assignment.
        BrokenManifest: the file cannot be understood, and never was.
    """
    try:
        return _file(volume, course, assignment).read().value
    except (FileNotFoundError, NotADirectoryError):
        raise AssignmentNotFound(assignment) from None


def of(volume: Volume, course: str, assignment: str, student: str | None = None) -> Dates:
    """The dates of an assignment, as they apply to a student where one is named.

    Raises:
        AssignmentNotFound: there is no such assignment.
        CourseNotFound: the course is gone.
        BrokenManifest: the file of the assignment, or of the course, cannot be understood, and never was.
    """
    file = written(volume, course, assignment)
    # Most assignments of most courses have no dates, and then nobody has to know the course's rules.
    return Dates() if file == NO_DATES else applying(file, roster.of(volume, course).rules, student)


def applying(file: AssignmentFile, rules: CourseRules = NO_RULES, student: str | None = None) -> Dates:
    """What a file and the rules of its course mean for a student, or for those without an extension."""
    extension = None if student is None else file.extensions.get(student)
    zone = rules.timezone or UTC
    grace = rules.grace if file.grace is None else file.grace
    due = _later(file.due, extension.due if extension else None) if file.due else None
    close = file.close
    if close is None and due is not None and rules.close_after is not None:
        close = moment_at(due.at + rules.close_after, zone)
    if close is not None and extension is not None:
        close = _later(_later(close, extension.close), extension.due)
    return Dates(file.release, due, close, grace or timedelta(), zone, extension)


def check_open(volume: Volume, course: str, assignment: str, student: str, arrived: datetime) -> None:
    """Look whether a student's work is still accepted. This is the one place that decides it.

    Args:
        arrived: when it began to arrive.

    Raises:
        AssignmentClosed: it came too late.
        AssignmentNotFound, CourseNotFound: they are gone.
    """
    try:
        dates = of(volume, course, assignment, student)
    except BrokenManifest:
        return  # nobody can say when it closes, and no work is lost for that
    if dates.close is not None and dates.is_closed(arrived):
        raise AssignmentClosed(f"{assignment} closed at {dates.close}")


def change(
    volume: Volume, course: str, assignment: str, changes: Mapping[str, object], last_check: LastCheck = no_check
) -> None:
    """Set or remove dates, by one write.

    Args:
        changes: `release`, `due`, `close` with a `Moment`, `grace` with a `timedelta`; with None what is to be removed.
        last_check: see `EditableFile.change`.

    Raises:
        WrongDates: they would be out of order.
        AssignmentNotFound: there is no such assignment.
        BrokenManifest: the file cannot be understood; it is left as it is.
    """

    def changed(file: AssignmentFile) -> AssignmentFile:
        new = replace(file, **changes)  # type: ignore[arg-type] # by the names of its fields
        check_order(new)
        return new

    _change(volume, course, assignment, changed, last_check)


def extend(
    volume: Volume,
    course: str,
    assignment: str,
    student: str,
    extension: Extension,
    last_check: LastCheck = no_check,
) -> None:
    """Give a student more time, in place of what was given before; what else somebody wrote into the entry stays.

    Args:
        last_check: see `EditableFile.change`.

    Raises:
        WrongDates: it is no more time than everybody has, or there is no date that it could move.
        AssignmentNotFound, BrokenManifest: see `change`.
    """

    def changed(file: AssignmentFile) -> AssignmentFile:
        _check_extension(file, extension)
        before = file.extensions.get(student)
        given = extension if before is None else replace(extension, more=before.more)
        return replace(file, extensions={**file.extensions, student: given})

    _change(volume, course, assignment, changed, last_check)


def take_back_extension(
    volume: Volume, course: str, assignment: str, student: str, last_check: LastCheck = no_check
) -> bool:
    """Let the assignment's dates count for a student again.

    Args:
        last_check: see `EditableFile.change`.

    Returns:
        whether there was an extension.

    Raises:
        AssignmentNotFound, BrokenManifest: see `change`.
    """
    had: list[bool] = []

    def changed(file: AssignmentFile) -> AssignmentFile:
        had[:] = [student in file.extensions]
        return replace(file, extensions={name: given for name, given in file.extensions.items() if name != student})

    _change(volume, course, assignment, changed, last_check)
    return had[0]


def check_order(file: AssignmentFile) -> None:
    """Look whether what comes later is later: release, due, close.

    Raises:
        WrongDates: it is not.
    """
    named = [(name, moment) for name in DATES if (moment := getattr(file, name)) is not None]
    for (earlier, first), (later, second) in itertools.pairwise(named):
        if first.at > second.at:
            raise WrongDates(
                f"the {earlier} date, {first}, is later than the {later} date, {second}: release, due and close have "
                "to follow one another"
            )


def _check_extension(file: AssignmentFile, extension: Extension) -> None:
    if extension.due is None and extension.close is None:
        raise WrongDates("an extension needs a due date, a close date or both")
    if extension.due is not None and file.due is None:
        raise WrongDates("there is no due date that could be extended: set that first")
    for name in ("due", "close"):
        everybodys, given = getattr(file, name), getattr(extension, name)
        if everybodys is not None and given is not None and given.at <= everybodys.at:
            raise WrongDates(f"{given} is not later than the {name} date of everybody, {everybodys}")
    if extension.due is not None and extension.close is not None and extension.due.at > extension.close.at:
        raise WrongDates(f"the due date, {extension.due}, is later than the close date, {extension.close}")


def _later(first: Moment | None, second: Moment | None) -> Moment | None:
    if first is None or second is None:
        return first or second
    return second if second.at > first.at else first


def _change(
    volume: Volume,
    course: str,
    assignment: str,
    changed: Callable[[AssignmentFile], AssignmentFile],
    last_check: LastCheck,
) -> None:
    try:
        _file(volume, course, assignment).change(changed, last_check)
    except (FileNotFoundError, NotADirectoryError):
        raise AssignmentNotFound(assignment) from None


def _file(volume: Volume, course: str, assignment: str) -> EditableFile[AssignmentFile]:
    path = layout.dates(volume.root, course, assignment)
    return EditableFile(
        volume, path, volume.dates, AssignmentFile.to_yaml, lock=("dates", course, assignment), if_missing=NO_DATES
    )
