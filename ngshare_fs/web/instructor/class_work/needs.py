"""What of an assignment, or of a course, needs action, and what that would be."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ngshare_fs.store import Timestamp, Volume, timestamp_of
from ngshare_fs.store.upkeep.last_count import count_of
from ngshare_fs.store.upkeep.trash_entries import entries_in
from ngshare_fs.web.instructor.class_work.figures import Row

# What nobody has touched for so long waits for nobody any more.
LATELY = timedelta(days=60)
MISSING_LATELY = timedelta(days=14)
TRASH_GOES = timedelta(days=7)
NEARLY_FULL_PERCENT = 90
# Of the trash, which is that of all courses, so many entries are looked at: those that go first.
MOST_TRASH = 300


@dataclass(frozen=True)
class Need:
    """Something that somebody should do.

    Args:
        what: it is the text `need.` and this; what is to be done is the text `do.` and this.
        count: of how many students, submissions or things; of a limit, how many percent.
        moment: since when, until when.
        assignment: of which; "" where it is of the course.
        path: of the page where it is done; "" where there is none.
        asked: its parameters.
    """

    what: str
    count: int
    moment: datetime | Timestamp
    assignment: str = ""
    path: str = ""
    asked: Mapping[str, str] | None = None


COLLECT, CLASS = "pages/collect/{course}/{assignment}", "pages/class/{course}"
MANAGE, TRASH = "pages/manage/{course}/{assignment}", "pages/trash/{course}"


def needs_of(row: Row, now: datetime, teaches: bool) -> Iterator[Need]:
    """What an assignment needs.

    Args:
        row: how the class stands with it; with its figures.
        teaches: whether it is for an instructor, and not for a grader.
    """
    figures = row.figures
    if figures is None:
        return
    lately = timestamp_of(now - LATELY)
    if figures.newest is not None and figures.newest >= lately:
        if row.state in ("withdrawn", "scheduled"):
            path = MANAGE if teaches else ""
            yield Need(f"work-while-{row.state}", figures.handed_in, figures.newest, row.assignment, path)
        elif figures.new and (row.state != "open" or row.dates.due is None or figures.newest_feedback is not None):
            what = "ungraded" if figures.newest_feedback is None else "new"
            since = figures.newest_feedback or figures.newest
            yield Need(what, figures.new, since, row.assignment, COLLECT)
    due = row.dates.due
    if figures.missing and due is not None and now - MISSING_LATELY <= due.at and row.state in ("late", "closed"):
        yield Need("missing", figures.missing, due.at, row.assignment, CLASS, _filtered(row.assignment))
    if figures.ending and figures.first_end is not None:
        yield Need("extension", figures.ending, figures.first_end, row.assignment, CLASS, _filtered(row.assignment))


def _filtered(assignment: str) -> Mapping[str, str]:
    return {f"of.{assignment}": "1", "show": "missing"}


def trash_that_goes(volume: Volume, course: str, days: int) -> Iterator[Need]:
    """What will soon be gone for good of what was thrown away in a course.

    Args:
        days: for how long the server keeps what was thrown away; 0 for ever.
    """
    if not days:
        return
    age = max(timedelta(days=days) - TRASH_GOES, timedelta())
    looked_at = itertools.islice(entries_in(volume, age=age), MOST_TRASH)
    ends = [
        end
        for entry in looked_at
        if entry.deletion is not None and entry.deletion.is_of(course) and not entry.is_empty
        if (end := entry.emptied_after(days)) is not None
    ]
    if ends:
        yield Need("trash", len(ends), min(ends), path=TRASH)


def room_that_ends(volume: Volume, course: str, limit: int) -> Iterator[Need]:
    """What a course has nearly no room for any more, as far as somebody has counted.

    Args:
        limit: the most that a course may store which has no limit of its own, in bytes; 0 for no limit.
    """
    count = count_of(volume)
    if count is None or course not in count.courses:
        return
    percent = count.courses[course].percent(limit)
    if percent is not None and percent >= NEARLY_FULL_PERCENT:
        yield Need("room", percent, count.moment.time)
