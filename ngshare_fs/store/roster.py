"""Who teaches and who takes a course: reading and changing the roster."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ngshare_fs.store.editable_file import EditableFile
from ngshare_fs.store.errors import CourseNotFound, InstructorNotFound, IsInstructor, StudentNotFound
from ngshare_fs.store.format import layout
from ngshare_fs.store.format.course_file import Person, Roster
from ngshare_fs.store.volume import Volume, check_present
from ngshare_fs.store.writing.last_check import LastCheck, no_check


def of(volume: Volume, course: str) -> Roster:
    """The roster of a course; where its file is broken by now, the last one that could be read.

    Raises:
        CourseNotFound: there is no such course.
        BrokenManifest: the file cannot be understood, and never was.
    """
    try:
        return _file(volume, course).read().value
    except (FileNotFoundError, NotADirectoryError):
        check_present(volume)
        raise CourseNotFound(course) from None


def present(volume: Volume, course: str) -> Roster:
    """The roster of a course as its file says now, for who wants to change it.

    Raises:
        CourseNotFound: there is no such course.
        BrokenManifest: the file cannot be understood.
    """
    try:
        return _file(volume, course).read().present
    except (FileNotFoundError, NotADirectoryError):
        check_present(volume)
        raise CourseNotFound(course) from None


def set_instructor(volume: Volume, course: str, user: str, person: Person, last_check: LastCheck = no_check) -> None:
    """Make a user an instructor or change the entry; a student who is made instructor stops being a student.

    Args:
        person: what is known of the user, in place of all that was; what else somebody wrote into the entry stays.
        last_check: see `change`.

    Raises:
        CourseNotFound, BrokenManifest: see `change`.
    """

    def changed(roster: Roster) -> Roster:
        students = {name: entry for name, entry in roster.students.items() if name != user}
        return replace(roster, instructors=_with(roster.instructors, user, person), students=students)

    change(volume, course, changed, last_check)


def remove_instructor(volume: Volume, course: str, user: str, last_check: LastCheck = no_check) -> None:
    """Take an instructor off the roster.

    Args:
        last_check: see `change`.

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

    Args:
        person: what is known of the user, in place of all that was; what else somebody wrote into the entry stays.
        last_check: see `change`.

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
        entries: user names and what is known of them, see `set_student`; of the same user twice the last entry counts.
        last_check: see `change`.

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

    Args:
        last_check: see `change`.

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

    Args:
        users: their names; one may be there twice.
        last_check: see `change`.

    Returns:
        for each of `users`, in their order, whether it was a student.

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
    try:
        _file(volume, course).change(changed, last_check)
    except (FileNotFoundError, NotADirectoryError):
        raise CourseNotFound(course) from None


def _file(volume: Volume, course: str) -> EditableFile[Roster]:
    path = layout.roster(volume.root, course)
    return EditableFile(volume, path, volume.rosters, Roster.to_yaml, lock=("course", course))


def _with(people: Mapping[str, Person], user: str, person: Person) -> dict[str, Person]:
    return {**people, user: _updated(people.get(user), person)}


def _without(people: Mapping[str, Person], user: str) -> dict[str, Person]:
    return {name: entry for name, entry in people.items() if name != user}


def _updated(present: Person | None, person: Person) -> Person:
    return person if present is None else replace(person, more=present.more)
