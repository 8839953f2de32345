"""Assignments: which a course has, and deleting one. Releasing makes them: see `release`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ngshare_fs.store import trash
from ngshare_fs.store.errors import AssignmentNotFound, CourseNotFound, concerns_one_place
from ngshare_fs.store.files.estale import retry_on_estale
from ngshare_fs.store.format import layout, names
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading.cached_folders import timestamps_in
from ngshare_fs.store.reading.one_folder import found_in_one
from ngshare_fs.store.reading.tree import full_name
from ngshare_fs.store.volume import Volume
from ngshare_fs.store.writing.last_check import LastCheck, no_check


def assignments_of(volume: Volume, course: str) -> list[str]:
    """The names of a course's assignments in the order of their first release; from the folders' names alone.

    Raises:
        CourseNotFound: there is no such course.
    """
    parent = layout.assignments(volume.root, course)
    try:
        found = found_in_one(layout.course(volume.root, course), lambda: _assignments_below(volume, parent))
    except FileNotFoundError:
        raise CourseNotFound(course) from None
    return [name for _, name in sorted(found)]


def _assignments_below(volume: Volume, parent: str) -> list[tuple[str, str]]:
    """Pairs of the first release, empty where there is none, and the name."""
    try:
        folders = retry_on_estale(os.listdir, parent)
    except FileNotFoundError:
        return []
    found = []
    for folder in folders:
        path = os.path.join(parent, folder)
        # One that may not be looked into must not hide the others; it is listed, as one without a release.
        name, moments = None, list[Timestamp]()
        with _passing_over_what_cannot_be_read():
            name = _name_of(volume, path, folder)
        if name is None:
            continue
        with _passing_over_what_cannot_be_read():
            moments = timestamps_in(os.path.join(path, layout.RELEASES))
        if moments or layout.is_folder(path):  # unless it was deleted in between
            found.append((moments[0] if moments else "", name))
    return found


def _name_of(volume: Volume, path: str, folder: str) -> str | None:
    name = names.name_of(folder)
    if name is None and names.is_cut(folder):
        name = full_name(volume.manifests, os.path.join(path, layout.RELEASES), "assignment")
    return name if name is not None and names.folder_of(name) == folder and layout.is_folder(path) else None


@contextmanager
def _passing_over_what_cannot_be_read() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not concerns_one_place(error):
            raise


def exists(volume: Volume, course: str, assignment: str) -> bool:
    """Whether the course has such an assignment."""
    return layout.is_folder(layout.assignment(volume.root, course, assignment))


def delete(volume: Volume, course: str, assignment: str, by: str, last_check: LastCheck = no_check) -> None:
    """Move an assignment with its submissions and feedback into the trash.

    No lock: a submission that races it lands before, or its own rename fails for want of a parent.

    Args:
        by: the user who does it.
        last_check: made directly before it is moved.

    Raises:
        AssignmentNotFound: there is no such assignment.
    """
    what = {"kind": "assignment", "course": course, "assignment": assignment, "by": by}
    try:
        trash.throw_away(volume, layout.assignment(volume.root, course, assignment), what, last_check)
    except FileNotFoundError:
        raise AssignmentNotFound(assignment) from None
