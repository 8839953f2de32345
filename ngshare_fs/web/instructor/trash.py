"""What was deleted of a course, and bringing it back: for those who teach it."""

from collections.abc import Mapping
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store.upkeep.last_count import count_of
from ngshare_fs.store.upkeep.trash_entries import TrashEntry, deletions_in
from ngshare_fs.web.frame.page import Done, Form, Page
from ngshare_fs.web.frame.part_of_table import PART, part_of
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.student.course import COURSE
from ngshare_fs.web.trashed import FIELDS, asked_for, before_restoring, bring_back, trashed

PATH = "pages/trash/{course}"


def read(visit: Visit) -> Mapping[str, Any]:
    """The table."""
    part = part_of(deletions_in(visit.volume, visit.course), visit.query.get(PART))
    count = count_of(visit.volume)
    return {
        "course": visit.course,
        "part": part,
        "rows": trashed(visit, part.rows, count),
        "moment": None if count is None else count.moment,
        "days": visit.settings.trash_days,
    }


def read_before(visit: Visit) -> Mapping[str, Any]:
    """What is asked before it is brought back."""
    return {"course": visit.course, **before_restoring(visit, _entry(visit))}


def restore(visit: Visit, values: Mapping[str, str]) -> Done:
    """Bring it back."""
    return bring_back(visit, _entry(visit), values, Done(PATH, {"course": visit.course}, "restored"))


def _entry(visit: Visit) -> TrashEntry:
    entry = asked_for(visit)
    # Nobody brings back what is of another course, or of an earlier one of this name.
    if entry.name not in {each.name for each in deletions_in(visit.volume, visit.course)}:
        raise Refused(refusals.UNKNOWN_PATH)
    return entry


TRASH = Page(PATH, Who.INSTRUCTOR, "trash", read, under=COURSE, in_menu=True)
RESTORE = Page(
    "pages/restore/{course}",
    Who.INSTRUCTOR,
    "restore",
    read_before,
    under=TRASH,
    forms=(Form("restore", restore, FIELDS),),
)
