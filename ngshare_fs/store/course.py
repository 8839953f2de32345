"""Courses: which there are, making one, deleting one."""

import errno
import logging
import os
from collections.abc import Callable, Iterable, Iterator

from ngshare_fs.store import trash
from ngshare_fs.store.errors import BrokenManifest, CourseExists, CourseNotFound, VolumeFailure
from ngshare_fs.store.files.estale import is_listed, retry_on_estale
from ngshare_fs.store.format import layout, names
from ngshare_fs.store.format.course_file import Person, Roster
from ngshare_fs.store.volume import Volume, check_present
from ngshare_fs.store.writing.publication import Publication

logger = logging.getLogger(__name__)

# What looking for a course's file in a folder that is none of ours may end in: `lost+found`, a link to nowhere.
_NO_COURSE = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP)


def all_courses(volume: Volume) -> list[str]:
    """The names of all courses, sorted; from the folders' names alone, unless they are cut.

    Also of those whose files nobody can read: what is not listed is not missed.
    """
    return sorted(name for name, file in _course_files(volume) if _is_there(file))


def courses_where(volume: Volume, is_wanted: Callable[[str, Roster], object]) -> list[str]:
    """The names of courses, sorted: those of whose name and roster something is true.

    A course whose file cannot be understood, and never was, is left out; the log says so.
    """
    found = []
    for name, file in _course_files(volume):
        try:
            people = volume.rosters.read(file).value
        except BrokenManifest:
            continue
        except OSError as error:
            if error.errno not in _NO_COURSE:
                raise
            check_present(volume)
            continue
        if is_wanted(name, people):
            found.append(name)
    return sorted(found)


def create(volume: Volume, course: str, instructors: Iterable[str] = ()) -> None:
    """Make a course.

    Args:
        instructors: user names; nothing else is known of them yet.

    Raises:
        CourseExists: there is one of that name.
    """
    create_with(volume, Roster(course, {user: Person() for user in instructors}, {}))


def create_with(volume: Volume, people: Roster) -> None:
    """Make a course whose people are known.

    Raises:
        CourseExists: there is one of that name.
    """
    course = people.course
    target = layout.course(volume.root, course)
    with volume.locks.hold("course", course), volume.publishing() as publication:
        staged, dirty = publication.staged, publication.dirty
        dirty.make_folder(staged)
        dirty.make_folder(os.path.join(staged, layout.ASSIGNMENTS))
        dirty.write_file(os.path.join(staged, layout.COURSE_FILE), people.to_yaml())
        publication.publish(target, if_taken=CourseExists(course))


def delete(volume: Volume, course: str, by: str) -> None:
    """Move a course into the trash.

    Args:
        by: the user who does it.

    Raises:
        CourseNotFound: there is no such course.
    """
    # Under the roster's lock: a change of the roster must not land in a new course of the same name.
    with volume.locks.hold("course", course):
        if not exists(volume, course):
            raise CourseNotFound(course)
        try:
            trash.throw_away(volume, layout.course(volume.root, course), {"kind": "course", "course": course, "by": by})
        except FileNotFoundError:
            raise CourseNotFound(course) from None


def delete_unless(volume: Volume, course: str, by: str, check: Callable[[str], None]) -> None:
    """Move a course into the trash, unless something forbids it, whatever happens in it at this moment.

    Args:
        by: who does it.
        check: raises what forbids it. It is given the course's folder: where it is served, and once more where nothing
            can be handed in or out any more; from there the course is brought back if that is forbidden.

    Raises:
        CourseNotFound: there is no such course.
        VolumeFailure: it should be brought back, but its name was taken meanwhile; the text says where it is.
    """
    place = layout.course(volume.root, course)
    check(place)
    # Under the lock nobody makes a course at the place to which this one may have to go back.
    with volume.locks.hold("course", course):
        try:
            entry = trash.throw_away(volume, place, {"kind": "course", "course": course, "by": by})
        except FileNotFoundError:
            raise CourseNotFound(course) from None
        deleted = os.path.join(entry, os.path.basename(place))
        try:
            check(deleted)
        except BaseException:
            taken = VolumeFailure(f"{deleted} belongs back to its place, where there is another course by now")
            # Also where the lock was lost meanwhile: the system refuses the place if another course is there.
            with Publication(volume.flusher, deleted) as publication:
                publication.publish(place, if_taken=taken)
            trash.forget(entry)
            raise


def exists(volume: Volume, course: str) -> bool:
    """Whether there is a course of that name, readable or not."""
    if _is_there(layout.roster(volume.root, course)):
        return True
    check_present(volume)
    return False


def identity(volume: Volume, course: str) -> tuple[int, int] | None:
    """What tells a course from an earlier or later one of the same name; None where there is none."""
    return layout.identity(layout.course(volume.root, course))


def _course_files(volume: Volume) -> Iterator[tuple[str, str]]:
    """The names of courses, and where their files are, if they are there."""
    parent = layout.courses(volume.root)
    for folder in os.listdir(parent):
        if folder == layout.LOST_AND_FOUND and not os.access(f"{parent}/{folder}", os.X_OK, effective_ids=True):
            continue  # not everybody's name for a course, but that of what is the file system's
        file = f"{parent}/{folder}/{layout.COURSE_FILE}"
        name = names.name_of(folder) or (_full_name(volume, folder, file) if names.is_cut(folder) else None)
        if name is not None:
            yield name, file


def _is_there(file: str) -> bool:
    """Whether there is a course's file, of whatever kind. A folder that may not be looked into counts as a course."""
    try:
        retry_on_estale(os.stat, file, follow_symlinks=False)
    except PermissionError:
        return True
    except OSError as error:
        if error.errno not in _NO_COURSE:
            raise
        return is_listed(file)  # where it is just being replaced
    return True


def _full_name(volume: Volume, folder: str, file: str) -> str | None:
    try:
        name = volume.rosters.read(file).value.course
    except (OSError, BrokenManifest):
        return None
    return name if names.folder_of(name) == folder else None
