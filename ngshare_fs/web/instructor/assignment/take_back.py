"""Asks before the release of an assignment is taken back."""

from collections.abc import Mapping
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.store import release, submission
from ngshare_fs.web.frame.page import Done, Form, Page
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.instructor.assignment.manage import MANAGE


def read(visit: Visit) -> Mapping[str, Any]:
    """What that would hide, and from whom."""
    handed_in = submission.submissions_to(*visit.asking.work)
    return {
        "names": dict(visit.asking.names),
        "is_open": release.is_open(*visit.asking.work),
        "workers": len({each.student for each in handed_in}),
    }


def take_back(visit: Visit, values: Mapping[str, str]) -> Done:
    """Take it back."""
    if release.is_open(*visit.asking.work):
        release.withdraw(*visit.asking.work, visit.user, visit.last_check)
        visit.note("withdraw")
    return Done(MANAGE.path, visit.asking.names, "taken-back")


TAKE_BACK = Page(
    "pages/take-back/{course}/{assignment}",
    Who.INSTRUCTOR,
    "take_back",
    read,
    under=MANAGE,
    forms=(Form("withdraw", take_back),),
)
