"""All feedback that one has been given in a course."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.store import Timestamp, assignment, feedback, submission
from ngshare_fs.store.errors import AssignmentNotFound, SubmissionNotFound
from ngshare_fs.store.problems import Problems
from ngshare_fs.web.frame.page import Page
from ngshare_fs.web.frame.part_of_table import PART, part_of
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.student.course import COURSE
from ngshare_fs.web.student.handed_in import MOST_FILES, ShownFile, shown_files

# Each has its files with it.
GIVEN_AT_ONCE = 20


@dataclass(frozen=True)
class Given:
    """The newest feedback on a submission of one's own.

    Args:
        assignment: to which that is.
        submission: its timestamp.
        at: when the feedback was given.
        is_of_newest: whether nothing was handed in since.
        files: of the feedback; None where they cannot be read.
    """

    assignment: str
    submission: Timestamp
    at: Timestamp
    is_of_newest: bool
    files: Sequence[ShownFile] | None = None


def read(visit: Visit) -> Mapping[str, Any]:
    """The feedback, the newest first."""
    found = sorted(_given(visit), key=lambda each: each.at, reverse=True)
    part = part_of(found, visit.query.get(PART), GIVEN_AT_ONCE)
    rows = [replace(each, files=_files(visit, each)) for each in part.rows]
    return {"course": visit.course, "user": visit.user, "given": replace(part, rows=rows), "most_files": MOST_FILES}


def _given(visit: Visit) -> Iterator[Given]:
    problems = Problems(visit.volume)
    names: list[str] = []
    with problems.noted():
        names = assignment.assignments_of(visit.volume, visit.course)
    for name in names:
        work = (visit.volume, visit.course, name)
        with contextlib.suppress(AssignmentNotFound), problems.noted():
            # What somebody has handed in they go on reading, whatever became of the assignment.
            found = submission.submissions_by(*work, visit.user)
            for each in found:
                at = feedback.given_at(*work, *each)
                if at is not None:
                    yield Given(name, each.timestamp, at, each is found[-1])


def _files(visit: Visit, each: Given) -> Sequence[ShownFile] | None:
    with Problems(visit.volume).noted(), contextlib.suppress(SubmissionNotFound):
        tree = feedback.newest(visit.volume, visit.course, each.assignment, visit.user, each.submission)
        if tree is not None:
            with tree:
                return shown_files(tree.manifest)
    return None


FEEDBACK = Page("pages/feedback/{course}", Who.MEMBER, "feedback", read, under=COURSE, in_menu=True, for_students=True)
