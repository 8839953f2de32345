"""Retention: older submissions go to the trash, where each can be brought back from for as long as it lies there.

What stays, whatever the rule says: the newest submission of each student to each assignment that can be read, and the
newest of those in time, which counts at the due date; whatever has feedback; and what was handed in within the last
day. Until then a client may repeat what it handed in, and has to find it by its key.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from ngshare_fs.store import dates, submission
from ngshare_fs.store.assignment import assignments_of
from ngshare_fs.store.errors import AssignmentNotFound, BrokenManifest, CourseNotFound, SubmissionNotFound
from ngshare_fs.store.format import course_file, layout, timestamp
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading.cached_folders import timestamps_in
from ngshare_fs.store.reading.tree_size import TreeSize, size_of_tree
from ngshare_fs.store.reading.yaml_file import read_once
from ngshare_fs.store.submission import submissions_to
from ngshare_fs.store.volume import Volume, check_present

# A client that had no answer repeats what it handed in, under the same key; for so long it has to find the first one.
YOUNG = timedelta(days=1)


@dataclass(frozen=True)
class Surplus:
    """A submission that a rule lets go.

    Args:
        course, assignment, student, timestamp: which.
        keep: how many of the student's newest ones to the assignment stay.
    """

    course: str
    assignment: str
    student: str
    timestamp: Timestamp
    keep: int


class _Stays(Exception):
    """It is not surplus any more."""


def rule_of(volume: Volume, course: str) -> int | None:
    """How many submissions the course's own rule keeps; None where it has none.

    Raises:
        CourseNotFound: there is no such course.
        BrokenManifest: its file cannot be understood, so nobody can say.
    """
    try:
        return read_once(layout.roster(volume.root, course), course_file.understand).rules.keep
    except (FileNotFoundError, NotADirectoryError):
        check_present(volume)
        raise CourseNotFound(course) from None


def surplus_in(volume: Volume, course: str, keep: int) -> Iterator[Surplus]:
    """The submissions of a course that may go, by assignment and student, the oldest first.

    Args:
        keep: how many of a student's newest ones to an assignment stay; 1 at least.

    Raises:
        CourseNotFound: there is no such course.
    """
    for assignment in assignments_of(volume, course):
        by_student: dict[str, list[Timestamp]] = {}
        with contextlib.suppress(AssignmentNotFound):  # deleted meanwhile
            for each in submissions_to(volume, course, assignment):
                by_student.setdefault(each.student, []).append(each.timestamp)
        for student in sorted(by_student):
            parent = layout.submissions_of(volume.root, course, assignment, student)
            old = _older_than_newest(parent, by_student[student], keep)
            kept = _counting_at_the_due_date(volume, course, assignment, student, by_student[student]) if old else []
            for moment in old:
                found = Surplus(course, assignment, student, moment, keep)
                if moment not in kept and not _has_feedback(volume, found):
                    yield found


def size_of(volume: Volume, surplus: Surplus) -> TreeSize:
    """What it takes.

    Raises:
        BrokenManifest: its manifest cannot be read.
        FileNotFoundError: it is gone.
    """
    return size_of_tree(_place(volume, surplus))


def prune(volume: Volume, surplus: Surplus, by: str) -> bool:
    """Move one to the trash.

    Args:
        by: who does it.

    Returns:
        whether it was; False where it stays after all: it has got feedback, newer ones are gone, or it is.
    """

    def last_check() -> None:
        whose = (surplus.course, surplus.assignment, surplus.student)
        parent = layout.submissions_of(volume.root, *whose)
        moments = timestamps_in(parent)
        may_go = surplus.timestamp in _older_than_newest(parent, moments, surplus.keep)
        if not may_go or surplus.timestamp in _counting_at_the_due_date(volume, *whose, moments):
            raise _Stays
        if _has_feedback(volume, surplus):
            raise _Stays

    # Under the lock of the feedback on it: what is given by then is seen, and what comes later finds nothing any more.
    with volume.locks.hold("publish", _feedback(volume, surplus)[len(volume.root) :]):
        try:
            submission.delete(
                volume, surplus.course, surplus.assignment, surplus.student, surplus.timestamp, by, last_check
            )
        except (_Stays, SubmissionNotFound):
            return False
    return True


def _older_than_newest(parent: str, moments: list[Timestamp], keep: int) -> list[Timestamp]:
    """Those of a student's submissions, oldest first, that are neither young nor among the newest.

    One that cannot be read is none of the newest: what it should have been may be in the one before.
    """
    left = max(keep, 1)
    if len(moments) <= left:
        return []
    position = len(moments)
    while left and position:
        position -= 1
        with contextlib.suppress(BrokenManifest, OSError):
            size_of_tree(os.path.join(parent, timestamp.folder_of(moments[position])))
            left -= 1
    young = timestamp.ago(YOUNG)
    return [moment for moment in moments[:position] if moment < young]


def _counting_at_the_due_date(
    volume: Volume, course: str, assignment: str, student: str, moments: list[Timestamp]
) -> list[Timestamp]:
    """Those of a student's submissions that may be the newest one in time; all where nobody can say what is."""
    try:
        in_time = dates.in_time(volume, course, assignment)
    except BrokenManifest:
        return moments
    except (AssignmentNotFound, CourseNotFound):
        return []
    parent = layout.submissions_of(volume.root, course, assignment, student)
    found = []
    for moment in reversed(moments):
        if in_time(student, moment):
            found.append(moment)
            with contextlib.suppress(BrokenManifest, OSError):
                size_of_tree(os.path.join(parent, timestamp.folder_of(moment)))
                break
    return found


def _place(volume: Volume, surplus: Surplus) -> str:
    return layout.submission(volume.root, surplus.course, surplus.assignment, surplus.student, surplus.timestamp)


def _feedback(volume: Volume, surplus: Surplus) -> str:
    return os.path.join(_place(volume, surplus), layout.FEEDBACK)


def _has_feedback(volume: Volume, surplus: Surplus) -> bool:
    return bool(timestamps_in(_feedback(volume, surplus)))
