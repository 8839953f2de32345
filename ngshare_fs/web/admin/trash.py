"""All that lies in the trash: a table, bringing something back, and removing for good what is old."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.store import journal
from ngshare_fs.store.upkeep.emptying import empty, event_of
from ngshare_fs.store.upkeep.last_count import count_of
from ngshare_fs.store.upkeep.trash_entries import TrashEntry, entries_in, entry_at, newest_first
from ngshare_fs.web.admin.courses import COURSES
from ngshare_fs.web.frame.addresses import number_in
from ngshare_fs.web.frame.page import Done, Field, Form, Page, Wrong
from ngshare_fs.web.frame.part_of_table import PART, Part, part_of
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.trashed import FIELDS, asked_for, before_restoring, bring_back, trashed

PATH = "pages/admin-trash"
# The parameters: of which course; how old.
COURSE, DAYS = "course", "days"
NUMBER = "typed_number"
OLD_DAYS, MOST_DAYS = 30, 36500
# What is not removed by then is left for the next time, or for whoever starts on the volume: a browser waits no longer.
EMPTYING_SECONDS = 20.0


def read(visit: Visit) -> Mapping[str, Any]:
    """The table. Of each entry that is shown, its record alone is read."""
    course = visit.query.get(COURSE, "").strip()
    wanted = visit.query.get(PART)
    count = count_of(visit.volume)
    part: Part[Any]
    if course:
        part = part_of(list(entries_in(visit.volume, course))[::-1], wanted)
        entries = list(part.rows)
    else:
        part = part_of(newest_first(visit.volume), wanted)
        entries = [entry for path in part.rows if (entry := entry_at(path)) is not None]
    return {
        "searched": course,
        "part": part,
        "rows": trashed(visit, entries, count),
        "moment": None if count is None else count.moment,
        "days": visit.settings.trash_days,
    }


def read_before(visit: Visit) -> Mapping[str, Any]:
    """What is asked before something is brought back."""
    return before_restoring(visit, asked_for(visit))


def restore(visit: Visit, values: Mapping[str, str]) -> Done:
    """Bring it back."""
    return bring_back(visit, asked_for(visit), values, Done(PATH, {}, "restored"))


def read_old(visit: Visit) -> Mapping[str, Any]:
    """How much would be removed for good."""
    days = _days(visit.query)
    old = _older_than(visit, days)
    count = count_of(visit.volume)
    sizes = [] if count is None else [count.trash[each.name] for each in old if each.name in count.trash]
    return {
        "days": days,
        "number": len(old),
        "bytes": sum(sizes),
        "not_counted": len(old) - len(sizes),
        "most_days": MOST_DAYS,
    }


def remove(visit: Visit, values: Mapping[str, str]) -> Done:
    """Remove what is so old, where its number was typed."""
    days = _days(visit.query)
    typed = values[NUMBER].strip()
    # Another number is there where something was restored or became old meanwhile.
    if typed != str(len(_older_than(visit, days))):
        raise Wrong({NUMBER: "wrong.other-number"})
    ends = time.monotonic() + EMPTYING_SECONDS
    removed: list[TrashEntry] = []

    def has_gone(entry: TrashEntry) -> None:
        removed.append(entry)
        journal.record(visit.volume, event_of(entry, visit.user, "page"))

    visit.last_check()
    if not empty(visit.volume, timedelta(days=days), has_gone, should_stop=lambda: time.monotonic() > ends):
        raise Wrong({NUMBER: "wrong.emptied-by-others"})
    return Done(PATH, {}, "emptied", len(removed))


def _days(query: Mapping[str, str]) -> int:
    days = number_in(query.get(DAYS))
    return OLD_DAYS if days is None else min(max(days, 1), MOST_DAYS)


def _older_than(visit: Visit, days: int) -> list[TrashEntry]:
    return list(entries_in(visit.volume, age=timedelta(days=days)))


TRASH = Page(PATH, Who.ADMIN, "admin_trash", read, under=COURSES, in_menu=True)
RESTORE = Page(
    "pages/admin-restore", Who.ADMIN, "restore", read_before, under=TRASH, forms=(Form("restore", restore, FIELDS),)
)
EMPTY = Page(
    "pages/admin-trash-empty",
    Who.ADMIN,
    "trash_empty",
    read_old,
    under=TRASH,
    forms=(Form("empty", remove, (Field(NUMBER, 20),)),),
)
