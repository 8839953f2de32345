"""Feedback: what an instructor returns on one submission. The newest counts."""

from collections.abc import Iterable

from ngshare_fs.store.dated_tree import publish
from ngshare_fs.store.errors import SubmissionNotFound
from ngshare_fs.store.format import layout, timestamp
from ngshare_fs.store.format.layout import KnownFolder
from ngshare_fs.store.format.manifest import FEEDBACK, Manifest
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading.cached_folders import Submission
from ngshare_fs.store.reading.tree import Tree, newest_in
from ngshare_fs.store.reading.tree_size import size_of_tree
from ngshare_fs.store.submission import submission_exists
from ngshare_fs.store.volume import Volume
from ngshare_fs.store.writing.last_check import LastCheck, no_check
from ngshare_fs.store.writing.upload import Upload


def give(
    volume: Volume,
    course: str,
    assignment: str,
    student: str,
    submission: Timestamp,
    by: str,
    upload: Upload,
    last_check: LastCheck = no_check,
    at: Timestamp | None = None,
) -> Timestamp:
    """Give feedback on a submission, in place of what was given before.

    Args:
        submission: its timestamp.
        by: the instructor.
        upload: the files; the caller discards what is left of it.
        last_check: made when all is staged.
        at: the timestamp to give it instead of the present, for what was given elsewhere.

    Raises:
        SubmissionNotFound: there is none of that timestamp.
    """
    manifest = Manifest(FEEDBACK, course, assignment, by, timestamp.now(), (), student=student, submission=submission)
    try:
        above = KnownFolder.look(layout.submission(volume.root, course, assignment, student, submission))
        parent = layout.feedback(volume.root, course, assignment, student, submission)
        return publish(volume, upload, above, parent, manifest, at, last_check)
    except FileNotFoundError:
        raise SubmissionNotFound(student) from None


def given_at(volume: Volume, course: str, assignment: str, student: str, submission: Timestamp) -> Timestamp | None:
    """When the newest feedback on a submission was given; None until some is.

    Args:
        submission: its timestamp.
    """
    return newest_in(layout.feedback(volume.root, course, assignment, student, submission))


def given_on(
    volume: Volume, course: str, assignment: str, submissions: Iterable[Submission]
) -> dict[Submission, Timestamp]:
    """The same of many submissions to an assignment at once; those without any are left out."""
    return volume.feedback.given_on(layout.submissions(volume.root, course, assignment), submissions)


def size_of(
    volume: Volume, course: str, assignment: str, student: str, submission: Timestamp, moment: Timestamp
) -> int:
    """What the files of feedback take, in bytes, as its manifest has it.

    Args:
        submission: the timestamp of what it is on.
        moment: its own.

    Raises:
        BrokenManifest: nobody can say.
        FileNotFoundError: there is none of that timestamp.
    """
    parent = layout.feedback(volume.root, course, assignment, student, submission)
    return size_of_tree(f"{parent}/{timestamp.folder_of(moment)}").bytes


def newest(volume: Volume, course: str, assignment: str, student: str, submission: Timestamp) -> Tree | None:
    """Open the newest feedback on a submission; None until some is given.

    Args:
        submission: its timestamp.

    Raises:
        SubmissionNotFound: there is no submission of that timestamp.
    """
    parent = layout.feedback(volume.root, course, assignment, student, submission)
    moment = newest_in(parent)
    if moment is None:
        if submission_exists(volume, course, assignment, student, submission):
            return None
        raise SubmissionNotFound(student)
    try:
        return Tree(volume.manifests, parent, moment)
    except FileNotFoundError:
        raise SubmissionNotFound(student) from None
