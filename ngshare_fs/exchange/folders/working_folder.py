"""What a student has of an assignment: is it fetched, of which course is it, is there a newer release?"""

import os
from collections.abc import Sequence
from typing import NamedTuple

from ngshare_fs.exchange.folders.origin import ORIGIN, Origin, read_origin
from ngshare_fs.exchange.folders.replacing import SCRATCH
from ngshare_fs.formats.file_names import is_ignored, normal

# Where feedback is put, in the folder of the assignment.
FEEDBACK = "feedback"


class WorkingFolder(NamedTuple):
    """Where a student works on an assignment, or would.

    Args:
        is_fetched: the assignment is there.
        remark: for a list; empty where there is nothing to say.
    """

    is_fetched: bool
    remark: str


def look_at(folder: str, course: str, assignment: str, newest: str | None, ignore: Sequence[str]) -> WorkingFolder:
    """What is there.

    Args:
        folder: where the assignment would be.
        course, assignment: which it is.
        newest: when it was last released; None where nobody knows.
        ignore: globs of what is never fetched.
    """
    folder = os.path.normpath(folder)
    if not os.path.isdir(folder):
        in_the_way = os.path.lexists(folder)
        return WorkingFolder(False, f"not downloaded: {folder} is in the way, and no folder" if in_the_way else "")
    origin = read_origin(folder)
    if origin is not None and not is_of(origin, course, assignment):
        which = f"the assignment {origin.assignment} of the course {origin.course}"
        return WorkingFolder(False, f"not downloaded: the folder {folder} is {which}")
    if not is_copy(folder, origin, ignore):
        return WorkingFolder(False, "")
    remark = "already downloaded"
    if origin is not None and origin.timestamp is not None and newest is not None and newest > origin.timestamp:
        remark += f"; a newer release is there: {newest}"
    return WorkingFolder(True, remark)


def is_of(origin: Origin, course: str, assignment: str) -> bool:
    """Whether a folder was fetched from this assignment.

    Args:
        origin: what the folder says of itself.
        course, assignment: which one.
    """
    return (normal(origin.course), normal(origin.assignment)) == (normal(course), normal(assignment))


def is_copy(folder: str, origin: Origin | None, ignore: Sequence[str]) -> bool:
    """Whether an assignment is in a folder: feedback that was fetched there does not make it one.

    Args:
        folder: where a student works.
        origin: what the folder says of itself; one that was fetched and emptied since is a copy.
        ignore: globs of what is never fetched.
    """
    if origin is not None:
        return True
    for name in os.listdir(folder):
        if name == FEEDBACK and os.path.isdir(os.path.join(folder, name)):
            continue
        if not name.startswith((ORIGIN, SCRATCH)) and not is_ignored(name, ignore):
            return True
    return False
