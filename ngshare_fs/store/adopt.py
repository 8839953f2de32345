"""Taking over what another exchange has published, at the times that it has there. What is here already stays as it is.

Whoever takes over may be killed, and begins anew: what was taken over before is found to be there.
"""

import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeGuard

from ngshare_fs.store import course as courses
from ngshare_fs.store import feedback, release, roster, submission
from ngshare_fs.store.assignment import assignments_of
from ngshare_fs.store.errors import AssignmentExists, BrokenManifest, CourseExists, IllegalPath
from ngshare_fs.store.format import layout, timestamp
from ngshare_fs.store.format.course_file import Roster
from ngshare_fs.store.format.manifest import FEEDBACK, RELEASE, SUBMISSION, Manifest, StoredFile
from ngshare_fs.store.format.names import folder_of
from ngshare_fs.store.format.role import Role
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.format.tree_paths import check_path
from ngshare_fs.store.reading.cached_folders import timestamps_in
from ngshare_fs.store.reading.tree import manifest_at
from ngshare_fs.store.volume import Volume
from ngshare_fs.store.writing.upload import Upload

_TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)


class Outcome(Enum):
    """What became of a tree that was to be taken over."""

    ADOPTED = "adopted"
    THERE = "there"
    DIFFERS = "differs"


@dataclass(frozen=True)
class RosterOutcome:
    """What became of a roster.

    Args:
        is_new: whether the course was made.
        added: who was, sorted.
        differing: who is there with another role, name or email, and stays as they are, sorted.
    """

    is_new: bool
    added: list[str]
    differing: list[str]


def is_usable_name(name: str | None) -> TypeGuard[str]:
    """Whether a course, an assignment or a student can be called so."""
    try:
        return name is not None and bool(folder_of(name))
    except ValueError:
        return False


def illegal_paths(paths: Iterable[str]) -> dict[str, str]:
    """Of the paths of a tree those that no tree on the volume can hold, and why."""
    found: dict[str, str] = {}
    legal: set[str] = set()
    for path in paths:
        try:
            check_path(path)
            legal.add(path)
        except IllegalPath:
            found[path] = "no tree can hold this path"
    for path in legal:
        above = path.rpartition("/")[0]
        while above:
            if above in legal:
                found[above] = "this is a folder of the same tree, too"
            above = above.rpartition("/")[0]
    return found


def is_of_somebody_else(volume: Volume, course: str, by: Iterable[str]) -> bool:
    """Whether a course has assignments, and none of them was taken over: another one that has the same name.

    Args:
        by: what releases that were taken over have for `by`.
    """
    if not courses.exists(volume, course):
        return False
    found = False
    for assignment in assignments_of(volume, course):
        found = True
        if any(each.by in by for each in _manifests_in(volume, layout.releases(volume.root, course, assignment))):
            return False
    return found


def compare_roster(volume: Volume, wanted: Roster) -> RosterOutcome:
    """What `adopt_roster` would do.

    Raises:
        BrokenManifest: the course's file cannot be understood.
    """
    if not courses.exists(volume, wanted.course):
        return RosterOutcome(True, sorted(wanted.users()), [])
    return _compared(roster.of(volume, wanted.course), wanted)


def adopt_roster(volume: Volume, wanted: Roster) -> RosterOutcome:
    """Make a course with its people; where it is there, add those whom it lacks.

    Raises:
        BrokenManifest: the course's file cannot be understood; it is left as it is.
    """
    try:
        courses.create_with(volume, wanted)
        return RosterOutcome(True, sorted(wanted.users()), [])
    except CourseExists:
        outcome = compare_roster(volume, wanted)
    if outcome.added:

        def complete(present: Roster) -> Roster:
            found = present
            for role in Role:
                new = {user: person for user, person in wanted.people(role).items() if user not in present}
                found = found.with_people(role, {**new, **present.people(role)})
            return found

        roster.change(volume, wanted.course, complete)
    return outcome


def _compared(present: Roster, wanted: Roster) -> RosterOutcome:
    added, differing = [], []
    for role in Role:
        same_role = present.people(role)
        for user, person in wanted.people(role).items():
            if user not in present:
                added.append(user)
            elif user not in same_role or replace(same_role[user], more={}) != person:
                differing.append(user)
    return RosterOutcome(False, sorted(added), sorted(differing))


def trees_there(volume: Volume, described: Manifest) -> list[Manifest]:
    """The trees that a tree would meet at its place: of a submission that of its time, else all of its kind, in order.

    Args:
        described: the tree, but for its files.
    """
    course, assignment, student = described.course, described.assignment, described.student or ""
    if described.kind == RELEASE:
        return _manifests_in(volume, layout.releases(volume.root, course, assignment))
    if described.kind == SUBMISSION:
        parent = layout.submissions_of(volume.root, course, assignment, student)
        return _manifests_in(volume, parent, described.timestamp)
    moment = described.submission
    assert moment is not None
    return _manifests_in(volume, layout.feedback(volume.root, course, assignment, student, moment))


def has_files(tree: Manifest, files: Iterable[StoredFile]) -> bool:
    """Whether a tree has these files, in whatever order."""
    return set(tree.files) == set(files)


def adopt(volume: Volume, described: Manifest, upload: Upload) -> Outcome:
    """Publish a tree at the time that it has, unless it is there.

    A release makes its assignment; a submission needs the assignment, and feedback the submission.

    Args:
        described: the tree, but for its files.
        upload: these; the caller discards what is left of it.

    Returns:
        DIFFERS where another tree is at its place, which stays: another submission of the same time, another release
        of the assignment, other feedback on the submission.

    Raises:
        CourseNotFound, AssignmentNotFound, SubmissionNotFound: what it belongs to is not there.
    """
    files = [StoredFile(file.path, file.size, file.md5) for file in upload.files]
    outcome = _met(volume, described, files)
    if outcome is not None:
        return outcome
    try:
        _publish(volume, described, upload)
    except AssignmentExists:
        return _met(volume, described, files) or Outcome.DIFFERS  # DIFFERS: a folder without a release
    except OSError as error:
        # Somebody else has taken it over meanwhile.
        outcome = _met(volume, described, files) if error.errno in _TAKEN else None
        if outcome is None:
            raise
        return outcome
    return Outcome.ADOPTED


def _publish(volume: Volume, described: Manifest, upload: Upload) -> None:
    course, assignment, at, by = described.course, described.assignment, described.timestamp, described.by
    if described.kind == RELEASE:
        release.release(volume, course, assignment, by, upload, at)
        return
    student = described.student
    assert student is not None
    if described.kind == SUBMISSION:
        submission.submit(volume, course, assignment, student, upload, at, by)
        return
    assert described.kind == FEEDBACK
    assert described.submission is not None
    feedback.give(volume, course, assignment, student, described.submission, by, upload, at=at)


def _met(volume: Volume, described: Manifest, files: list[StoredFile]) -> Outcome | None:
    there = trees_there(volume, described)
    if not there:
        return None
    return Outcome.THERE if any(has_files(tree, files) for tree in there) else Outcome.DIFFERS


def _manifests_in(volume: Volume, folder: str, only: Timestamp | None = None) -> list[Manifest]:
    found = []
    for moment in timestamps_in(folder) if only is None else [only]:
        path = os.path.join(folder, timestamp.folder_of(moment))
        try:
            found.append(manifest_at(volume.manifests, path))
        except BrokenManifest:
            if layout.is_folder(path):
                # Something is there, whatever it is; nothing is the same as what nobody can read.
                found.append(Manifest("", "", "", "", moment, (_UNREADABLE,)))
    return found


_UNREADABLE = StoredFile("", -1, "")
