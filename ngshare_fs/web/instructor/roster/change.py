"""Many students at once: a list is pasted, the difference is shown, and made once it is confirmed."""

from collections.abc import Mapping
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.store import journal, roster
from ngshare_fs.web.frame.page import Asks, Done, Field, Form, Page
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.instructor import pasted
from ngshare_fs.web.instructor.as_compared import SEEN, SEEN_FIELD, MovedOn, mark_of, still
from ngshare_fs.web.instructor.roster.difference_shown import Compared, compare
from ngshare_fs.web.instructor.roster.members import ROSTER

# Boxes, which send a text if they are ticked: whether who is not in the list goes; and so many of them.
COMPLETE, SURE = "complete", "sure"
FIELDS = (*pasted.FIELDS, Field(COMPLETE, 10, required=False))


def read(visit: Visit) -> Mapping[str, Any]:
    """Nothing but where we are; what is shown is what was pasted."""
    return {"names": dict(visit.asking.names), "most_shown": pasted.MOST_SHOWN}


def look(visit: Visit, values: Mapping[str, str]) -> Asks:
    """Say who would come, change and go."""
    return _asks(values, _compared(visit, values), is_anew=False)


def change(visit: Visit, values: Mapping[str, str]) -> Done | Asks:
    """Change the roster, if that would still be what was shown."""
    wanted = _compared(visit, values)
    if wanted.is_too_much and not values[SURE]:
        if mark_of(wanted.shown) != values[SEEN]:
            return _asks(values, wanted, is_anew=True)
        return _asks(values, wanted, is_anew=False, is_unsure=True)
    check = still(values[SEEN], lambda: _compared(visit, values).shown, visit.last_check)
    try:
        roster.change_students(visit.volume, visit.course, wanted.entries, set(wanted.removed), check)
    except MovedOn:
        return _asks(values, _compared(visit, values), is_anew=True)
    come = [*(each.user for each in wanted.added), *(each.student.user for each in wanted.changed)]
    if come:
        visit.note("set-students", journal.listed(come))
    if wanted.removed:
        visit.note("remove-students", journal.listed(wanted.removed))
    return Done(ROSTER.path, visit.asking.names, "roster-changed", len(come) + len(wanted.removed))


def _compared(visit: Visit, values: Mapping[str, str]) -> Compared:
    return compare(roster.present(visit.volume, visit.course), pasted.text_in(values), bool(values[COMPLETE]))


def _asks(values: Mapping[str, str], wanted: Compared, is_anew: bool, is_unsure: bool = False) -> Asks:
    content = {"compared": wanted, SEEN: mark_of(wanted.shown), "is_anew": is_anew, "is_unsure": is_unsure}
    return Asks({**content, pasted.PEOPLE: pasted.text_in(values)})


ROSTER_CHANGE = Page(
    "pages/roster-change/{course}",
    Who.INSTRUCTOR,
    "roster_change",
    read,
    under=ROSTER,
    forms=(
        Form("look", look, FIELDS),
        Form("change", change, (*FIELDS, SEEN_FIELD, Field(SURE, 10, required=False))),
    ),
)
