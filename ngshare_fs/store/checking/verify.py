"""Checks a whole volume: every manifest readable and true to its place and its files, nothing astray.

It needs no server, writes nothing, and may run on a read-only backup or beside running servers. What it holds in
memory is one folder's names and, for each of its threads, one manifest and the findings of a few trees.
"""

import itertools
import os
import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TypeVar

from ngshare_fs.store.checking.findings import (
    ASSIGNMENT_DIFFERS,
    ASSIGNMENT_FILE_BROKEN,
    COURSE_DIFFERS,
    COURSE_FILE_BROKEN,
    COURSE_FILE_MISSING,
    DATES_DISORDERED,
    EXTENSION_WITHOUT_DUE,
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
from ngshare_fs.store.checking.in_order import Found, Later, in_order
from ngshare_fs.store.checking.open_folder import OpenFolder, look_into, open_volume, read_yaml, unexpected_entries
from ngshare_fs.store.checking.tally import Tally, bytes_below
from ngshare_fs.store.checking.verify_journal import check_journal
from ngshare_fs.store.checking.verify_tree import Place, check_tree, differ
from ngshare_fs.store.errors import CourseNotFound
from ngshare_fs.store.format import assignment_file, course_file, layout, timestamp, trash_file, volume_file
from ngshare_fs.store.format.manifest import FEEDBACK, RELEASE, SUBMISSION, WITHDRAWAL
from ngshare_fs.store.format.names import folder_of, is_cut, name_of
from ngshare_fs.store.format.role import Role
from ngshare_fs.store.format.volume_file import VolumeFile
from ngshare_fs.store.migrations.present_layout import check_is_present_layout

Result = TypeVar("Result")

# `trash.yaml` names the folder by the time of the deletion; 8 random digits keep two deletions apart.
_TIMESTAMP_LENGTH = len("20200130T103047.524219Z")
_RANDOM_END = re.compile("-[0-9a-f]{8}")
_DIFFERS = {
    trash_file.COURSE: COURSE_DIFFERS,
    trash_file.ASSIGNMENT: ASSIGNMENT_DIFFERS,
    trash_file.SUBMISSION: TIMESTAMP_DIFFERS,
}


def verify_volume(
    root: Path, course: str | None = None, jobs: int = 1, tally: Tally | None = None
) -> Iterator[Finding]:
    """Everything in which a volume departs from its format, and the notes, always in the same order.

    Args:
        root: its folder.
        course: the name of the only course to check, without what of it is in the trash.
        jobs: how many threads check trees.
        tally: counts what is read.

    Raises:
        VolumeError: it has an older layout, which other rules are for.
        CourseNotFound: there is no such course.
    """
    try:
        with open_volume(str(root), tally) as folder:
            found = in_order(_check_volume(folder, course), jobs)
            yield from (finding for finding in found if not _was_removed(folder, finding))
    except OSError as error:
        yield UNREADABLE.at(".", error.strerror)


def verify_volume_file(root: Path) -> Finding | None:
    """What keeps a folder from being opened as a volume, None where nothing does: reads no more than `ngshare.yaml`."""
    try:
        with open_volume(str(root)) as folder:
            return next(_read_volume_file(folder), None)
    except OSError as error:
        return UNREADABLE.at(".", error.strerror)


def bytes_to_check(root: Path, course: str | None = None) -> int:
    """How many bytes `verify_volume` has to read there, for a progress bar."""
    if course is not None:
        return bytes_below(layout.course(str(root), course))
    return sum(bytes_below(os.path.join(root, folder)) for folder in (layout.COURSES, layout.TRASH, layout.JOURNAL))


def _was_removed(root: OpenFolder, finding: Finding) -> bool:
    """Whether what a finding is about was removed while it was looked at: no wonder that something was missing.

    Whatever is removed for good, a tree or what is above it, is moved away first, whole.
    """
    parts = finding.place.split("/")
    above = itertools.pairwise(parts)
    in_tree = (at for at, (tree, name) in enumerate(above, 1) if name == layout.FILES and timestamp.from_folder(tree))
    folder = "/".join(parts[: next(in_tree, len(parts) - 1)])
    return bool(folder) and root.is_absent(folder)


def _check_volume(root: OpenFolder, course: str | None) -> Iterator[Found]:
    found = yield from _read_volume_file(root)
    if found is not None:
        if found.layout > layout.LAYOUT:
            # What this program would say of the rest may be wrong.
            yield LAYOUT_NEWER.at(layout.VOLUME_FILE, f"{found.layout}, not {layout.LAYOUT}")
            return
        check_is_present_layout(found, root.path(layout.VOLUME_FILE))
        for each in found.misspelt_keys:
            yield KEY_MISSPELT.at(layout.VOLUME_FILE, str(each))
    if course is not None:
        yield from _check_one_course(root, course)
        return
    folders = (layout.COURSES, layout.TRASH, layout.JOURNAL, layout.PRIVATE, layout.LOST_AND_FOUND)
    present = yield from unexpected_entries(root, (layout.VOLUME_FILE,), folders)
    if layout.COURSES in present:
        yield from look_into(root, layout.COURSES, _each(_check_course))
    if layout.TRASH in present:
        yield from look_into(root, layout.TRASH, _each(_check_deletion))
    if layout.JOURNAL in present:
        yield from look_into(root, layout.JOURNAL, check_journal)


def _read_volume_file(root: OpenFolder) -> Generator[Finding, None, VolumeFile | None]:
    return read_yaml(root, layout.VOLUME_FILE, volume_file.understand, VOLUME_FILE_MISSING, VOLUME_FILE_BROKEN)


def _check_one_course(root: OpenFolder, course: str) -> Iterator[Found]:
    folder = folder_of(course)

    def check(courses: OpenFolder) -> Iterator[Found]:
        if courses.is_absent(folder):
            raise CourseNotFound(course)
        yield from look_into(courses, folder, _check_course)

    if root.is_absent(layout.COURSES):
        raise CourseNotFound(course)
    yield from look_into(root, layout.COURSES, check)
    if root.is_folder(layout.JOURNAL):
        yield from look_into(root, layout.JOURNAL, lambda journal: check_journal(journal, folder))


def _each(check: Callable[[OpenFolder], Iterator[Found]]) -> Callable[[OpenFolder], Iterator[Found]]:
    """A check of all folders in a folder, where nothing else belongs."""

    def check_each(parent: OpenFolder) -> Iterator[Found]:
        for name in (yield from unexpected_entries(parent)):
            yield from look_into(parent, name, check)

    return check_each


def _leads_to(folder: OpenFolder) -> bool:
    """Whether some name leads to a folder; of a cut name, only the file inside can tell."""
    return is_cut(folder.name) or name_of(folder.name) is not None


def _check_course(course: OpenFolder, restored_as: str | None = None) -> Iterator[Found]:
    if not _leads_to(course):
        yield NAME_NOT_CANONICAL.at(course.path())
    present = yield from unexpected_entries(course, (layout.COURSE_FILE,), (layout.ASSIGNMENTS,))
    path = course.path(layout.COURSE_FILE)
    roster = yield from read_yaml(
        course, layout.COURSE_FILE, course_file.understand, COURSE_FILE_MISSING, COURSE_FILE_BROKEN
    )
    if roster is not None:
        if _leads_to(course) and folder_of(roster.course) != course.name and roster.course != restored_as:
            yield COURSE_DIFFERS.at(path, differ(roster.course, course.name))
        for each in course_file.misspelt_keys(roster):
            yield KEY_MISSPELT.at(path, str(each))
        for user in {**roster.students, **roster.graders}:
            if sum(user in roster.people(role) for role in Role) > 1:
                yield TWO_ROLES.at(path, repr(user))
    if layout.ASSIGNMENTS in present:
        yield from look_into(course, layout.ASSIGNMENTS, _each(_check_assignment))


def _check_assignment(assignment: OpenFolder) -> Iterator[Found]:
    if not _leads_to(assignment):
        yield NAME_NOT_CANONICAL.at(assignment.path())
    folders = (layout.RELEASES, layout.SUBMISSIONS)
    present = yield from unexpected_entries(assignment, (layout.ASSIGNMENT_FILE,), folders)
    if layout.ASSIGNMENT_FILE in present:
        yield from _check_dates(assignment)
    if layout.RELEASES in present:
        yield from look_into(assignment, layout.RELEASES, lambda folder: _check_releases(folder, assignment))
    elif assignment.is_absent(layout.RELEASES):
        yield RELEASE_MISSING.at(assignment.path())
    if layout.SUBMISSIONS in present:
        yield from look_into(assignment, layout.SUBMISSIONS, _each(_check_student))


def _check_dates(assignment: OpenFolder) -> Iterator[Finding]:
    path = assignment.path(layout.ASSIGNMENT_FILE)
    file = yield from read_yaml(
        assignment, layout.ASSIGNMENT_FILE, assignment_file.understand, None, ASSIGNMENT_FILE_BROKEN
    )
    if file is not None:
        for problem in (*assignment_file.disorder(file), *assignment_file.disorder_of_extensions(file)):
            yield DATES_DISORDERED.at(path, problem)
        for student in assignment_file.extensions_of_nothing(file):
            yield EXTENSION_WITHOUT_DUE.at(path, repr(student))
        for each in assignment_file.misspelt_keys(file):
            yield KEY_MISSPELT.at(path, str(each))


def _check_releases(releases: OpenFolder, assignment: OpenFolder) -> Iterator[Found]:
    # A readable folder name is the assignment's name, whatever it was called when it was released.
    place = Place((RELEASE, WITHDRAWAL), assignment_folder=assignment.name if is_cut(assignment.name) else None)
    if not (yield from _check_dated(releases, lambda tree: check_tree(tree, place))):
        yield RELEASE_MISSING.at(assignment.path())


def _check_student(student: OpenFolder) -> Iterator[Found]:
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
    for name in (yield from _dated(folder)):
        yield from look_into(folder, name, lambda tree: check_tree(tree, place))


def _check_dated(parent: OpenFolder, check: Callable[[OpenFolder], Iterator[Finding]]) -> Generator[Found, None, bool]:
    """Check a folder of trees.

    Returns:
        whether it has any.
    """
    names = yield from _dated(parent)
    for name in names:
        yield Later(parent, name, check)
    return bool(names)


def _dated(parent: OpenFolder) -> Generator[Finding, None, list[str]]:
    """The names of the trees in a folder."""
    names = yield from unexpected_entries(parent)
    for name in names:
        if timestamp.from_folder(name) is None:
            yield NOT_A_TIMESTAMP.at(parent.path(name))
    return [name for name in names if timestamp.from_folder(name) is not None]


def _is_filled(entry: OpenFolder) -> bool:
    return any(name != layout.TRASH_FILE for name in entry.names())


def _kept(steps: Generator[Finding, None, Result]) -> tuple[list[Finding], Result]:
    """What a generator yields, all of it, and what it returns."""
    found = []
    while True:
        try:
            found.append(next(steps))
        except StopIteration as end:
            return found, end.value


def _check_deletion(entry: OpenFolder) -> Iterator[Found]:
    moment = timestamp.from_folder(entry.name[:_TIMESTAMP_LENGTH])
    if moment is None or not _RANDOM_END.fullmatch(entry.name[_TIMESTAMP_LENGTH:]):
        yield NOT_A_TIMESTAMP.at(entry.path())
        return
    path = entry.path(layout.TRASH_FILE)
    try:
        # If not, a deletion that a crash cut short, maybe while the file was written; what it was to delete is where it
        # was. Once more afterwards, for whoever brings something back removes the file last.
        is_filled = _is_filled(entry)
        found, deletion = _kept(
            read_yaml(entry, layout.TRASH_FILE, trash_file.understand, TRASH_FILE_MISSING, TRASH_FILE_BROKEN)
        )
        if not is_filled or not _is_filled(entry):
            return
    except OSError as error:
        yield UNREADABLE.at(entry.path(), error.strerror)
        return
    yield from found
    if deletion is not None and deletion.timestamp != moment:
        yield TIMESTAMP_DIFFERS.at(path, f"{deletion.timestamp!r}, not {moment!r}")
    if deletion is not None and deletion.kind == trash_file.QUARANTINE:
        # Why that is there, its record says; it may be a link or a pipe, and is not looked into.
        for name in entry.names():
            if name not in (layout.TRASH_FILE, deletion.folder):
                yield STRAY.at(entry.path(name))
        return
    contents = yield from unexpected_entries(entry, (layout.TRASH_FILE,))
    contents = [name for name in contents if name != layout.TRASH_FILE]
    if deletion is None or not contents:
        return
    deleted = deletion.folder if deletion.folder in contents else contents[0]
    differs = _DIFFERS[deletion.kind]
    name = deletion.assignment or deletion.course
    checks = {
        trash_file.COURSE: lambda course: _check_course(course, deletion.restored_as),
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
