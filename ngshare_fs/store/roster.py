"""Who teaches, who grades and who takes a course: reading and changing the roster."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from ngshare_fs.store.editable_file import EditableFile
from ngshare_fs.store.errors import (
    CourseNotFound,
    GraderNotFound,
    InstructorNotFound,
    IsGrader,
    IsInstructor,
    StoreError,
    StudentNotFound,
)
from ngshare_fs.store.format import layout
from ngshare_fs.store.format.course_file import FROM_GROUP, PERSON_KEYS, Person, Roster
from ngshare_fs.store.format.role import Role
from ngshare_fs.store.reading.cached_yaml import Reading
from ngshare_fs.store.volume import Volume, check_present
from ngshare_fs.store.writing.last_check import LastCheck, no_check


def serves_earlier(volume: Volume, course: str) -> bool:
    """Whether the file is broken, as far as this process has seen, and what it said before counts; takes no time."""
    return volume.rosters.serves_earlier(layout.roster(volume.root, course))


def of(volume: Volume, course: str) -> Roster:
    """The roster of a course; where its file is broken by now, the last one that could be read.

    Raises:
        CourseNotFound: there is no such course.
        BrokenManifest: the file cannot be understood, and never was.
    """
    return _reading(volume, course).value


def present(volume: Volume, course: str) -> Roster:
    """The roster of a course as its file says now, for who wants to change it.

    Raises:
        CourseNotFound: there is no such course.
        BrokenManifest: the file cannot be understood.
    """
    return _reading(volume, course).present


def _reading(volume: Volume, course: str) -> Reading[Roster]:
    try:
        return _file(volume, course).read()
    except (FileNotFoundError, NotADirectoryError):
        check_present(volume)
        raise CourseNotFound(course) from None


def set_instructor(
    volume: Volume,
    course: str,
    user: str,
    person: Person,
    last_check: LastCheck = no_check,
    stays_marked: bool = False,
) -> None:
    """Make a user an instructor or change the entry; whoever was a grader or a student stops being it.

    Args:
        person: what is known of the user, in place of all that was; what else somebody wrote into the entry stays.
        last_check: see `change`.
        stays_marked: whoever is one by a group alone stays so: only what is known of them changes.

    Raises:
        CourseNotFound, BrokenManifest: see `change`.
    """

    def changed(roster: Roster) -> Roster:
        is_marked = stays_marked and roster.named_role(user) is not Role.INSTRUCTOR
        entry = replace(person, source=FROM_GROUP) if is_marked else person
        return _placed(roster, Role.INSTRUCTOR, user, entry)

    change(volume, course, changed, last_check)


def remove_instructor(volume: Volume, course: str, user: str, last_check: LastCheck = no_check) -> None:
    """Take an instructor off the roster.

    Args:
        last_check: see `change`.

    Raises:
        InstructorNotFound: the user is none.
        CourseNotFound, BrokenManifest: see `change`.
    """
    _remove(volume, course, Role.INSTRUCTOR, user, InstructorNotFound, last_check)


def set_grader(volume: Volume, course: str, user: str, person: Person, last_check: LastCheck = no_check) -> None:
    """Make a user a grader or change the entry; a student who is made grader stops being a student.

    Args:
        person, last_check: see `set_instructor`.

    Raises:
        IsInstructor: the user is an instructor of the course.
        CourseNotFound, BrokenManifest: see `change`.
    """

    def changed(roster: Roster) -> Roster:
        if user in roster.instructors:
            raise IsInstructor(user)
        return _placed(roster, Role.GRADER, user, person)

    change(volume, course, changed, last_check)


def remove_grader(volume: Volume, course: str, user: str, last_check: LastCheck = no_check) -> None:
    """Take a grader off the roster.

    Args:
        last_check: see `change`.

    Raises:
        GraderNotFound: the user is none.
        CourseNotFound, BrokenManifest: see `change`.
    """
    _remove(volume, course, Role.GRADER, user, GraderNotFound, last_check)


def set_student(volume: Volume, course: str, user: str, person: Person, last_check: LastCheck = no_check) -> None:
    """Make a user a student or change the entry.

    Args:
        person, last_check: see `set_instructor`.

    Raises:
        IsInstructor, IsGrader: the user is an instructor or a grader of the course.
        CourseNotFound, BrokenManifest: see `change`.
    """
    (higher,) = set_students(volume, course, [(user, person)], last_check)
    if higher is not None:
        raise IsInstructor(user) if higher is Role.INSTRUCTOR else IsGrader(user)


def set_students(
    volume: Volume, course: str, entries: Iterable[tuple[str, Person]], last_check: LastCheck = no_check
) -> list[Role | None]:
    """Make many users students by one write.

    Args:
        entries: user names and what is known of them, see `set_student`; of the same user twice the last entry counts.
        last_check: see `change`.

    Returns:
        for each entry None where it was taken, or what the user is instead.

    Raises:
        CourseNotFound, BrokenManifest: see `change`.
    """
    instead: list[Role | None] = []

    def changed(roster: Roster) -> Roster:
        instead.clear()
        students = dict(roster.students)
        for user, person in entries:
            instead.append(_above_students(roster, user))
            if instead[-1] is None:
                students[user] = _updated(students.get(user), person)
        return replace(roster, students=students)

    entries = list(entries)
    change(volume, course, changed, last_check)
    return instead


def _above_students(roster: Roster, user: str) -> Role | None:
    if user in roster.instructors:
        return Role.INSTRUCTOR
    return Role.GRADER if user in roster.graders else None


def remove_student(volume: Volume, course: str, user: str, last_check: LastCheck = no_check) -> None:
    """Take a student off the roster; what was handed in stays.

    Args:
        last_check: see `change`.

    Raises:
        StudentNotFound: the user is none.
        CourseNotFound, BrokenManifest: see `change`.
    """
    _remove(volume, course, Role.STUDENT, user, StudentNotFound, last_check)


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


def change_students(
    volume: Volume,
    course: str,
    entries: Iterable[tuple[str, Person]],
    leaving: Collection[str],
    last_check: LastCheck = no_check,
) -> None:
    """Make users students or change their entries, and take others off the roster, by one write.

    Args:
        entries: see `set_students`, but that what is None stays as it is; an entry that a group has brought stays one.
        leaving: who goes; whoever is no student by then does not matter.
        last_check: see `change`.

    Raises:
        IsInstructor, IsGrader: one of `entries` is above students; then nothing is changed.
        CourseNotFound, BrokenManifest: see `change`.
    """
    entries = list(entries)

    def changed(roster: Roster) -> Roster:
        students = {name: entry for name, entry in roster.students.items() if name not in leaving}
        for user, person in entries:
            match _above_students(roster, user):
                case Role.INSTRUCTOR:
                    raise IsInstructor(user)
                case Role.GRADER:
                    raise IsGrader(user)
            present = students.get(user, Person("", "", ""))
            said = {key: value for key in PERSON_KEYS if (value := getattr(person, key)) is not None}
            students[user] = replace(present, **said)
        return replace(roster, students=students)

    change(volume, course, changed, last_check)


def mark(volume: Volume, course: str, members: Iterable[tuple[str, Role, Person]]) -> list[str]:
    """Note whom the hub's groups have brought into a course, by one write; that gives them nothing.

    Args:
        members: user names, what their groups make of them, and what the hub knows of them.

    Returns:
        the users for whom there is a new entry, or one in another list than before.

    Raises:
        CourseNotFound, BrokenManifest: see `change`.
    """
    members = list(members)
    marked: list[str] = []

    def changed(roster: Roster) -> Roster:
        marked.clear()
        for user, role, person in members:
            if lacks_mark(roster, user, role):
                marked.append(user)
                roster = with_mark(roster, user, role, person)
            elif lacks_names(roster, user, role, person):
                roster = with_mark(roster, user, role, person)
        return roster

    change(volume, course, changed)
    return marked


def lacks_mark(roster: Roster, user: str, role: Role) -> bool:
    """Whether somebody who has a role by a group is not noted under it, and has none by name."""
    return roster.named_role(user) is None and any((user in roster.people(each)) != (each is role) for each in Role)


def lacks_names(roster: Roster, user: str, role: Role, person: Person) -> bool:
    """Whether somebody is noted without any name, and the hub knows one: groups alone, in a sync, bring none."""
    entry = roster.people(role).get(user)
    return entry is not None and entry.source == FROM_GROUP and not _has_names(entry) and _has_names(person)


def _has_names(person: Person) -> bool:
    return any(getattr(person, key) for key in PERSON_KEYS)


def with_mark(roster: Roster, user: str, role: Role, person: Person) -> Roster:
    """The roster with the entry of somebody whom a group gives a role; one that is there moves, and keeps its names."""
    known = next((people[user] for each in Role if user in (people := roster.people(each))), person)
    if not _has_names(known):
        known = person
    return _placed(roster, role, user, replace(known, source=FROM_GROUP))


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


def _placed(roster: Roster, role: Role, user: str, person: Person) -> Roster:
    """The roster with somebody's entry in the list of a role, and in no other."""
    present = roster.people(role)
    return roster.without(user).with_people(role, {**present, user: _updated(present.get(user), person)})


def _remove(
    volume: Volume, course: str, role: Role, user: str, missing: type[StoreError], last_check: LastCheck
) -> None:
    """Take somebody off the list of a role; raises `missing` where they are not on it."""

    def changed(roster: Roster) -> Roster:
        people = roster.people(role)
        if user not in people:
            raise missing(user)
        return roster.with_people(role, {name: entry for name, entry in people.items() if name != user})

    change(volume, course, changed, last_check)


def _updated(present: Person | None, person: Person) -> Person:
    return person if present is None else replace(person, more=present.more)
