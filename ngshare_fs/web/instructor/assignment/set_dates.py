"""The dates of an assignment as fields: what a change would do is said before it is made."""

from collections.abc import Mapping
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.formats.civil_time import moment_in
from ngshare_fs.formats.duration import duration_in, duration_text
from ngshare_fs.formats.sentence import Sentence, sentence
from ngshare_fs.store import AssignmentFile, dates
from ngshare_fs.store.errors import WrongDates
from ngshare_fs.web.frame.page import Asks, Done, Field, Form, Page, Wrong
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.instructor.as_compared import SEEN, SEEN_FIELD, MovedOn, mark_of, still
from ngshare_fs.web.instructor.assignment.effects import effects_of
from ngshare_fs.web.instructor.assignment.manage import MANAGE, dates_or_problem

MOMENTS = ("release", "due", "close")
NAMES = (*MOMENTS, "grace")
FIELDS = tuple(Field(name, 100, required=False) for name in NAMES)


def read(visit: Visit) -> Mapping[str, Any]:
    """The dates as they are written."""
    applying, _, problem = dates_or_problem(visit)
    written = {} if problem else texts_of(dates.written(*visit.asking.work))
    return {
        "names": dict(visit.asking.names),
        "applying": applying,
        "problem": problem,
        "written": written,
        "rules": visit.roster.rules,
    }


def texts_of(file: AssignmentFile) -> dict[str, str]:
    """What the fields have in them."""
    texts = {name: str(getattr(file, name) or "") for name in MOMENTS}
    return {**texts, "grace": "" if file.grace is None else duration_text(file.grace)}


def look(visit: Visit, values: Mapping[str, str]) -> Asks:
    """Say what would change, and for whom."""
    return _asks(visit, values, is_anew=False)


def save(visit: Visit, values: Mapping[str, str]) -> Done | Asks:
    """Set the dates, if they would still replace those that were shown."""
    changes = changes_in(visit, values)
    check = still(values[SEEN], lambda: texts_of(_present(visit)), visit.last_check)
    try:
        dates.change(*visit.asking.work, changes, check)
    except MovedOn:
        return _asks(visit, values, is_anew=True)
    except WrongDates as error:
        raise Wrong({"due": _said(error)}) from None
    visit.note("set-dates", ", ".join(f"{name}: {changes_text}" for name, changes_text in _in_words(changes)))
    return Done(MANAGE.path, visit.asking.names, "dates-set")


def _asks(visit: Visit, values: Mapping[str, str], is_anew: bool) -> Asks:
    changes, present = changes_in(visit, values), _present(visit)
    try:
        after = dates.changed(present, changes)
    except WrongDates as error:
        raise Wrong({"due": _said(error)}) from None
    before_texts, after_texts = texts_of(present), texts_of(after)
    differ = [(name, old, after_texts[name]) for name, old in before_texts.items() if old != after_texts[name]]
    effects = effects_of(visit, present, after) if differ else []
    return Asks({"changes": differ, "effects": effects, SEEN: mark_of(before_texts), "is_anew": is_anew})


def _present(visit: Visit) -> AssignmentFile:
    return dates.reading(*visit.asking.work).present


def changes_in(visit: Visit, values: Mapping[str, str]) -> dict[str, object]:
    """What the fields of dates say, as `dates.change` takes it.

    Raises:
        Wrong: one of them cannot be understood.
    """
    changes: dict[str, object] = {}
    problems: dict[str, str] = {}
    for name in NAMES:
        text = values[name].strip()
        try:
            if not text:
                changes[name] = None
            elif name == "grace":
                changes[name] = duration_in(text)
            else:
                changes[name] = moment_in(text, visit.zone)
        except ValueError as error:
            problems[name] = _said(error)
    if problems:
        raise Wrong(problems)
    return changes


def _in_words(changes: Mapping[str, object]) -> list[tuple[str, str]]:
    """As the journal has them from the API."""
    texts = texts_of(AssignmentFile(**changes))  # type: ignore[arg-type] # by the names of its fields
    return [(name, texts[name] or "none") for name in NAMES]


def _said(error: Exception) -> Sentence:
    (said,) = error.args
    return said if isinstance(said, Sentence) else sentence("{problem}", problem=said)


SET_DATES = Page(
    "pages/dates/{course}/{assignment}",
    Who.INSTRUCTOR,
    "set_dates",
    read,
    under=MANAGE,
    forms=(Form("look", look, FIELDS), Form("save", save, (*FIELDS, SEEN_FIELD))),
)
