"""The journal: who did what, the newest first, and as a table for spreadsheets."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.store import Timestamp
from ngshare_fs.store.journal import Entry, backwards
from ngshare_fs.store.journal.search import Wanted
from ngshare_fs.web.admin.courses import COURSES
from ngshare_fs.web.frame.download import Document, Download
from ngshare_fs.web.frame.page import Page
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.untrusted.csv_table import csv_table

ROWS = 100
# Of a table to download, more rows are of no use to a spreadsheet, and more reading none to the others here.
MOST_ROWS, MOST_READ = 20_000, 2**27
# The parameters: what it was, and when; whether fetches are shown; before which time the page begins.
COURSE, ASSIGNMENT, STUDENT, BY, WHAT = "course", "assignment", "student", "by", "what"
FROM, TO, READS, BEFORE = "from", "to", "reads", "before"
NAMES = (COURSE, ASSIGNMENT, STUDENT, BY, WHAT)
# What is offered for `what`; anything else finds nothing, or what a later release has written.
WORDS = (
    "archive", "collect-as-zip",
    "create-course", "delete-assignment", "delete-course", "delete-submission", "empty-trash", "extend",
    "fetch-feedback", "forget-user", "give-feedback", "import", "join-by-group", "leave-by-group", "prune", "release",
    "remove-grader", "remove-instructor", "remove-student", "remove-students", "rename-course", "rename-user", "repair",
    "restore", "set-dates", "set-grader", "set-instructor", "set-student", "set-students", "submit",
    "take-back-extension", "withdraw",
)  # fmt: skip
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def read(visit: Visit) -> Mapping[str, Any]:
    """A page of it."""
    wanted, problems = _wanted(visit.query)
    found = backwards.Newest() if problems else backwards.newest(visit.volume, wanted, ROWS)
    asked = {name: visit.query.get(name) or None for name in (*NAMES, FROM, TO, READS)}
    return {
        "rows": [(_moment(each.time), each) for each in found.entries],
        "broken": found.broken,
        "older_than": found.older_than,
        "is_cut": found.is_cut,
        "is_newest": not visit.query.get(BEFORE),
        "asked": asked,
        "wrong": problems,
        "words": WORDS,
        "is_on": visit.settings.journal,
        "most_rows": MOST_ROWS,
    }


def opens(visit: Visit) -> Document:
    """The newest rows of it as a table."""
    wanted, problems = _wanted(visit.query)
    entries = [] if problems else backwards.newest(visit.volume, wanted, MOST_ROWS, MOST_READ).entries
    return Document("ngshare-journal.csv", "text/csv; charset=utf-8", csv_table(_rows(entries)))


def _rows(entries: list[Entry]) -> Iterator[list[str]]:
    yield ["time", "what", "by", "via", "course", "assignment", "student", "detail"]
    for time, event in entries:
        yield [time, event.what, event.by, event.via, event.course, event.assignment, event.student, event.detail]


def _wanted(query: Mapping[str, str]) -> tuple[Wanted, list[str]]:
    """What the parameters ask for, and which of them are no days."""
    days = {name: _day(query.get(name, "")) for name in (FROM, TO)}
    problems = [name for name, day in days.items() if day is None and query.get(name)]
    since, last = days[FROM], days[TO]
    until = "" if last is None or last == date.max else f"{last + timedelta(days=1)}"
    before = query.get(BEFORE, "")
    course, assignment, student, by, what = (query.get(name, "") for name in NAMES)
    # Texts of times are in the order of time, and a day is before all times in it.
    wanted = Wanted(
        course,
        assignment,
        student,
        by,
        what,
        since="" if since is None else f"{since}",
        until=min(filter(None, (until, before)), default=""),
        without_reads=not query.get(READS),
    )
    return wanted, problems


def _moment(time: str) -> Timestamp | None:
    """A time as it can be shown; None where no calendar has it: somebody has written it by hand."""
    try:
        datetime.fromisoformat(time.removesuffix(" UTC"))
    except ValueError:
        return None
    return Timestamp(time)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


JOURNAL = Page("pages/admin-journal", Who.ADMIN, "admin_journal", read, under=COURSES, in_menu=True)
JOURNAL_CSV = Download("pages/admin-journal-csv", Who.ADMIN, opens)
