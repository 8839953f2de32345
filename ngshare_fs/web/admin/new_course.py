"""A new course: by an admin, who names its instructors, or by whoever may make courses, who becomes its instructor."""

from collections.abc import Mapping
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.store import course
from ngshare_fs.store.errors import CourseExists
from ngshare_fs.web.frame.page import Done, Field, Form, Page, Wrong
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.home import HOME

NAME, INSTRUCTORS = "course_name", "instructors"


def read(visit: Visit) -> Mapping[str, Any]:
    """What the form has to know: who becomes the instructor."""
    return {"names_others": visit.asking.is_admin}


def create(visit: Visit, values: Mapping[str, str]) -> Done:
    """Make it."""
    name = values[NAME].strip()
    instructors = [visit.user]
    if visit.asking.is_admin:
        instructors = list(dict.fromkeys(line.strip() for line in values[INSTRUCTORS].splitlines() if line.strip()))
    visit.last_check()
    try:
        course.create(visit.volume, name, instructors)
    except CourseExists:
        raise Wrong({NAME: "wrong.course-exists"}) from None
    visit.note_of("create-course", name, detail=_listed(instructors))
    return Done("pages/course/{course}", {"course": name}, "course-created")


def _listed(names: list[str]) -> str:
    return f"{len(names)}: {', '.join(names)}" if names else ""


FORM = Form("create", create, (Field(NAME), Field(INSTRUCTORS, 20_000, required=False)))
NEW_COURSE = Page("pages/new-course", Who.COURSE_CREATOR, "new_course", read, under=HOME, forms=(FORM,), in_menu=True)
