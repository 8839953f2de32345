"""Checks a whole volume: every manifest readable and true to its place and its files, nothing astray.

It needs no server, writes nothing, and may run on a read-only backup or beside running servers. What it holds in
memory is one folder's names and one manifest at a time.
"""

import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from ngshare_fs.store.checking.findings import (
    ASSIGNMENT_DIFFERS,
    COURSE_DIFFERS,
    COURSE_FILE_BROKEN,
    COURSE_FILE_MISSING,
    KEY_MISSPELT,
    LAYOUT_NEWER,
    NAME_NOT_CANONICAL,
    NOT_A_TIMESTAMP,
    RELEASE_MISSING,
    STRAY,
    TIMESTAMP_DIFFERS,
    TRASH_FILE_BROKEN,
    TRASH_FILE_MISSING,
    TWO_ROLES,
    UNREADABLE,
    VOLUME_FILE_BROKEN,
    VOLUME_FILE_MISSING,
    Finding,
)
from ngshare_fs.store.checking.open_folder import OpenFolder, look_into, open_volume, read_yaml, unexpected_entries
from ngshare_fs.store.checking.verify_tree import Place, check_tree, differ
from ngshare_fs.store.format import course_file, layout, timestamp, trash_file
from ngshare_fs.store.format.manifest import FEEDBACK, RELEASE, SUBMISSION, WITHDRAWAL
from ngshare_fs.store.format.names import folder_of, is_cut, name_of
from ngshare_fs.store.volume import understand_volume_file

# `trash.yaml` names the folder by the time of the deletion; 8 random digits keep two deletions apart.
_TIMESTAMP_LENGTH = len("20200130T103047.524219Z")
_RANDOM_END = re.compile("-[0-9a-f]{8}")
_DIFFERS = {
    trash_file.COURSE: COURSE_DIFFERS,
    trash_file.ASSIGNMENT: ASSIGNMENT_DIFFERS,
    trash_file.SUBMISSION: TIMESTAMP_DIFFERS,
}


def verify_volume(root: Path) -> Iterator[Finding]:
    """Everything in which a volume departs from its format.

    Args:
        root: its folder.
    """
    try:
        with open_volume(str(root)) as folder:
            yield from _check_volume(folder)
    except OSError as error:
        yield UNREADABLE.at(".", error.strerror)


def _check_volume(root: OpenFolder) -> Iterator[Finding]:
    found = yield from read_yaml(
        root, layout.VOLUME_FILE, understand_volume_file, VOLUME_FILE_MISSING, VOLUME_FILE_BROKEN
    )
    if found is not None:
        number, misspelt_keys = found
        if number > layout.LAYOUT:
            # What this program would say of the rest may be wrong.
            yield LAYOUT_NEWER.at(layout.VOLUME_FILE, f"{number}, not {layout.LAYOUT}")
            return
        for each in misspelt_keys:
            yield KEY_MISSPELT.at(layout.VOLUME_FILE, str(each))
    folders = (layout.COURSES, layout.TRASH, layout.JOURNAL, layout.PRIVATE, layout.LOST_AND_FOUND)
    present = yield from unexpected_entries(root, (layout.VOLUME_FILE,), folders)
    if layout.COURSES in present:
        yield from look_into(root, layout.COURSES, _each(_check_course))
    if layout.TRASH in present:
        yield from look_into(root, layout.TRASH, _each(_check_deletion))


def _each(check: Callable[[OpenFolder], Iterator[Finding]]) -> Callable[[OpenFolder], Iterator[Finding]]:
    """A check of all folders in a folder, where nothing else belongs."""

    def check_each(parent: OpenFolder) -> Iterator[Finding]:
        for name in (yield from unexpected_entries(parent)):
            yield from look_into(parent, name, check)

    return check_each


def _leads_to(folder: OpenFolder) -> bool:
    """Whether some name leads to a folder; of a cut name, only the file inside can tell."""
    return is_cut(folder.name) or name_of(folder.name) is not None


def _check_course(course: OpenFolder) -> Iterator[Finding]:
    if not _leads_to(course):
        yield NAME_NOT_CANONICAL.at(course.path())
    present = yield from unexpected_entries(course, (layout.COURSE_FILE,), (layout.ASSIGNMENTS,))
    path = course.path(layout.COURSE_FILE)
    roster = yield from read_yaml(
        course, layout.COURSE_FILE, course_file.understand, COURSE_FILE_MISSING, COURSE_FILE_BROKEN
    )
    if roster is not None:
        if _leads_to(course) and folder_of(roster.course) != course.name:
            yield COURSE_DIFFERS.at(path, differ(roster.course, course.name))
        for each in course_file.misspelt_keys(roster):
            yield KEY_MISSPELT.at(path, str(each))
        for user in roster.students:
            if user in roster.instructors:
                yield TWO_ROLES.at(path, repr(user))
    if layout.ASSIGNMENTS in present:
        yield from look_into(course, layout.ASSIGNMENTS, _each(_check_assignment))


def _check_assignment(assignment: OpenFolder) -> Iterator[Finding]:
    if not _leads_to(assignment):
        yield NAME_NOT_CANONICAL.at(assignment.path())
    present = yield from unexpected_entries(assignment, folders=(layout.RELEASES, layout.SUBMISSIONS))
    if layout.RELEASES in present:
        yield from look_into(assignment, layout.RELEASES, lambda folder: _check_releases(folder, assignment))
    elif assignment.is_absent(layout.RELEASES):
        yield RELEASE_MISSING.at(assignment.path())
    if layout.SUBMISSIONS in present:
        yield from look_into(assignment, layout.SUBMISSIONS, _each(_check_student))


def _check_releases(releases: OpenFolder, assignment: OpenFolder) -> Iterator[Finding]:
    # A readable folder name is the assignment's name, whatever it was called when it was released.
    place = Place((RELEASE, WITHDRAWAL), assignment_folder=assignment.name if is_cut(assignment.name) else None)
    if not (yield from _check_dated(releases, lambda tree: check_tree(tree, place))):
        yield RELEASE_MISSING.at(assignment.path())


def _check_student(student: OpenFolder) -> Iterator[Finding]:
    if not _leads_to(student):
        yield NAME_NOT_CANONICAL.at(student.path())
    folder = student.name if _leads_to(student) else None
    yield from _check_dated(student, lambda tree: _check_submission(tree, folder))


def _check_submission(tree: OpenFolder, student_folder: str | None) -> Iterator[Finding]:
    yield from check_tree(tree, Place((SUBMISSION,), student_folder), more=(layout.FEEDBACK,))
    if tree.is_folder(layout.FEEDBACK):
        on = Place((FEEDBACK,), student_folder, timestamp.from_folder(tree.name))
        yield from look_into(tree, layout.FEEDBACK, lambda folder: _check_feedback(folder, on))


def _check_feedback(folder: OpenFolder, place: Place) -> Iterator[Finding]:
    yield from _check_dated(folder, lambda tree: check_tree(tree, place))


def _check_dated(
    parent: OpenFolder, check: Callable[[OpenFolder], Iterator[Finding]]
) -> Generator[Finding, None, bool]:
    """Check a folder of trees.

    Returns:
        whether it has any.
    """
    found = False
    for name in (yield from unexpected_entries(parent)):
        if timestamp.from_folder(name) is None:
            yield NOT_A_TIMESTAMP.at(parent.path(name))
        else:
            found = True
            yield from look_into(parent, name, check)
    return found


def _check_deletion(entry: OpenFolder) -> Iterator[Finding]:
    moment = timestamp.from_folder(entry.name[:_TIMESTAMP_LENGTH])
    if moment is None or not _RANDOM_END.fullmatch(entry.name[_TIMESTAMP_LENGTH:]):
        yield NOT_A_TIMESTAMP.at(entry.path())
        return
    contents = yield from unexpected_entries(entry, (layout.TRASH_FILE,))
    if layout.TRASH_FILE in contents:
        contents.remove(layout.TRASH_FILE)
    if not contents:
        # A deletion that a crash cut short, maybe while the file was written; what it was to delete is where it was.
        return
    path = entry.path(layout.TRASH_FILE)
    deletion = yield from read_yaml(
        entry, layout.TRASH_FILE, trash_file.understand, TRASH_FILE_MISSING, TRASH_FILE_BROKEN
    )
    if deletion is None:
        return
    if deletion.timestamp != moment:
        yield TIMESTAMP_DIFFERS.at(path, f"{deletion.timestamp!r}, not {moment!r}")
    deleted = deletion.folder if deletion.folder in contents else contents[0]
    differs = _DIFFERS[deletion.kind]
    name = deletion.assignment or deletion.course
    checks = {
        trash_file.COURSE: _check_course,
        trash_file.ASSIGNMENT: _check_assignment,
        trash_file.SUBMISSION: lambda tree: _check_submission(tree, folder_of(deletion.student)),
    }
    for folder in contents:
        if folder != deleted:
            yield STRAY.at(entry.path(folder))
            continue
        if deletion.folder != folder:
            yield differs.at(path, differ(deletion.submission or name, folder))
        yield from look_into(entry, folder, checks[deletion.kind])
