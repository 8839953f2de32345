"""Where everything lies on the volume; `docs/volume-format.md` is the same in prose."""

import errno
import os
import stat
from typing import NamedTuple

from ngshare_fs.store.files.estale import retry_on_estale
from ngshare_fs.store.format import timestamp
from ngshare_fs.store.format.names import folder_of
from ngshare_fs.store.format.timestamp import Timestamp

LAYOUT = 2

VOLUME_FILE = "ngshare.yaml"
COURSES = "courses"
TRASH = "trash"
TRASH_FILE = "trash.yaml"
JOURNAL = "journal"
JOURNAL_OF_COURSES = os.path.join(JOURNAL, "courses")
JOURNAL_OF_VOLUME = os.path.join(JOURNAL, "volume")
PRIVATE = ".ngshare"
LOCKS = os.path.join(PRIVATE, "locks")
STAGING = os.path.join(PRIVATE, "staging")
COOKIE_SECRET = os.path.join(PRIVATE, "cookie-secret")
LAST_VERIFY = os.path.join(PRIVATE, "last-verify.yaml")
LAST_BACKUP = os.path.join(PRIVATE, "last-backup")
LAST_COUNT = os.path.join(PRIVATE, "last-count.jsonl")
HISTORY = os.path.join(PRIVATE, "history.jsonl")

COURSE_FILE = "course.yaml"
ASSIGNMENT_FILE = "assignment.yaml"
ASSIGNMENTS = "assignments"
RELEASES = "releases"
SUBMISSIONS = "submissions"
FEEDBACK = "feedback"
MANIFEST = "manifest.yaml"
FILES = "files"

# What file systems put into the folder that is their root.
LOST_AND_FOUND = "lost+found"


def status_of(path: str) -> os.stat_result | None:
    """What is known of a file or folder; None where there is none.

    `os.path.isdir` says no where the disk fails, and a student would hear that the assignment is not there.

    Raises:
        OSError: nobody can tell.
    """
    try:
        return retry_on_estale(os.stat, path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def identity(path: str) -> tuple[int, int] | None:
    """What tells a folder from an earlier or later one of the same name; None where there is none."""
    status = status_of(path)
    return None if status is None else _identity_of(status)


def _identity_of(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


class KnownFolder(NamedTuple):
    """A folder that somebody has looked at. Another one may have its name since."""

    path: str
    identity: tuple[int, int]

    @classmethod
    def look(cls, path: str) -> "KnownFolder":
        """Look at a folder.

        Raises:
            FileNotFoundError: there is none.
        """
        status = status_of(path)
        if status is None or not stat.S_ISDIR(status.st_mode):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return cls(path, _identity_of(status))

    def is_there(self) -> bool:
        """Whether it is still the one of this name."""
        return identity(self.path) == self.identity

    def check(self) -> None:
        """The same, for a change that must not land in another one.

        Raises:
            FileNotFoundError: it is not.
        """
        if not self.is_there():
            raise FileNotFoundError(errno.ENOENT, "the folder was removed or replaced", self.path)


def is_folder(path: str) -> bool:
    """Whether there is such a folder; raises as `status_of` does."""
    status = status_of(path)
    return status is not None and stat.S_ISDIR(status.st_mode)


def names_in(folder: str) -> list[str]:
    """The names of what lies in a folder, sorted; none where there is no such folder.

    Raises:
        OSError: it cannot be read.
    """
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def is_taken(place: str) -> bool:
    """Whether anything lies at a place but an empty folder, which gives way to a `rename`."""
    return os.path.lexists(place) and not (is_folder(place) and not os.listdir(place))


def courses(root: str) -> str:
    """The folder of all courses."""
    return os.path.join(root, COURSES)


def course(root: str, course: str) -> str:
    """A course's folder."""
    return os.path.join(root, COURSES, folder_of(course))


def roster(root: str, course_name: str) -> str:
    """The file that names a course's instructors and students."""
    return os.path.join(course(root, course_name), COURSE_FILE)


def assignments(root: str, course_name: str) -> str:
    """The folder of a course's assignments."""
    return os.path.join(course(root, course_name), ASSIGNMENTS)


def assignment(root: str, course_name: str, assignment: str) -> str:
    """An assignment's folder."""
    return os.path.join(assignments(root, course_name), folder_of(assignment))


def releases(root: str, course: str, assignment_name: str) -> str:
    """The folder of an assignment's releases."""
    return os.path.join(assignment(root, course, assignment_name), RELEASES)


def submissions(root: str, course: str, assignment_name: str) -> str:
    """The folder that has one folder for each student who handed in."""
    return os.path.join(assignment(root, course, assignment_name), SUBMISSIONS)


def submissions_of(root: str, course: str, assignment: str, student: str) -> str:
    """The folder of one student's submissions to one assignment."""
    return os.path.join(submissions(root, course, assignment), folder_of(student))


def submission(root: str, course: str, assignment: str, student: str, moment: Timestamp) -> str:
    """The folder of one submission."""
    return os.path.join(submissions_of(root, course, assignment, student), timestamp.folder_of(moment))


def feedback(root: str, course: str, assignment: str, student: str, moment: Timestamp) -> str:
    """The folder of the feedback on one submission."""
    return os.path.join(submission(root, course, assignment, student, moment), FEEDBACK)
