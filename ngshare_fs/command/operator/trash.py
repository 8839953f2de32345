"""`ngshare-fs trash`: what was deleted, listed, brought back, or removed for good."""

import argparse
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from ngshare_fs.command.operator.data_folder import (
    DONE,
    SOMETHING_LEFT,
    add_data,
    add_dry_run,
    add_json,
    opened_for_change,
    opened_for_reading,
    opened_to_make_room,
    operator,
    server_option,
)
from ngshare_fs.command.operator.document import print_document
from ngshare_fs.command.operator.failures import reason
from ngshare_fs.command.output import fail
from ngshare_fs.settings.options import BY_NAME
from ngshare_fs.settings.values import parse_duration, understand
from ngshare_fs.terminal.confirmation import NotConfirmed, confirm
from ngshare_fs.terminal.saying import counted, say

if TYPE_CHECKING:
    from ngshare_fs.store import Volume
    from ngshare_fs.store.upkeep.trash_entries import TrashEntry

HELP = "what was deleted: list it, bring it back, remove it for good"
DESCRIPTION = (
    "What was deleted: list it, bring it back, remove it for good. Exit code 0: done; 1: not done, or not all of it; "
    "2: wrong use."
)
AS_NAME = "--as"


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the command its actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listed = actions.add_parser(
        "list", help="show what is in it", allow_abbrev=False,
        description="Show what is in the trash, the oldest first. Exit code 0: shown; 1: of some, nobody can say what "
        "it was; 2: wrong use.",
    )  # fmt: skip
    listed.add_argument(
        "course", metavar="COURSE", nargs="?", help="only what was deleted of this course, or it itself"
    )
    listed.add_argument(
        "--trash-days", metavar="DAYS", help=f"as the server has it (or {BY_NAME['trash-days'].variable})"
    )

    restored = actions.add_parser(
        "restore", help="bring something back", allow_abbrev=False,
        description="Bring something back to its place, at once and whole, also beside running servers. Exit code 0: "
        "restored; 1: it stays in the trash, and why; 2: wrong use.",
    )  # fmt: skip
    restored.add_argument("entry", metavar="ENTRY", help="which, as `list` shows it; the beginning of its name will do")
    restored.add_argument(
        AS_NAME, dest="new_name", metavar="NAME", help="by another name: of a course or an assignment"
    )
    add_dry_run(restored)

    emptied = actions.add_parser(
        "empty", help="remove for good what is old", allow_abbrev=False,
        description="Remove for good what was deleted long ago. Exit code 0: removed; 1: not all of it; 2: wrong use.",
    )  # fmt: skip
    emptied.add_argument(
        "course", metavar="COURSE", nargs="?", help="only what was deleted of this course, or it itself"
    )
    emptied.add_argument("--older-than", metavar="AGE", required=True, help="since when it was deleted: `90d`, `12h`")
    emptied.add_argument("--yes", action="store_true", help="do not ask")
    add_dry_run(emptied)
    for action in (listed, restored, emptied):
        add_data(action)
        add_json(action)


def run(given: argparse.Namespace) -> int:
    """Do what was told.

    Returns:
        The exit code.

    Raises:
        SettingsError: the folder, an age or a number is wrong.
    """
    from ngshare_fs.store import StoreError
    from ngshare_fs.store.upkeep.trash_entries import TrashError

    try:
        return {"list": _list, "restore": _restore, "empty": _empty}[given.action](given)
    except (NotConfirmed, TrashError) as error:
        return fail(str(error), SOMETHING_LEFT)
    except (StoreError, OSError) as error:
        return fail(reason(error), SOMETHING_LEFT)


def _list(given: argparse.Namespace) -> int:
    from ngshare_fs.store.upkeep.trash_entries import entries_in, size_of_entry
    from ngshare_fs.terminal.table import size_in_words, table

    days = _trash_days(given)
    with opened_for_reading(given) as volume:
        entries = [(entry, size_of_entry(volume, entry).bytes) for entry in entries_in(volume, given.course)]
    if given.json:
        total = sum(size for _, size in entries)
        print_document({"bytes": total, "entries": [_as_json(entry, size, days) for entry, size in entries]})
    elif entries:
        rows = [
            (
                entry.name,
                _kind(entry),
                _names(entry),
                entry.deletion.by if entry.deletion else "?",
                entry.thrown_away[:16],
                size_in_words(size),
                (entry.emptied_after(days) or "never")[:16],
            )
            for entry, size in entries
        ]
        print(table(("entry", "kind", "what", "by", "deleted", "size", "removed after"), rows, right=("size",)))
        total = sum(size for _, size in entries)
        say(f"{_counted(len(entries))}, {size_in_words(total)}. Times are UTC.")
    else:
        say("The trash is empty." if given.course is None else f"Nothing of {given.course!r} is in the trash.")
    unclear = [entry for entry, _ in entries if entry.problem and not entry.is_empty]
    for entry in unclear:
        say(f"{entry.name}: {entry.problem}", sys.stderr)
    return SOMETHING_LEFT if unclear else DONE


def _trash_days(given: argparse.Namespace) -> int:
    if given.trash_days is None:
        return server_option("trash-days")
    days: int = understand(BY_NAME["trash-days"].parse, given.trash_days, "--trash-days")
    return days


def _kind(entry: "TrashEntry") -> str:
    if entry.is_empty:
        return "empty"
    return entry.deletion.kind if entry.deletion is not None else "unknown"


def _names(entry: "TrashEntry") -> str:
    """`NBG 101 / ps1 / lawrence / 2020-01-31 …`, as far as it goes; of what is in quarantine, where it was and why."""
    found = entry.deletion
    if found is None:
        return "?"
    if found.is_quarantine:
        return f"{found.path} ({found.finding})"
    return " / ".join(part for part in (found.course, found.assignment, found.student, found.submission) if part)


def _as_json(entry: "TrashEntry", size: int, days: int) -> dict[str, object]:
    return {**_named(entry, size), "removed_after": entry.emptied_after(days), "problem": entry.problem or None}


def _named(entry: "TrashEntry", size: int) -> dict[str, object]:
    found = entry.deletion
    return {
        "entry": entry.name,
        "kind": _kind(entry),
        "course": (found.course or None) if found else None,
        "assignment": (found.assignment or None) if found else None,
        "student": (found.student or None) if found else None,
        "submission": found.submission if found else None,
        "path": (found.path or None) if found else None,
        "finding": (found.finding or None) if found else None,
        "by": found.by if found else None,
        "deleted": entry.thrown_away,
        "bytes": size,
    }


def _restore(given: argparse.Namespace) -> int:
    from ngshare_fs.store.journal import Event, record
    from ngshare_fs.store.upkeep import restoring
    from ngshare_fs.store.upkeep.trash_entries import find_entry

    with opened_for_change(given) as volume:
        entry = find_entry(volume, given.entry)
        if entry.deletion is not None and entry.deletion.is_quarantine:
            return _bring_back(volume, given, entry)
        planned = restoring.plan(volume, entry, given.new_name)
        found = planned.deletion
        what = f"the {found.kind} {_in_words(found.course, found.assignment, found.student, found.submission or '')}"
        if not given.dry_run:
            restoring.restore(volume, planned)
            detail = f"{found.kind} {entry.name}" + (f" as {given.new_name}" if given.new_name else "")
            names = (found.course, found.assignment, found.student)
            record(volume, Event("restore", operator(), "command", *names, detail))
    if given.json:
        print_document(
            {
                "dry_run": given.dry_run,
                "entry": entry.name,
                "kind": found.kind,
                "course": found.course,
                "assignment": found.assignment or None,
                "student": found.student or None,
                "submission": found.submission,
                "restored_as": given.new_name,
            }
        )
    else:
        say(f"Would restore {what} from {entry.name}." if given.dry_run else f"Restored {what}.")
    return DONE


def _bring_back(volume: "Volume", given: argparse.Namespace, entry: "TrashEntry") -> int:
    """The same for what is in quarantine."""
    from ngshare_fs.store.journal import Event, record
    from ngshare_fs.store.repairing import bringing_back

    planned = bringing_back.plan(volume, entry)
    if given.new_name is not None:
        return fail(f"what was set aside goes back to its path, {planned.path}: leave {AS_NAME} out", SOMETHING_LEFT)
    if not given.dry_run:
        bringing_back.bring_back(volume, planned)
        detail = f"quarantine {entry.name}: {planned.path}"
        record(volume, Event("restore", operator(), "command", planned.course, detail=detail))
    if given.json:
        print_document(
            {
                "dry_run": given.dry_run,
                "entry": entry.name,
                "kind": "quarantine",
                "path": planned.path,
                "finding": planned.finding,
            }
        )
    else:
        done = "Would restore" if given.dry_run else "Restored"
        source = f" from {entry.name}" if given.dry_run else ""
        say(f"{done} {planned.path}{source}; it was set aside as {planned.finding}.")
    return DONE


def _counted(number: int) -> str:
    return counted(number, "entry", "entries")


def _in_words(course: str, assignment: str, student: str, submission: str) -> str:
    if submission:
        return f"of {student} to {assignment!r} of {course!r}, {submission}"
    return f"{assignment!r} of {course!r}" if assignment else repr(course)


def _empty(given: argparse.Namespace) -> int:
    from ngshare_fs.store.journal import record
    from ngshare_fs.store.upkeep.emptying import empty, event_of
    from ngshare_fs.store.upkeep.trash_entries import entries_in, size_of_entry
    from ngshare_fs.terminal.progress import progress
    from ngshare_fs.terminal.table import size_in_words

    age: timedelta = understand(parse_duration, given.older_than, "--older-than")
    with (opened_for_reading if given.dry_run else opened_to_make_room)(given) as volume:
        old = list(entries_in(volume, given.course, age))
        sizes = {entry.name: size_of_entry(volume, entry).bytes for entry in old}
        total = f"{_counted(len(old))}, {size_in_words(sum(sizes.values()))}"
        removed: list[TrashEntry] = []
        if given.dry_run:
            removed = old
        elif old:
            confirm(f"Remove {total}, from the trash for good?", given.yes)
            with progress("emptying", len(old), "entries") as step:

                def has_gone(entry: "TrashEntry") -> None:
                    removed.append(entry)
                    record(volume, event_of(entry, operator(), "command"))
                    step(1)

                if not empty(volume, age, has_gone, course=given.course):
                    return fail(
                        "another process, maybe a server, is emptying the trash just now: try again", SOMETHING_LEFT
                    )
    if given.json:
        entries = [_named(entry, sizes.get(entry.name, 0)) for entry in removed]
        total_bytes = sum(sizes.get(entry.name, 0) for entry in removed)
        print_document({"dry_run": given.dry_run, "bytes": total_bytes, "entries": entries})
    elif given.dry_run:
        for entry in old:
            say(f"Would remove {entry.name}: {_kind(entry)} {_names(entry)}, {size_in_words(sizes[entry.name])}")
        say(f"Would remove {total}.")
    else:
        say(f"Removed {_counted(len(removed))}." if old else "Nothing in the trash is as old as that.")
    return DONE
