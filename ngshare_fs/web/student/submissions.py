"""All that somebody has handed in to an assignment, with its files and the feedback on it.

For themselves, also after they have left the course, and for those who grade.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.store import Tree, feedback, submission
from ngshare_fs.store.dates import Dates
from ngshare_fs.store.errors import SubmissionNotFound
from ngshare_fs.store.problems import Problems
from ngshare_fs.web.frame.page import Page
from ngshare_fs.web.frame.part_of_table import PART, Part, part_of
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.own_work import takes_work_of
from ngshare_fs.web.student.assignment import ASSIGNMENT
from ngshare_fs.web.student.handed_in import (
    MOST_FILES,
    HandedIn,
    ShownFile,
    dates_as_far_as_known,
    handed_in,
    is_contested,
    shown_files,
)

# Each has its files with it.
SUBMISSIONS_AT_ONCE = 10


@dataclass(frozen=True)
class Entry:
    """A submission with its files.

    Args:
        submission: which.
        files: of it; None where they cannot be read.
        feedback_files: those of the newest feedback, none where there is none; None where they cannot be read.
    """

    submission: HandedIn
    files: Sequence[ShownFile] | None
    feedback_files: Sequence[ShownFile] | None


def read(visit: Visit) -> Mapping[str, Any]:
    """The submissions, the newest first."""
    student = visit.named_user
    applying = dates_as_far_as_known(visit, student)
    found = handed_in(visit, student, applying or Dates())
    part = part_of(found, visit.query.get(PART), SUBMISSIONS_AT_ONCE)
    return {
        "course": visit.course,
        "assignment": visit.assignment,
        "student": student,
        "is_self": student == visit.user,
        "grades": visit.grades,
        "may_hand_in": student == visit.user and applying is not None and takes_work_of(visit, applying),
        "dates_known": applying is not None,
        "submissions": Part([_entry(visit, each) for each in part.rows], part.number, part.parts, part.total),
        "most_files": MOST_FILES,
        "is_contested": is_contested(found),
    }


def _entry(visit: Visit, each: HandedIn) -> Entry:
    which = (*visit.asking.work, visit.named_user, each.timestamp)
    return Entry(
        each,
        _files(visit, partial(submission.collect, *which)),
        _files(visit, partial(feedback.newest, *which)) if each.feedback else (),
    )


def _files(visit: Visit, opening: Callable[[], Tree | None]) -> Sequence[ShownFile] | None:
    # One that cannot be read hides no other.
    with Problems(visit.volume).noted(), contextlib.suppress(SubmissionNotFound):
        tree = opening()
        if tree is None:
            return ()
        with tree:
            return shown_files(tree.manifest)
    return None


SUBMISSIONS = Page(
    "pages/submissions/{course}/{assignment}/{user}",
    Who.GRADER_OR_SELF,
    "submissions",
    read,
    under=ASSIGNMENT,
    of_student=True,
)
