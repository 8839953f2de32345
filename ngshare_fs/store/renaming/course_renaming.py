"""Renaming a course: one rename of its folder, whose name counts; journal, trash and the name in its file follow.

Of a name that is cut, only the file inside knows the whole; then the file comes first. Cut off in between, all that is
wrong is that folder and file differ, and the same renaming finishes what was begun.
"""

import contextlib
from dataclasses import replace

from ngshare_fs.store import roster
from ngshare_fs.store.course import exists
from ngshare_fs.store.errors import CourseExists, CourseNotFound
from ngshare_fs.store.format import layout
from ngshare_fs.store.format.names import folder_of, is_cut
from ngshare_fs.store.journal import whole_files
from ngshare_fs.store.upkeep.restoring import give_to_course
from ngshare_fs.store.upkeep.trash_entries import deletions_in
from ngshare_fs.store.volume import Volume


def check_rename(volume: Volume, old: str, new: str) -> bool:
    """Look whether a course can be renamed.

    Returns:
        whether that was begun before, and cut off: its folder has the new name already.

    Raises:
        CourseNotFound, CourseExists, BrokenManifest: see `rename`.
    """
    if not exists(volume, old):
        with contextlib.suppress(CourseNotFound):
            if roster.present(volume, new).course == old:
                return True
        raise CourseNotFound(old)
    # Read before anything is done: a file that cannot be understood could not be written in the end.
    roster.present(volume, old)
    place = layout.course(volume.root, new)
    if layout.is_taken(place):
        raise CourseExists(new)
    return False


def rename(volume: Volume, old: str, new: str) -> None:
    """Rename a course. What is handed in at this moment lands in it before, or is told that there is no such course.

    Args:
        old, new: its names; not the same.

    Raises:
        CourseNotFound: there is no such course.
        CourseExists: there is something at the place of the new name.
        BrokenManifest: the course's file cannot be understood, so the name in it could not be changed.
    """
    if check_rename(volume, old, new):
        whole_files.move(volume, old, new)
        _rename_in_trash(volume, old, new)
        _write_name(volume, new, new)
        return
    if not is_cut(folder_of(new)):
        _move(volume, old, new)
        whole_files.move(volume, old, new)
        _rename_in_trash(volume, old, new)
        _write_name(volume, new, new)
        return
    try:
        _write_name(volume, old, new)
        whole_files.move(volume, old, new)
        _rename_in_trash(volume, old, new)
        _move(volume, old, new)
    except CourseExists:
        # Somebody has made one since it was looked for.
        _write_name(volume, old, old)
        raise


def _move(volume: Volume, old: str, new: str) -> None:
    place = layout.course(volume.root, old)
    try:
        with volume.publication(place) as publication, volume.locks.hold("course", old):
            publication.publish(layout.course(volume.root, new), if_taken=CourseExists(new))
    except FileNotFoundError:
        raise CourseNotFound(old) from None


def _rename_in_trash(volume: Volume, old: str, new: str) -> None:
    """Let what was deleted of it be of the new name: so it can be brought back, and is not of a later course."""
    for entry in deletions_in(volume, old):
        give_to_course(volume, entry, new)


def _write_name(volume: Volume, course: str, name: str) -> None:
    roster.change(volume, course, lambda people: replace(people, course=name))
