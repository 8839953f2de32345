"""Endpoints of instructors, graders and students."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.api.call import Answer, Call
from ngshare_fs.api.endpoint import Argument, Endpoint, Pool
from ngshare_fs.api.endpoints.courses import is_name
from ngshare_fs.api.endpoints.schemas import NAME, PERSON, TEXT, list_of, record
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refusal, Refused
from ngshare_fs.store import Person, Role, StoreError, journal, roster
from ngshare_fs.store.errors import GraderNotFound, InstructorNotFound, IsInstructor, StudentNotFound

FIRST_NAME = Argument("first_name", TEXT, "May be empty.")
LAST_NAME = Argument("last_name", TEXT, "May be empty.")
EMAIL = Argument("email", TEXT, "May be empty.")
STUDENTS = Argument(
    "students",
    {**list_of({"username": NAME, "first_name": TEXT, "last_name": TEXT, "email": TEXT}), "minItems": 1},
    "The students to add or to change.",
    is_json=True,
)
LEAVING = Argument(
    "students",
    {"type": "array", "items": NAME, "minItems": 1},
    "The user names of the students to remove.",
    is_json=True,
)
_STUDENTS_REFUSALS = (refusals.NO_STUDENTS, refusals.STUDENTS_NOT_JSON, refusals.WRONG_FORMAT)
# What was done with each of many students.
_STATUS = {
    "status": {
        "type": "array",
        "items": {
            **record({"username": NAME, "success": {"type": "boolean"}, "message": TEXT}),
            "required": ["username", "success"],
        },
    }
}
_FIELDS = ("username", "first_name", "last_name", "email")
# Why somebody cannot be made a student.
_IS_HIGHER: Mapping[Role, Refusal] = {
    Role.INSTRUCTOR: refusals.IS_INSTRUCTOR,
    Role.GRADER: refusals.IS_GRADER,
}
_NOT_A_PERSON = (refusals.NO_FIRST_NAME, refusals.NO_LAST_NAME, refusals.NO_EMAIL)


def set_instructor(call: Call) -> Answer:
    """Make a user an instructor, or change the entry."""
    person = _person(call)
    if not call.is_admin and call.user != call.named_user:
        if call.named_user in call.roster.instructors:
            raise Refused(refusals.CANNOT_MODIFY_OTHERS)
        raise Refused(refusals.CANNOT_MODIFY_INSTRUCTORS)
    # Only admins make instructors: who is one by a group does not become one for good by writing their name.
    stays_marked = not call.is_admin
    roster.set_instructor(call.volume, call.course, call.named_user, person, call.last_check, stays_marked)
    call.note("set-instructor", call.named_user, student="")
    return {}


def get_instructor(call: Call) -> Answer:
    """An instructor's entry."""
    return _entry_of(call, Role.INSTRUCTOR, InstructorNotFound)


def remove_instructor(call: Call) -> Answer:
    """Take an instructor off the roster."""
    roster.remove_instructor(call.volume, call.course, call.named_user, call.last_check)
    call.note("remove-instructor", call.named_user, student="")
    return {}


def list_instructors(call: Call) -> Answer:
    """All instructors of a course."""
    return _all(call, Role.INSTRUCTOR)


def set_grader(call: Call) -> Answer:
    """Make a user a grader, or change the entry."""
    try:
        roster.set_grader(call.volume, call.course, call.named_user, _person(call), call.last_check)
    except IsInstructor:
        raise Refused(refusals.INSTRUCTOR_AS_GRADER) from None
    call.note("set-grader", call.named_user, student="")
    return {}


def get_grader(call: Call) -> Answer:
    """A grader's entry."""
    return _entry_of(call, Role.GRADER, GraderNotFound)


def remove_grader(call: Call) -> Answer:
    """Take a grader off the roster."""
    roster.remove_grader(call.volume, call.course, call.named_user, call.last_check)
    call.note("remove-grader", call.named_user, student="")
    return {}


def list_graders(call: Call) -> Answer:
    """All graders of a course."""
    return _all(call, Role.GRADER)


def set_student(call: Call) -> Answer:
    """Make a user a student, or change the entry."""
    roster.set_student(call.volume, call.course, call.named_user, _person(call), call.last_check)
    call.note("set-student")
    return {}


def get_student(call: Call) -> Answer:
    """A student's entry."""
    return _entry_of(call, Role.STUDENT, StudentNotFound)


def remove_student(call: Call) -> Answer:
    """Take a student off the roster."""
    roster.remove_student(call.volume, call.course, call.named_user, call.last_check)
    call.note("remove-student")
    return {}


def set_students(call: Call) -> Answer:
    """Add or change many students by one write."""
    entries = _entries(call)
    instead = roster.set_students(call.volume, call.course, entries, call.last_check)
    names = [name for name, _ in entries]
    taken = [name for name, other in zip(names, instead, strict=True) if other is None]
    call.note("set-students", journal.listed(taken))
    return _status(names, [None if other is None else _IS_HIGHER[other] for other in instead])


def remove_students(call: Call) -> Answer:
    """Take many students off the roster by one write."""
    names = _listed(call)
    if not all(is_name(name) for name in names):
        raise Refused(refusals.WRONG_FORMAT)
    removed = roster.remove_students(call.volume, call.course, names, call.last_check)
    gone = [name for name, is_gone in zip(names, removed, strict=True) if is_gone]
    call.note("remove-students", journal.listed(gone))
    return _status(names, [None if is_gone else refusals.STUDENT_NOT_FOUND for is_gone in removed])


def _status(names: Iterable[str], found: Iterable[Refusal | None]) -> Answer:
    status: list[dict[str, Any]] = []
    for name, refusal in zip(names, found, strict=True):
        status.append({"username": name, "success": refusal is None})
        if refusal is not None:
            status[-1]["message"] = refusal.message
    return {"status": status}


def list_students(call: Call) -> Answer:
    """All students of a course."""
    return _all(call, Role.STUDENT)


def _person(call: Call) -> Person:
    return Person(
        first_name=call.form.text("first_name", refusals.NO_FIRST_NAME),
        last_name=call.form.text("last_name", refusals.NO_LAST_NAME),
        email=call.form.text("email", refusals.NO_EMAIL),
    )


def _entry_of(call: Call, role: Role, missing: type[StoreError]) -> Answer:
    person = call.roster.people(role).get(call.named_user)
    if person is None:
        raise missing(call.named_user)
    return _entry(call.named_user, person)


def _all(call: Call, role: Role) -> Answer:
    return {role.key: [_entry(name, person) for name, person in call.roster.listed(role).items()]}


def _entry(name: str, person: Person) -> dict[str, str | None]:
    return {
        "username": name,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": person.email,
    }


def _listed(call: Call) -> list[Any]:
    """The argument `students`: a list that is not empty."""
    text = call.form.text("students", refusals.NO_STUDENTS, refusals.STUDENTS_NOT_JSON)
    if not text:
        raise Refused(refusals.NO_STUDENTS)
    try:
        students = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused(refusals.STUDENTS_NOT_JSON) from None
    if students == []:
        raise Refused(refusals.NO_STUDENTS)
    if not isinstance(students, list):
        raise Refused(refusals.WRONG_FORMAT)
    return students


def _entries(call: Call) -> list[tuple[str, Person]]:
    entries = []
    for student in _listed(call):
        if not isinstance(student, dict) or not all(_is_text(student.get(key)) for key in _FIELDS):
            raise Refused(refusals.WRONG_FORMAT)
        if not is_name(student["username"]):
            raise Refused(refusals.WRONG_FORMAT)
        entries.append((student["username"], Person(*(student[key] for key in _FIELDS[1:]))))
    return entries


def _is_text(value: object) -> bool:
    return value == "" or is_name(value)


ENDPOINTS = (
    Endpoint(
        "POST",
        "instructor/{course}/{user}",
        Who.INSTRUCTOR,
        Pool.MANAGES,
        "Make a user an instructor (admins), or change one's own entry (instructors)",
        set_instructor,
        arguments=(FIRST_NAME, LAST_NAME, EMAIL),
        refusals=(*_NOT_A_PERSON, refusals.CANNOT_MODIFY_INSTRUCTORS, refusals.CANNOT_MODIFY_OTHERS),
    ),
    Endpoint(
        "GET",
        "instructor/{course}/{user}",
        Who.MEMBER,
        Pool.READS,
        "An instructor's names and email",
        get_instructor,
        refusals=(refusals.INSTRUCTOR_NOT_FOUND,),
        answer=PERSON,
    ),
    Endpoint(
        "DELETE",
        "instructor/{course}/{user}",
        Who.ADMIN,
        Pool.MANAGES,
        "Take an instructor off the roster",
        remove_instructor,
        refusals=(refusals.INSTRUCTOR_NOT_FOUND,),
    ),
    Endpoint(
        "GET",
        "instructors/{course}",
        Who.MEMBER,
        Pool.READS,
        "All instructors of a course",
        list_instructors,
        answer={"instructors": list_of(PERSON)},
    ),
    Endpoint(
        "POST",
        "grader/{course}/{user}",
        Who.INSTRUCTOR,
        Pool.MANAGES,
        "Make a user a grader, who sees and grades what is handed in, or change the entry",
        set_grader,
        arguments=(FIRST_NAME, LAST_NAME, EMAIL),
        refusals=(*_NOT_A_PERSON, refusals.INSTRUCTOR_AS_GRADER),
    ),
    Endpoint(
        "GET",
        "grader/{course}/{user}",
        Who.MEMBER,
        Pool.READS,
        "A grader's names and email",
        get_grader,
        refusals=(refusals.GRADER_NOT_FOUND,),
        answer=PERSON,
    ),
    Endpoint(
        "DELETE",
        "grader/{course}/{user}",
        Who.INSTRUCTOR,
        Pool.MANAGES,
        "Take a grader off the roster",
        remove_grader,
        refusals=(refusals.GRADER_NOT_FOUND,),
    ),
    Endpoint(
        "GET",
        "graders/{course}",
        Who.MEMBER,
        Pool.READS,
        "All graders of a course",
        list_graders,
        answer={"graders": list_of(PERSON)},
    ),
    Endpoint(
        "POST",
        "student/{course}/{user}",
        Who.INSTRUCTOR,
        Pool.MANAGES,
        "Make a user a student, or change the entry",
        set_student,
        arguments=(FIRST_NAME, LAST_NAME, EMAIL),
        refusals=(*_NOT_A_PERSON, refusals.IS_INSTRUCTOR, refusals.IS_GRADER),
    ),
    Endpoint(
        "GET",
        "student/{course}/{user}",
        Who.GRADER_OR_SELF,
        Pool.READS,
        "A student's names and email",
        get_student,
        refusals=(refusals.STUDENT_NOT_FOUND,),
        answer=PERSON,
    ),
    Endpoint(
        "DELETE",
        "student/{course}/{user}",
        Who.INSTRUCTOR,
        Pool.MANAGES,
        "Take a student off the roster; what was handed in stays, and stays listed",
        remove_student,
        refusals=(refusals.STUDENT_NOT_FOUND,),
    ),
    Endpoint(
        "POST",
        "students/{course}",
        Who.INSTRUCTOR,
        Pool.MANAGES,
        "Add or change many students by one write",
        set_students,
        arguments=(STUDENTS,),
        refusals=_STUDENTS_REFUSALS,
        answer=_STATUS,
    ),
    Endpoint(
        "POST",
        "removal/{course}",
        Who.INSTRUCTOR,
        Pool.MANAGES,
        "Take many students off the roster by one write; what they handed in stays, and stays listed",
        remove_students,
        arguments=(LEAVING,),
        refusals=_STUDENTS_REFUSALS,
        answer=_STATUS,
    ),
    Endpoint(
        "GET",
        "students/{course}",
        Who.GRADER,
        Pool.READS,
        "All students of a course",
        list_students,
        answer={"students": list_of(PERSON)},
    ),
)
