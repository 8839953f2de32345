"""Submissions: what students hand in."""

import os
from collections.abc import Callable, Collection
from datetime import datetime

from ngshare_fs import metrics
from ngshare_fs.store import dates, trash
from ngshare_fs.store.assignment import exists
from ngshare_fs.store.dated_tree import publish
from ngshare_fs.store.dates import Dates
from ngshare_fs.store.errors import AssignmentClosed, AssignmentNotFound, SubmissionNotFound
from ngshare_fs.store.format import layout, names, timestamp, trash_file
from ngshare_fs.store.format.layout import KnownFolder
from ngshare_fs.store.format.manifest import SUBMISSION, Manifest
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading.cached_folders import Submission, timestamps_in
from ngshare_fs.store.reading.one_folder import found_in_one
from ngshare_fs.store.reading.tree import Tree, full_name, newest_in
from ngshare_fs.store.reading.tree_size import size_of_tree
from ngshare_fs.store.volume import Volume, make_missing
from ngshare_fs.store.writing.last_check import LastCheck, no_check
from ngshare_fs.store.writing.upload import Upload


def submit(
    volume: Volume,
    course: str,
    assignment: str,
    student: str,
    upload: Upload,
    at: Timestamp | None = None,
    by: str | None = None,
    key: str | None = None,
    after: Timestamp | None = None,
    last_check: LastCheck = no_check,
    arrived: datetime | None = None,
) -> Timestamp:
    """Hand in.

    Args:
        upload: the files; the caller discards what is left of it.
        at: the timestamp to give it instead of the present, for what was handed in elsewhere.
        by: who does it, where that is not the student.
        key: what names this submission, however often it is handed in.
        after: of a submission of the student's that was there when the key was chosen; it spares to read those before.
        last_check: made when all is staged.
        arrived: when it began to arrive, where the dates of the assignment decide whether it is accepted; None where
            they do not: those who teach hand in for others at any time.

    Returns:
        its timestamp, later than that of the student's earlier ones; that of the earlier one with this key and `by`.

    Raises:
        AssignmentClosed: it came too late, and is not the repetition of one that did not.
        KeyUsed: the one with this key has other files.
        AssignmentNotFound: there is no such assignment, or it was deleted meanwhile.
    """
    manifest = Manifest(SUBMISSION, course, assignment, by or student, timestamp.now(), (), student=student, key=key)
    parent = layout.submissions_of(volume.root, course, assignment, student)

    applying: Dates | None = None  # of a repetition nobody asks for them

    def check() -> None:
        nonlocal applying
        last_check()
        applying = dates.check_open(volume, course, assignment, student, arrived)

    try:
        above = KnownFolder.look(layout.assignment(volume.root, course, assignment))
        make_missing(volume, os.path.dirname(parent))  # an assignment that was made by hand
        moment = publish(volume, upload, above, parent, manifest, at, check, after)
    except FileNotFoundError:
        raise AssignmentNotFound(assignment) from None
    except AssignmentClosed:
        metrics.count("submissions_total", "closed")
        raise
    metrics.count(
        "submissions_total",
        "repeated" if applying is None else "stored" if applying.is_in_time(moment) else "late",
    )
    return moment


def submissions_to(volume: Volume, course: str, assignment: str) -> list[Submission]:
    """All submissions to an assignment, oldest first, also those of students who have left the course.

    Raises:
        AssignmentNotFound: there is no such assignment.
    """
    parent = layout.submissions(volume.root, course, assignment)
    try:
        return found_in_one(layout.assignment(volume.root, course, assignment), lambda: _listed(volume, parent))
    except FileNotFoundError:
        raise AssignmentNotFound(assignment) from None


def _listed(volume: Volume, parent: str) -> list[Submission]:
    try:
        found, cut = volume.folders.submissions_below(parent)
    except (FileNotFoundError, NotADirectoryError):
        return []
    submissions = list(found)
    for folder in cut:
        student = full_name(volume.manifests, f"{parent}/{folder}", "student")
        if student is not None and names.folder_of(student) == folder:
            submissions += [Submission(student, moment) for moment in timestamps_in(f"{parent}/{folder}")]
    if cut:
        submissions.sort(key=lambda submission: submission.timestamp)
    return submissions


def submissions_by(volume: Volume, course: str, assignment: str, student: str) -> list[Submission]:
    """One student's submissions to an assignment, oldest first.

    Raises:
        AssignmentNotFound: there is no such assignment.
    """
    moments = timestamps_in(layout.submissions_of(volume.root, course, assignment, student))
    if not moments and not exists(volume, course, assignment):
        raise AssignmentNotFound(assignment)
    return [Submission(student, moment) for moment in moments]


def newest_of(volume: Volume, course: str, assignment: str, student: str) -> Timestamp | None:
    """When a student handed in for the last time; None where they have not."""
    return newest_in(layout.submissions_of(volume.root, course, assignment, student))


def collect(volume: Volume, course: str, assignment: str, student: str, moment: Timestamp | None) -> Tree:
    """Open a submission.

    Args:
        moment: which; the newest where it is None.

    Raises:
        SubmissionNotFound: there is none, or none of that timestamp.
    """
    parent = layout.submissions_of(volume.root, course, assignment, student)
    moment = moment or newest_in(parent)
    if moment is None:
        raise SubmissionNotFound(student)
    try:
        return Tree(volume.manifests, parent, moment)
    except (FileNotFoundError, NotADirectoryError):
        raise SubmissionNotFound(student) from None


def size_of(volume: Volume, course: str, assignment: str, student: str, moment: Timestamp) -> int:
    """What the files of a submission take, in bytes, as its manifest has it.

    Raises:
        BrokenManifest: nobody can say.
        FileNotFoundError: there is none of that timestamp.
    """
    return size_of_tree(layout.submission(volume.root, course, assignment, student, moment)).bytes


def to_collect(
    volume: Volume,
    course: str,
    assignment: str,
    before: Timestamp | None,
    students: Collection[str] | None,
    in_time: Callable[[str, Timestamp], bool] | None = None,
) -> list[Submission]:
    """One submission of each student: the newest one, or what counts at a deadline.

    Args:
        before: the latest time that counts; of a student who has none by then, it is the newest one all the same.
        students: of these only.
        in_time: the same for each student by a deadline of their own, such as `dates.in_time`.

    Returns:
        sorted by student.

    Raises:
        AssignmentNotFound: there is no such assignment.
    """

    def counts(found: Submission) -> bool:
        is_before = before is None or found.timestamp <= before
        return is_before and (in_time is None or in_time(found.student, found.timestamp))

    chosen: dict[str, Submission] = {}
    for found in submissions_to(volume, course, assignment):  # oldest first
        if students is not None and found.student not in students:
            continue
        earlier = chosen.get(found.student)
        if earlier is None or counts(found) or not counts(earlier):
            chosen[found.student] = found
    return [chosen[student] for student in sorted(chosen)]


def delete(
    volume: Volume,
    course: str,
    assignment: str,
    student: str,
    moment: Timestamp,
    by: str,
    last_check: LastCheck = no_check,
) -> None:
    """Move a submission with the feedback on it into the trash.

    Args:
        moment: which.
        by: the user who does it.
        last_check: made directly before it is moved.

    Raises:
        SubmissionNotFound: there is none of that timestamp.
    """
    what = {
        "kind": trash_file.SUBMISSION,
        "course": course,
        "assignment": assignment,
        "student": student,
        "submission": moment,
        "by": by,
    }
    try:
        place = layout.submission(volume.root, course, assignment, student, moment)
        trash.throw_away(volume, place, what, last_check)
    except FileNotFoundError:
        raise SubmissionNotFound(student) from None


def submission_exists(volume: Volume, course: str, assignment: str, student: str, moment: Timestamp) -> bool:
    """Whether the student handed in at that time."""
    return layout.is_folder(layout.submission(volume.root, course, assignment, student, moment))
