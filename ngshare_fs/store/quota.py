"""How much may be stored: on the volume, in a course, and by one student in a course. What that takes by now."""

import contextlib
import os
from dataclasses import dataclass
from datetime import timedelta

from ngshare_fs.store.errors import BrokenManifest
from ngshare_fs.store.files.estale import retry_on_estale
from ngshare_fs.store.format import layout, names, timestamp
from ngshare_fs.store.format.course_rules import CourseRules
from ngshare_fs.store.reading.tree import newest_in
from ngshare_fs.store.reading.tree_size import size_of_tree
from ngshare_fs.store.volume import Volume

# For so long a client may repeat what it handed in.
REPEATED_WITHIN = timedelta(days=1)


@dataclass(frozen=True)
class Limits:
    """In bytes; 0 is no limit.

    Args:
        volume: of all courses and the trash together.
        course: of each course, without the trash.
        student: of what one student hands in to one course.
    """

    volume: int = 0
    course: int = 0
    student: int = 0

    def in_course(self, rules: CourseRules) -> "Limits":
        """What counts in a course that has rules of its own."""
        return Limits(
            self.volume,
            self.course if rules.quota is None else rules.quota,
            self.student if rules.quota_of_student is None else rules.quota_of_student,
        )


NO_LIMITS = Limits()


@dataclass(frozen=True)
class Used:
    """What is taken of them, as far as it has been counted; None where it has not.

    Args:
        volume, course: see `Limits`.
    """

    volume: int | None = None
    course: int | None = None


NOT_COUNTED = Used()


def used_by_student(volume: Volume, course: str, student: str) -> int:
    """What a student has handed in to a course, in bytes, without what lies in the trash."""
    assignments = layout.assignments(volume.root, course)
    try:
        folders = retry_on_estale(os.listdir, assignments)
    except (FileNotFoundError, NotADirectoryError):
        return 0
    own = names.folder_of(student)
    return sum(volume.sizes.bytes_in(f"{assignments}/{folder}/{layout.SUBMISSIONS}/{own}") for folder in folders)


def perhaps_repeated(volume: Volume, course: str, assignment: str, student: str) -> int:
    """What a student handed in last to an assignment, in bytes, if they may be about to hand it in again.

    A client that had no answer does, under the same key; then nothing is stored a second time.
    """
    parent = layout.submissions_of(volume.root, course, assignment, student)
    newest = newest_in(parent)
    if newest is not None and newest > timestamp.ago(REPEATED_WITHIN):
        with contextlib.suppress(BrokenManifest, FileNotFoundError):
            return size_of_tree(os.path.join(parent, timestamp.folder_of(newest))).bytes
    return 0
