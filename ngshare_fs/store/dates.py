"""The dates of an assignment: when it is released, due and closed, and what that means for somebody's work.

They are compared with the clock at each use; nothing runs when one of them comes. Lateness is not stored anywhere: it
follows from the timestamp of a submission and the dates as they are now. A second that is named is meant whole: what
arrives at 23:59:59.9 is in time at 23:59:59.
"""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Literal

from ngshare_fs.formats.civil_time import Moment, moment_at
from ngshare_fs.formats.lateness import late_seconds
from ngshare_fs.formats.sentence import sentence
from ngshare_fs.store import roster
from ngshare_fs.store.editable_file import EditableFile
from ngshare_fs.store.errors import AssignmentClosed, AssignmentNotFound, BrokenManifest, StoreError, WrongDates
from ngshare_fs.store.format import layout
from ngshare_fs.store.format.assignment_file import DATES, NO_DATES, AssignmentFile, Extension, disorder, later
from ngshare_fs.store.format.course_rules import NO_RULES, CourseRules
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading.cached_yaml import Reading
from ngshare_fs.store.volume import Volume
from ngshare_fs.store.writing.last_check import LastCheck, no_check

State = Literal["scheduled", "open", "late", "closed"]
UTC = "UTC"
_SECOND = timedelta(seconds=1)
# Who has begun to send before the close date has this long after it for the rest. A slow line makes nobody too late;
# but with a byte now and then, an upload could be kept open for a day, and be finished with what others have solved.
LONGEST_AFTER_CLOSE = timedelta(hours=1)


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

    def is_in_time(self, moment: datetime | Timestamp) -> bool:
        """Whether work of that time is not late, the grace included; where nothing is due, all work is."""
        return not self.late_seconds(moment)

    def state(self, now: datetime) -> State:
        """What the assignment is at a time."""
        if not self.is_released(now):
            return "scheduled"
        if self.is_closed(now):
            return "closed"
        return "open" if self.is_in_time(now) else "late"


def now() -> datetime:
    """The present, by this machine's clock."""
    return datetime.now(timezone.utc)


def arrival(began: datetime, at: datetime) -> datetime:
    """When work counts as arrived, as far as it is to be accepted.

    Args:
        began: when it began to arrive.
        at: when all of it was there.
    """
    return max(began, at - LONGEST_AFTER_CLOSE)


def written(volume: Volume, course: str, assignment: str) -> AssignmentFile:
    """What the file of an assignment says; where it is broken by now, what it said before.

    Raises:
        AssignmentNotFound: there is no such assignment.
        BrokenManifest: the file cannot be understood, and never was.
    """
    return reading(volume, course, assignment).value


def serves_earlier(volume: Volume, course: str, assignment: str) -> bool:
    """Whether the file is broken, as far as this process has seen, and what it said before counts; takes no time."""
    return volume.dates.serves_earlier(_file(volume, course, assignment).path)


def reading(volume: Volume, course: str, assignment: str) -> Reading[AssignmentFile]:
    """The same, with what is wrong with the file by now.

    Raises:
        AssignmentNotFound, BrokenManifest: see `written`.
    """
    try:
        return _file(volume, course, assignment).read()
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


def as_far_as_known(volume: Volume, course: str, assignment: str, student: str | None = None) -> Dates:
    """The same; none where nobody can say which: no work is lost or held back for that.

    Raises:
        AssignmentNotFound, CourseNotFound: they are gone.
    """
    try:
        return of(volume, course, assignment, student)
    except BrokenManifest:
        return Dates()


def of_everybody(volume: Volume, course: str, assignment: str) -> Callable[[str], Dates]:
    """What tells the dates of an assignment as they apply to a student; it looks at the volume this once.

    Raises:
        AssignmentNotFound, CourseNotFound, BrokenManifest: see `of`.
    """
    file = written(volume, course, assignment)
    return for_each(file, NO_RULES if file == NO_DATES else roster.of(volume, course).rules)


def for_each(file: AssignmentFile, rules: CourseRules = NO_RULES) -> Callable[[str | None], Dates]:
    """The same of a file and the rules of its course; None stands for those without an extension."""
    everybodys = applying(file, rules)
    extended = functools.cache(partial(applying, file, rules))
    return lambda student: extended(student) if student in file.extensions else everybodys


def of_everybody_as_far_as_known(volume: Volume, course: str, assignment: str) -> Callable[[str], Dates]:
    """The same; none of anybody's where nobody can say which: work is handed out all the same.

    Raises:
        AssignmentNotFound, CourseNotFound: they are gone.
    """
    try:
        return of_everybody(volume, course, assignment)
    except BrokenManifest:
        return lambda _: Dates()


def in_time(volume: Volume, course: str, assignment: str) -> Callable[[str, Timestamp], bool]:
    """What says whether a student's work of some time is in time, by that student's own due date, grace included.

    Raises:
        AssignmentNotFound, CourseNotFound, BrokenManifest: see `of`.
    """
    dates_of = of_everybody(volume, course, assignment)
    return lambda student, moment: dates_of(student).is_in_time(moment)


def applying(file: AssignmentFile, rules: CourseRules = NO_RULES, student: str | None = None) -> Dates:
    """What a file and the rules of its course mean for a student, or for those without an extension."""
    extension = None if student is None else file.extensions.get(student)
    zone = rules.timezone or UTC
    grace = rules.grace if file.grace is None else file.grace
    due = later(file.due, extension.due if extension else None) if file.due else None
    close = file.close
    if close is None and due is not None and rules.close_after is not None:
        close = moment_at(due.at + rules.close_after, zone)
    if close is not None and extension is not None:
        close = later(later(close, extension.close), extension.due)
    return Dates(file.release, due, close, grace or timedelta(), zone, extension)


def check_open(volume: Volume, course: str, assignment: str, student: str, arrived: datetime | None) -> Dates:
    """Look whether a student's work is still accepted. This is the one place that decides it.

    Args:
        arrived: when it began to arrive; None where it is accepted at any time.

    Returns:
        the dates that count for it.

    Raises:
        AssignmentClosed: it came too late.
        AssignmentNotFound, CourseNotFound: they are gone.
    """
    dates = as_far_as_known(volume, course, assignment, student)
    if dates.close is not None and arrived is not None and dates.is_closed(arrived):
        raise AssignmentClosed(f"{assignment} closed at {dates.close}")
    return dates


def change(
    volume: Volume, course: str, assignment: str, changes: Mapping[str, object], last_check: LastCheck = no_check
) -> None:
    """Set or remove dates, by one write.

    Args:
        changes: `release`, `due`, `close` with a `Moment`, `grace` with a `timedelta`; with None what is to be removed.
        last_check: see `EditableFile.change`.

    Raises:
        WrongDates: they would be out of order, or an extension would be one of nothing.
        AssignmentNotFound: there is no such assignment.
        BrokenManifest: the file cannot be understood; it is left as it is.
    """
    change_file(volume, course, assignment, lambda file: changed(file, changes), last_check)


@contextlib.contextmanager
def changed_for(
    volume: Volume, course: str, assignment: str, changes: Mapping[str, object] | None, last_check: LastCheck = no_check
) -> Iterator[None]:
    """Change dates for what is done next, and take that back where it fails.

    Args:
        changes, last_check: see `change`; without any, nothing happens.

    Raises:
        see `change`.
    """
    steps: list[tuple[AssignmentFile, AssignmentFile]] = []

    def forth(file: AssignmentFile) -> AssignmentFile:
        steps[:] = [(file, changed(file, changes or {}))]
        return steps[0][1]

    def back(file: AssignmentFile) -> AssignmentFile:
        before, after = steps[0]
        return before if file == after else file  # unless somebody has changed it since

    try:
        if changes:
            change_file(volume, course, assignment, forth, last_check)
        yield
    except BaseException:
        if steps:
            # Why it failed is what the caller has to know, also where the disk lets nothing be taken back.
            with contextlib.suppress(StoreError, OSError):
                change_file(volume, course, assignment, back, no_check)
        raise


def show_earlier(volume: Volume, course: str, assignment: str, changes: Mapping[str, object]) -> bool:
    """Whether students see an assignment earlier after changes than before.

    Args:
        changes: see `change`.

    Raises:
        WrongDates, AssignmentNotFound, BrokenManifest: see `change`.
    """
    before = reading(volume, course, assignment).present
    after = changed(before, changes)
    if before.release is None:
        return False
    return after.release is None or after.release.at < before.release.at


def changed(file: AssignmentFile, changes: Mapping[str, object]) -> AssignmentFile:
    """What a file says after changes.

    Args:
        changes: see `change`.

    Raises:
        WrongDates: see `change`.
    """
    new = replace(file, **changes)  # type: ignore[arg-type] # by the names of its fields
    if any(name in changes for name in DATES):
        check_order(new)
    if file.due is not None and new.due is None:
        for student, given in file.extensions.items():
            if given.due is not None:
                raise WrongDates(
                    sentence("{student} has an extension of the due date: take that back first", student=student)
                )
    return new


def check_order(file: AssignmentFile) -> None:
    """Look whether what comes later is later: release, due, close.

    Raises:
        WrongDates: it is not.
    """
    for problem in disorder(file):
        raise WrongDates(sentence("{problem}: release, due and close have to follow one another", problem=problem))


def change_file(
    volume: Volume,
    course: str,
    assignment: str,
    new: Callable[[AssignmentFile], AssignmentFile],
    last_check: LastCheck,
) -> None:
    """Change the file of an assignment by one write.

    Args:
        new: see `EditableFile.change`; so is `last_check`.

    Raises:
        AssignmentNotFound, BrokenManifest: see `change`.
    """
    try:
        _file(volume, course, assignment).change(new, last_check)
    except (FileNotFoundError, NotADirectoryError):
        raise AssignmentNotFound(assignment) from None


def _file(volume: Volume, course: str, assignment: str) -> EditableFile[AssignmentFile]:
    return file_in(volume, layout.assignment(volume.root, course, assignment))


def file_in(volume: Volume, folder: str) -> EditableFile[AssignmentFile]:
    """The file with the dates of the assignment in a folder, wherever that is; in the trash, say."""
    path = os.path.join(folder, layout.ASSIGNMENT_FILE)
    lock = ("dates", folder[len(volume.root) :])
    return EditableFile(volume, path, volume.dates, AssignmentFile.to_yaml, lock, if_missing=NO_DATES)
