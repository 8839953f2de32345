"""What lies where in nbgrader's exchange folder, and how its folders and files are named.

    ROOT/COURSE/outbound/ASSIGNMENT/…                                    a release
    ROOT/COURSE/inbound/STUDENT+ASSIGNMENT+TIMESTAMP[+RANDOM]/…          a submission
    ROOT/COURSE/feedback/HASH.html                                       a page of feedback

In each submission, nbgrader puts two files beside the student's: the time as text, and a secret that only the student
and the instructor know, from which the names of the pages are made.
"""

import hashlib
import os
import re
from collections.abc import Iterable
from typing import BinaryIO, NamedTuple

OUTBOUND = "outbound"
INBOUND = "inbound"
FEEDBACK = "feedback"
OF_A_COURSE = (OUTBOUND, INBOUND, FEEDBACK)

TIMESTAMP_FILE = "timestamp.txt"
SECRET_FILE = "submission_secret.txt"  # noqa: S105
# What Jupyter leaves beside notebooks; nbgrader ignores it as well.
CHECKPOINTS = ".ipynb_checkpoints"
NOTEBOOK = ".ipynb"
PAGE = ".html"

CHUNK = 1024 * 1024

_RANDOM = re.compile("[A-Za-z0-9_-]{12}")


class SubmissionName(NamedTuple):
    """What the name of a submission's folder says."""

    student: str
    assignment: str
    time: str


def split_submission_name(name: str, time: str | None) -> SubmissionName | None:
    """Take the name of a submission's folder apart; None where it is none.

    nbgrader itself reads `a+b+ps1+TIME` as a submission of `a` to `b`. With the time, that can be told from `ps1+TIME`
    with a random end.

    Args:
        name: of the folder.
        time: what the submission's file says; None where there is none.
    """
    if time is not None:
        above, found, end = name.rpartition(f"+{time}")
        if found and (not end or end[0] == "+"):
            student, plus, assignment = above.rpartition("+")
            return SubmissionName(student, assignment, time) if plus and student and assignment else None
    parts = name.split("+")
    if len(parts) > 3 and _RANDOM.fullmatch(parts[-1]):
        parts.pop()
    *student_parts, assignment, moment = parts if len(parts) > 2 else ("", "", "")
    student = "+".join(student_parts)
    return SubmissionName(student, assignment, moment) if student and assignment and moment else None


def notebooks_in(paths: Iterable[str]) -> list[str]:
    """The notebooks among the files of a tree, without endings: nbgrader knows those alone that lie in no folder."""
    return [path[: -len(NOTEBOOK)] for path in paths if path.endswith(NOTEBOOK) and "/" not in path]


def page_by_secret(secret: bytes, notebook: str) -> str:
    """The name of a page of feedback as nbgrader has made it since 0.7, without its ending.

    Args:
        secret: of the submission.
        notebook: its name without an ending.
    """
    return hashlib.md5(secret + os.fsencode(notebook), usedforsecurity=False).hexdigest()


def page_by_content(content: BinaryIO, submission: SubmissionName, course: str, notebook: str) -> str:
    """The same as before that: what was handed in, whose it is, and when.

    nbgrader still looks for it where a student's copy has no secret.

    Args:
        content: of the notebook as it was handed in.
        submission: what the name of its folder says.
        course: its course.
        notebook: its name without an ending.
    """
    return pages_by_content(content, submission, course, notebook)[0]


def pages_by_content(content: BinaryIO, submission: SubmissionName, course: str, notebook: str) -> tuple[str, str]:
    """What `page_by_content` says, and the oldest name: whoever handed in the same notebook got the same page.

    Args:
        content, submission, course, notebook: see `page_by_content`.
    """
    digest = hashlib.md5(usedforsecurity=False)
    while piece := content.read(CHUNK):
        digest.update(piece)
    oldest = digest.hexdigest()
    key = "+".join((course, submission.assignment, notebook, submission.student, submission.time))
    digest.update(os.fsencode(key))
    return digest.hexdigest(), oldest
