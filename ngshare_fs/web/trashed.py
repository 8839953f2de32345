"""What lies in the trash, as pages show it, and bringing it back: all of it for admins, for instructors of a course."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import Timestamp, journal
from ngshare_fs.store.upkeep import restoring
from ngshare_fs.store.upkeep.last_count import Count, count_of
from ngshare_fs.store.upkeep.restoring import CannotRestore, PlaceTaken
from ngshare_fs.store.upkeep.trash_entries import EntryNotFound, TrashEntry, find_entry
from ngshare_fs.web.frame.page import Done, Field, Wrong
from ngshare_fs.web.frame.visit import Visit

# The parameter that says which entry.
ENTRY = "entry"
NEW_NAME = "new_name"
# What is set aside by `repair` goes back by a command: whoever does that has to look at the folder around it.
UNKNOWN, EMPTY, QUARANTINE = "unknown", "empty", "quarantine"


@dataclass(frozen=True)
class Trashed:
    """Something in the trash.

    Args:
        name: of its entry.
        kind: what it was: `course`, `assignment`, `submission`, `quarantine`, `empty` or `unknown`.
        names: what it was called: course, assignment, student, time; in quarantine where it was, and why it is there.
        by: who deleted it; empty where nobody can say.
        thrown_away: when.
        kept_until: a server may remove it after that; None where none does.
        size: what it takes in bytes; None where that is not counted yet.
        problem: why nobody can say what it was.
    """

    name: str
    kind: str
    names: tuple[str, ...]
    by: str
    thrown_away: Timestamp
    kept_until: Timestamp | None
    size: int | None
    problem: str


def trashed(visit: Visit, entries: Iterable[TrashEntry], count: Count | None) -> list[Trashed]:
    """Entries as rows of a table."""
    found = []
    for entry in entries:
        deletion = entry.deletion
        kind = EMPTY if entry.is_empty else UNKNOWN if deletion is None else deletion.kind
        names: tuple[str, ...] = ()
        if deletion is not None:
            parts = (deletion.course, deletion.assignment, deletion.student, deletion.submission or "")
            names = (deletion.path, deletion.finding) if deletion.is_quarantine else tuple(filter(None, parts))
        by = "" if deletion is None else deletion.by
        until = entry.emptied_after(visit.settings.trash_days)
        size = None if count is None else count.trash.get(entry.name)
        found.append(Trashed(entry.name, kind, names, by, entry.thrown_away, until, size, entry.problem))
    return found


def asked_for(visit: Visit) -> TrashEntry:
    """The entry that the address names.

    Raises:
        Refused: there is none, or not any more.
    """
    name = visit.query.get(ENTRY, "")
    try:
        entry = find_entry(visit.volume, name)
    except EntryNotFound:
        raise Refused(refusals.UNKNOWN_PATH) from None
    if entry.name != name:
        raise Refused(refusals.UNKNOWN_PATH)
    return entry


def before_restoring(visit: Visit, entry: TrashEntry) -> Mapping[str, Any]:
    """What is asked before something is brought back: what it is, what is in its way, and which name would do."""
    why = free = ""
    try:
        restoring.plan(visit.volume, entry)
    except PlaceTaken as error:
        why, free = error.why, error.free
    except CannotRestore as error:
        why = error.why
    [row] = trashed(visit, [entry], count_of(visit.volume))
    can_be_renamed = row.kind in ("course", "assignment")
    return {
        "row": row,
        "why": why,
        "free": free,
        "is_possible": not why or (can_be_renamed and why in ("taken", "too-long")),
        "takes_name": can_be_renamed,
    }


def bring_back(visit: Visit, entry: TrashEntry, values: Mapping[str, str], done: Done) -> Done:
    """Bring it back.

    Raises:
        Wrong: it stays in the trash.
    """
    new_name = values[NEW_NAME].strip() or None
    try:
        planned = restoring.plan(visit.volume, entry, new_name)
        restoring.restore(visit.volume, planned, visit.last_check)
    except CannotRestore as error:
        raise Wrong({NEW_NAME: f"restore.why.{error.why}"}) from None
    found = planned.deletion
    detail = f"{found.kind} {entry.name}" + (f" as {new_name}" if new_name else "")
    event = journal.Event("restore", visit.user, "page", found.course, found.assignment, found.student, detail)
    journal.record(visit.volume, event)
    return done


FIELDS = (Field(NEW_NAME, required=False),)
