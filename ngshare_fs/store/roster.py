"""Who teaches and who takes a course: reading and changing the roster."""

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from ngshare_fs.store.errors import CourseNotFound, InstructorNotFound, IsInstructor, StudentNotFound
from ngshare_fs.store.files.estale import retry_on_estale
from ngshare_fs.store.format import layout
from ngshare_fs.store.format.course_file import Person, Roster
from ngshare_fs.store.reading.fingerprint import FileFingerprint, fingerprint_of
from ngshare_fs.store.volume import Volume, check_present, replace_file
from ngshare_fs.store.writing.last_check import LastCheck, no_check

# An editor may write a file in several steps. A change by the server waits until the file has been quiet for this long.
QUIET_SECONDS = 0.05


def of(volume: Volume, course: str) -> Roster:
    """The roster of a course; where its file is broken by now, the last one that could be read.

    Raises:
        CourseNotFound: there is no such course.
        BrokenManifest: the file cannot be understood, and never was.
    """
    try:
        return volume.rosters.read(layout.roster(volume.root, course)).value
    except (FileNotFoundError, NotADirectoryError):
        check_present(volume)
        raise CourseNotFound(course) from None


def set_instructor(volume: Volume, course: str, user: str, person: Person, last_check: LastCheck = no_check) -> None:
    """Make a user an instructor or change the entry; a student who is made instructor stops being a student.

    Raises:
        CourseNotFound, BrokenManifest: see `change`.
    """

    def changed(roster: Roster) -> Roster:
        students = {name: entry for name, entry in roster.students.items() if name != user}
        return replace(roster, instructors=_with(roster.instructors, user, person), students=students)

    change(volume, course, changed, last_check)


def remove_instructor(volume: Volume, course: str, user: str, last_check: LastCheck = no_check) -> None:
    """Take an instructor off the roster.

    Raises:
        InstructorNotFound: the user is none.
        CourseNotFound, BrokenManifest: see `change`.
    """

    def changed(roster: Roster) -> Roster:
        if user not in roster.instructors:
            raise InstructorNotFound(user)
        return replace(roster, instructors=_without(roster.instructors, user))

    change(volume, course, changed, last_check)


def set_student(volume: Volume, course: str, user: str, person: Person, last_check: LastCheck = no_check) -> None:
    """Make a user a student or change the entry.

    Raises:
        IsInstructor: the user is an instructor of the course.
        CourseNotFound, BrokenManifest: see `change`.
    """
    if not set_students(volume, course, [(user, person)], last_check)[0]:
        raise IsInstructor(user)


def set_students(
    volume: Volume, course: str, entries: Iterable[tuple[str, Person]], last_check: LastCheck = no_check
) -> list[bool]:
    """Make many users students by one write.

    Args:
        entries: user names and what is known of them; of the same user twice the last entry counts.

    Returns:
        for each entry whether it was taken; instructors are not.

    Raises:
        CourseNotFound, BrokenManifest: see `change`.
    """
    taken: list[bool] = []

    def changed(roster: Roster) -> Roster:
        taken.clear()
        students = dict(roster.students)
        for user, person in entries:
            taken.append(user not in roster.instructors)
            if taken[-1]:
                students[user] = _updated(students.get(user), person)
        return replace(roster, students=students)

    entries = list(entries)
    change(volume, course, changed, last_check)
    return taken


def remove_student(volume: Volume, course: str, user: str, last_check: LastCheck = no_check) -> None:
    """Take a student off the roster; what was handed in stays.

    Raises:
        StudentNotFound: the user is none.
        CourseNotFound, BrokenManifest: see `change`.
    """

    def changed(roster: Roster) -> Roster:
        if user not in roster.students:
            raise StudentNotFound(user)
        return replace(roster, students=_without(roster.students, user))

    change(volume, course, changed, last_check)


def remove_students(volume: Volume, course: str, users: Iterable[str], last_check: LastCheck = no_check) -> list[bool]:
    """Take many students off the roster by one write; what they handed in stays.

    Returns:
        for each of them whether it was a student.

    Raises:
        CourseNotFound, BrokenManifest: see `change`.
    """
    users = list(users)
    removed: list[bool] = []

    def changed(roster: Roster) -> Roster:
        removed[:] = [user in roster.students for user in users]
        leaving = set(users)
        students = {name: entry for name, entry in roster.students.items() if name not in leaving}
        return replace(roster, students=students)

    change(volume, course, changed, last_check)
    return removed


def change(volume: Volume, course: str, changed: Callable[[Roster], Roster], last_check: LastCheck = no_check) -> None:
    """Read the roster, change it and write it by one rename, while nobody else does.

    Args:
        changed: makes the new roster of the present one; called again where somebody edited the file meanwhile.
        last_check: made under the lock: nobody else changes the roster between it and the change.

    Raises:
        CourseNotFound: there is no such course.
        BrokenManifest: the file cannot be understood; it is left as it is.
    """
    file = layout.roster(volume.root, course)
    try:
        with volume.locks.hold("course", course):
            while True:
                reading = volume.rosters.read(file)
                last_check()
                roster = changed(reading.present)
                if roster == reading.value:
                    if not volume.rosters.wrote(file, reading.fingerprint):
                        _flush(volume, file)
                    return
                content = roster.to_yaml()
                is_as_read = partial(_is_as_read, volume, file, reading.fingerprint)
                if is_as_read() and replace_file(volume, file, content, is_as_read):
                    # Where its folder was moved since, the change is in it.
                    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                        volume.rosters.remember(file, roster, content)
                    return
                time.sleep(QUIET_SECONDS)
    except (FileNotFoundError, NotADirectoryError):
        raise CourseNotFound(course) from None


def _flush(volume: Volume, file: str) -> None:
    # Whoever made this change before may have died, or failed, before it was flushed. Now it is acknowledged.
    dirty = volume.dirty_set()
    dirty.add_file(file)
    dirty.changed(os.path.dirname(file))
    dirty.flush()


def _is_as_read(volume: Volume, file: str, fingerprint: FileFingerprint) -> bool:
    """Whether nobody has edited the file since, or may still be writing it."""
    if fingerprint_of(retry_on_estale(os.stat, file)) != fingerprint:
        return False
    if volume.rosters.wrote(file, fingerprint):
        return True  # by one rename, so it is whole
    age = time.time_ns() - fingerprint.modified
    return not 0 <= age < QUIET_SECONDS * 1e9


def _with(people: Mapping[str, Person], user: str, person: Person) -> dict[str, Person]:
    return {**people, user: _updated(people.get(user), person)}


def _without(people: Mapping[str, Person], user: str) -> dict[str, Person]:
    return {name: entry for name, entry in people.items() if name != user}


def _updated(present: Person | None, person: Person) -> Person:
    return person if present is None else replace(person, more=present.more)
