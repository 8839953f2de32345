"""What the store refuses, in the field's words. The API maps each to a status and a message."""

import errno
import os

from ngshare_fs.store.files.plain_file import NotPlain


class StoreError(Exception):
    """Base of everything the store refuses or cannot do."""


class VolumeError(StoreError):
    """The folder cannot serve as a volume. The text is one line: what is wrong, where, and the remedy."""


class CourseNotFound(StoreError):
    """No course of that name."""


class CourseExists(StoreError):
    """A course of that name is there already."""


class InstructorNotFound(StoreError):
    """The user is no instructor of the course."""


class GraderNotFound(StoreError):
    """The user is no grader of the course."""


class StudentNotFound(StoreError):
    """The user is no student of the course, and has handed in nothing."""


class IsInstructor(StoreError):
    """An instructor cannot be a grader or a student of the same course."""


class IsGrader(StoreError):
    """A grader cannot be a student of the same course."""


class AssignmentNotFound(StoreError):
    """No assignment of that name in the course."""


class AssignmentExists(StoreError):
    """The assignment was released before."""


class SubmissionNotFound(StoreError):
    """The student has handed in nothing, or nothing at that time."""


class KeyUsed(StoreError):
    """The key of a submission belongs to an earlier one with other files."""


class IllegalPath(StoreError):
    """A path in a directory tree that could reach outside it, or that cannot be stored."""


class BrokenManifest(StoreError):
    """A YAML file that cannot be read or understood; it is never overwritten.

    Args:
        file: its path.
        line: the line of the problem, counted from 1; None where nothing of the file can be read.
        problem: what is wrong there.
    """

    def __init__(self, file: str, line: int | None, problem: str) -> None:
        super().__init__(_at(file, line, problem))
        self.file = file
        self.line = line
        self.problem = problem

    def __reduce__(self) -> tuple[type["BrokenManifest"], tuple[str, int | None, str]]:
        return type(self), (self.file, self.line, self.problem)

    def seen_from(self, root: str) -> str:
        """The same in a line for people who need not know where the volume is: the path is relative to `root`."""
        return _at(os.path.relpath(self.file, root), self.line, self.problem)


def _at(file: str, line: int | None, problem: str) -> str:
    return f"{file}: {problem}" if line is None else f"{file}, line {line}: {problem}"


class Unreadable(StoreError):
    """A file or folder may not be looked at, or is of another kind than belongs there; the rest of the volume works."""


class DamagedTree(StoreError):
    """Stored files are missing or differ in size from their manifest."""


class WrongDates(StoreError):
    """Dates that cannot be: the text says what is wrong with them, and what to do."""


class AssignmentClosed(StoreError):
    """Work is not accepted any more; the text says of what, and since when."""


class LockTimeout(StoreError):
    """Somebody else held a lock for too long."""


class LockLost(StoreError):
    """Another machine could have the lock by now under which something was to be changed: nothing was."""


class Interrupted(StoreError):
    """The process that was writing has ended, or where it wrote was moved: it is stored wholly, or not at all."""


class VolumeFull(StoreError):
    """No space, no inodes or no quota left."""


class VolumeReadOnly(StoreError):
    """The volume cannot be written: mounted read-only, or not ours to write."""


class VolumeFailure(StoreError):
    """The disk or its network failed; what was being written is not stored."""


# What is wrong with one file or folder: it may not be looked at, or something of another kind stands in its place.
_OF_ONE_PLACE = (errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.ELOOP)


def concerns_one_place(error: OSError) -> bool:
    """Whether a failed look at the volume says something of that one place, and nothing of the volume."""
    return isinstance(error, NotPlain) or error.errno in _OF_ONE_PLACE


def from_failed_look(error: OSError) -> StoreError:
    """The store's word for a system call that failed where nothing was to be written."""
    if concerns_one_place(error):
        return Unreadable(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    return from_os_error(error)


def from_os_error(error: OSError) -> StoreError:
    """The store's word for a failed system call."""
    reason = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return VolumeFull(reason)
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return VolumeReadOnly(reason)
    return VolumeFailure(reason)
