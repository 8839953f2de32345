"""More time for single students: who has it and why, and giving it to one or several."""

from collections.abc import Mapping
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.store import Extension, dates
from ngshare_fs.store import extensions as verbs
from ngshare_fs.store.errors import WrongDates
from ngshare_fs.web.frame.page import Asks, Done, Field, Form, Page, Wrong
from ngshare_fs.web.frame.part_of_table import PART, part_of
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.instructor import pasted
from ngshare_fs.web.instructor.as_compared import SEEN, SEEN_FIELD, MovedOn, mark_of, still
from ngshare_fs.web.instructor.assignment.manage import MANAGE, dates_or_problem
from ngshare_fs.web.instructor.assignment.more_time import plan

PATH = "pages/extensions/{course}/{assignment}"
# The parameter that says for whom a field is filled in already.
FOR = "for"
FIELDS = (
    *pasted.FIELDS,
    Field("until", 100, required=False),
    Field("close", 100, required=False),
    Field("reason", 1000, required=False),
)


def read(visit: Visit) -> Mapping[str, Any]:
    """All extensions."""
    applying, _, problem = dates_or_problem(visit)
    rows: list[tuple[str, Extension]] = []
    if not problem:
        rows = sorted(dates.written(*visit.asking.work).extensions.items())
    chosen = visit.query.get(FOR, "")
    present = dict(rows).get(chosen)
    return {
        "names": dict(visit.asking.names),
        "applying": applying,
        "problem": problem,
        "most_shown": pasted.MOST_SHOWN,
        "rows": part_of(rows, visit.query.get(PART)),
        "filled": {
            "people": chosen,
            "until": str(present.due or "") if present else "",
            "close": str(present.close or "") if present else "",
            "reason": (present.reason or "") if present else "",
        },
    }


def look(visit: Visit, values: Mapping[str, str]) -> Asks:
    """Say who would get what."""
    return _asks(visit, values, is_anew=False)


def give(visit: Visit, values: Mapping[str, str]) -> Done | Asks:
    """Give it, if it would still be what was shown."""
    wanted = plan(visit, values)
    check = still(values[SEEN], lambda: plan(visit, values).shown, visit.last_check)
    try:
        verbs.extend_several(*visit.asking.work, wanted.given, check)
    except MovedOn:
        return _asks(visit, values, is_anew=True)
    except WrongDates as error:
        raise Wrong({"until": error.args[0]}) from None
    for user, given in wanted.given.items():
        said = {"due": given.due, "close": given.close}
        visit.note("extend", ", ".join(f"{name}: {date}" for name, date in said.items() if date), user)
    return Done(PATH, visit.asking.names, "extended", len(wanted.given))


def _asks(visit: Visit, values: Mapping[str, str], is_anew: bool) -> Asks:
    wanted = plan(visit, values)
    content = {"plan": wanted, SEEN: mark_of(wanted.shown), "is_anew": is_anew, "cautions": wanted.cautions(visit.now)}
    return Asks({**content, pasted.PEOPLE: pasted.text_in(values)})


EXTENSIONS = Page(
    PATH,
    Who.INSTRUCTOR,
    "extensions",
    read,
    under=MANAGE,
    forms=(Form("look", look, FIELDS), Form("give", give, (*FIELDS, SEEN_FIELD))),
)


def read_one(visit: Visit) -> Mapping[str, Any]:
    """The extension that would go."""
    file = dates.written(*visit.asking.work)
    return {
        "names": dict(visit.asking.names),
        "given": file.extensions.get(visit.named_user),
        "applying": dates.applying(file, visit.roster.rules),
    }


def take_back(visit: Visit, values: Mapping[str, str]) -> Done:
    """Let the assignment's dates count for a student again."""
    if verbs.take_back(*visit.asking.work, visit.named_user, visit.last_check):
        visit.note("take-back-extension")
    names = {"course": visit.course, "assignment": visit.assignment}
    return Done(PATH, names, "extension-taken-back")


TAKE_BACK_EXTENSION = Page(
    "pages/take-back-extension/{course}/{assignment}/{user}",
    Who.INSTRUCTOR,
    "take_back_extension",
    read_one,
    under=EXTENSIONS,
    forms=(Form("withdraw", take_back),),
)
