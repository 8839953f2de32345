"""Asks before an assignment goes into the trash, with all that was handed in."""

from collections.abc import Mapping
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.store import assignment, submission
from ngshare_fs.web.frame.page import Done, Field, Form, Page, Wrong
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.instructor.assignment.manage import MANAGE
from ngshare_fs.web.student.course import COURSE


def read(visit: Visit) -> Mapping[str, Any]:
    """What would go."""
    handed_in = submission.submissions_to(*visit.asking.work)
    return {
        "names": dict(visit.asking.names),
        "submissions": len(handed_in),
        "workers": len({each.student for each in handed_in}),
    }


def delete(visit: Visit, values: Mapping[str, str]) -> Done:
    """Move it to the trash, if its name was typed."""
    # A browser takes line ends out of what is typed, and nobody sees spaces around it.
    if values["name"].split() != visit.assignment.split():
        raise Wrong({"name": "wrong.other-name"})
    assignment.delete(*visit.asking.work, visit.user, visit.last_check)
    visit.note("delete-assignment")
    return Done(COURSE.path, {"course": visit.course}, "assignment-deleted")


DELETE_ASSIGNMENT = Page(
    "pages/delete-assignment/{course}/{assignment}",
    Who.INSTRUCTOR,
    "delete_assignment",
    read,
    under=MANAGE,
    forms=(Form("delete", delete, (Field("name"),)),),
)
