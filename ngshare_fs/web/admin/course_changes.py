"""A course gets another name, or goes to the trash: pages that ask first."""

import logging
from collections.abc import Mapping
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.store import StoreError, course
from ngshare_fs.store.errors import CourseExists
from ngshare_fs.store.renaming.course_renaming import rename
from ngshare_fs.store.upkeep.last_count import count_of
from ngshare_fs.web.admin.courses import COURSES
from ngshare_fs.web.frame.page import Done, Field, Form, Page, Wrong
from ngshare_fs.web.frame.visit import Visit

logger = logging.getLogger(__name__)

NEW_NAME, TYPED = "new_name", "typed_name"


def read(visit: Visit) -> Mapping[str, Any]:
    """What it had when it was counted, and for how long it would be in the trash."""
    count = count_of(visit.volume)
    return {
        "course": visit.course,
        "figures": None if count is None else count.courses.get(visit.course),
        "days": visit.settings.trash_days,
    }


def give_name(visit: Visit, values: Mapping[str, str]) -> Done:
    """Rename it."""
    new = values[NEW_NAME].strip()
    if new == visit.course:
        raise Wrong({NEW_NAME: "wrong.same-name"})
    visit.last_check()
    what = "course-renamed"
    try:
        rename(visit.volume, visit.course, new)
    except CourseExists:
        raise Wrong({NEW_NAME: "wrong.course-exists"}) from None
    except (StoreError, OSError) as error:
        # A full disk, say. Where its folder has the new name already, this page is not there any more.
        if course.exists(visit.volume, visit.course) or not course.exists(visit.volume, new):
            raise
        logger.error("%r has become %r, but not everywhere: %s", visit.course, new, error)
        what = "course-renamed-partly"
    visit.note_of("rename-course", new, detail=f"from {visit.course}")
    return Done("pages/admin", {}, what)


def delete(visit: Visit, values: Mapping[str, str]) -> Done:
    """Move it to the trash, where its name was typed."""
    typed = values[TYPED]
    # In a line: what a name has of line ends nobody can type.
    if " ".join(typed.split()) != " ".join(visit.course.split()):
        raise Wrong({TYPED: "wrong.other-course-name"})
    visit.last_check()
    course.delete(visit.volume, visit.course, by=visit.user)
    visit.note("delete-course")
    return Done("pages/admin", {}, "course-deleted")


RENAME = Page(
    "pages/admin-rename/{course}",
    Who.ADMIN,
    "course_rename",
    read,
    under=COURSES,
    forms=(Form("rename", give_name, (Field(NEW_NAME),)),),
)
DELETE = Page(
    "pages/admin-delete/{course}",
    Who.ADMIN,
    "course_delete",
    read,
    under=COURSES,
    forms=(Form("delete", delete, (Field(TYPED, 10_000),)),),
)
