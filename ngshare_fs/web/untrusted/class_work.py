"""Which submissions of a class go into a zip, and with what."""

import enum
from collections.abc import Callable
from functools import partial

from ngshare_fs.store import FEEDBACK, SUBMISSION, Submission, Timestamp, Tree, Volume, dates, feedback, submission
from ngshare_fs.store.dates import Dates
from ngshare_fs.web.untrusted.trees_in_zip import Part


class Which(enum.Enum):
    """Which submissions of each student."""

    NEWEST = "newest"
    ALL = "all"
    IN_TIME = "in-time"  # the newest that was in time, by each student's own due date; none of who has none


def class_work(volume: Volume, course: str, assignment: str, which: Which, with_feedback: bool = False) -> list[Part]:
    """What of an assignment goes into a zip: a folder for each student, and in it one for each submission if all do.

    Args:
        with_feedback: with the newest feedback on each of them, in a folder beside it.

    Raises:
        AssignmentNotFound, CourseNotFound: they are gone.
        BrokenManifest: nobody can say what is in time.
    """
    work = volume, course, assignment
    dates_of = _dates_for(volume, course, assignment, which)
    parts: list[Part] = []
    for found in _chosen(volume, course, assignment, which, dates_of):
        late = dates_of(found.student).late_seconds(found.timestamp)
        folders = (found.student, *((_folder_of(found.timestamp),) if which is Which.ALL else ()))
        opens: dict[str, Callable[[], Tree | None]] = {SUBMISSION: partial(submission.collect, *work, *found)}
        if with_feedback:
            opens[FEEDBACK] = partial(feedback.newest, *work, *found)
        for kind, opening in opens.items():
            own = (*folders, kind) if with_feedback else folders
            parts.append(Part(found.student, found.timestamp, late, kind, own, opening))
    return parts


def chosen(volume: Volume, course: str, assignment: str, which: Which) -> list[Submission]:
    """The submissions that go in.

    Raises:
        AssignmentNotFound, CourseNotFound, BrokenManifest: see `class_work`.
    """
    return _chosen(volume, course, assignment, which, _dates_for(volume, course, assignment, which))


def _dates_for(volume: Volume, course: str, assignment: str, which: Which) -> Callable[[str], Dates]:
    work = volume, course, assignment
    return dates.of_everybody(*work) if which is Which.IN_TIME else dates.of_everybody_as_far_as_known(*work)


def _chosen(
    volume: Volume, course: str, assignment: str, which: Which, dates_of: Callable[[str], Dates]
) -> list[Submission]:
    def is_in_time(student: str, moment: Timestamp) -> bool:
        return not dates_of(student).late_seconds(moment)

    if which is Which.ALL:
        return sorted(submission.submissions_to(volume, course, assignment))
    if which is Which.NEWEST:
        return submission.to_collect(volume, course, assignment, None, None)
    found = submission.to_collect(volume, course, assignment, None, None, is_in_time)
    return [each for each in found if is_in_time(*each)]


def _folder_of(moment: Timestamp) -> str:
    """The folder of a submission: sorted as time is, and without colons, which Windows does not take."""
    return moment.replace(":", ".")
