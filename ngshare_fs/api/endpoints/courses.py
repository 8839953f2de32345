"""Endpoints of courses."""

import json

from ngshare_fs.access.permission import Who
from ngshare_fs.access.roles import courses_seen_by
from ngshare_fs.api.call import Answer, Call
from ngshare_fs.api.endpoint import Argument, Endpoint, Pool
from ngshare_fs.api.endpoints.schemas import NAME, NAMES
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import course, journal

INSTRUCTORS = Argument(
    "instructors",
    {"type": "array", "items": NAME},
    "User names of the first instructors; whoever is no admin can name nobody but themselves.",
    required=False,
    is_json=True,
)


def list_courses(call: Call) -> Answer:
    """All courses to an admin, to others those that they take or teach."""
    return {"courses": courses_seen_by(call.volume, call.user, call.is_admin, call.groups)}


def create_course(call: Call) -> Answer:
    """Make a course."""
    if course.exists(call.volume, call.course):
        raise Refused(refusals.COURSE_EXISTS)
    instructors = _instructors(call)
    if not call.is_admin:
        # Whoever may make courses makes nobody else an instructor.
        if set(instructors) - {call.user}:
            raise Refused(refusals.OTHER_INSTRUCTORS)
        instructors = [call.user]
    course.create(call.volume, call.course, instructors)
    call.note("create-course", journal.listed(instructors))
    return {}


def delete_course(call: Call) -> Answer:
    """Move a course to the trash."""
    course.delete(call.volume, call.course, by=call.user)
    call.note("delete-course")
    return {}


def _instructors(call: Call) -> list[str]:
    if "instructors" not in call.form.texts:
        return []
    text = call.form.text("instructors", refusals.INSTRUCTORS_NOT_JSON, refusals.INSTRUCTORS_NOT_JSON)
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused(refusals.INSTRUCTORS_NOT_JSON) from None
    if not isinstance(names, list) or not all(is_name(name) for name in names):
        raise Refused(refusals.INSTRUCTORS_NOT_JSON)
    return names


def is_name(value: object) -> bool:
    """Whether a decoded JSON value can be a user's name: a text that is not empty and can be encoded in UTF-8."""
    if not isinstance(value, str) or not value:
        return False
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


ENDPOINTS = (
    Endpoint(
        "GET",
        "courses",
        Who.ANYONE,
        Pool.READS,
        "The courses that the user takes or teaches, sorted; an admin's list has all",
        list_courses,
        answer={"courses": NAMES},
    ),
    Endpoint(
        "POST",
        "course/{course}",
        Who.COURSE_CREATOR,
        Pool.MANAGES,
        "Make a course (admins, and those who may make courses, who become its instructor)",
        create_course,
        arguments=(INSTRUCTORS,),
        refusals=(refusals.COURSE_EXISTS, refusals.INSTRUCTORS_NOT_JSON, refusals.OTHER_INSTRUCTORS),
        new_course=True,
    ),
    Endpoint(
        "DELETE",
        "course/{course}",
        Who.ADMIN,
        Pool.MANAGES,
        "Delete a course with everything in it; the operator can bring it back",
        delete_course,
    ),
)
