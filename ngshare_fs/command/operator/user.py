"""`ngshare-fs user`: a person gets another name, or is forgotten, on the volume itself."""

import argparse
import contextlib
import json
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, TextIO

from ngshare_fs.command.operator.data_folder import (
    DONE,
    SOMETHING_LEFT,
    add_data,
    add_dry_run,
    add_json,
    opened_for_change,
    operator,
)
from ngshare_fs.command.operator.document import print_document
from ngshare_fs.command.operator.failures import checked_name, not_done
from ngshare_fs.command.output import STOPPED, fail
from ngshare_fs.settings import SettingsError
from ngshare_fs.store import StoreError, Volume
from ngshare_fs.terminal.confirmation import NotConfirmed, confirm
from ngshare_fs.terminal.progress import progress
from ngshare_fs.terminal.saying import counted, say
from ngshare_fs.terminal.table import size_in_words

if TYPE_CHECKING:
    from ngshare_fs.store.renaming.forgetting import Removal, Search
    from ngshare_fs.store.renaming.user_renaming import InCourse

HELP = "rename a person, or forget one, on the data folder itself"
DESCRIPTION = (
    "Rename a person, or forget one, on the data folder itself; servers may run. Exit code 0: done; 1: not done; "
    "2: wrong use."
)
_RENAME = (
    "Rename a person: on the rosters, in extensions, and in all that was handed in. Nothing is changed where both "
    "names have handed in to one assignment. Exit code 0: done; 1: it could not be done, or there is nobody of that "
    "name; 2: wrong use, or no such course."
)
_FORGET = (
    "Remove what there is of a person, for good and not to the trash: what was handed in, the feedback on it, entries "
    "on rosters, extensions, the name in what others have and in the journal. Exit code 0: done, or there was nothing; "
    "1: it was not done, or files cannot be understood; 2: wrong use, or no such course."
)
# What is handed in while others are removed is removed in the next round; there is no third, but for bad luck.
ROUNDS = 5


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the command its actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    renamed = actions.add_parser("rename", help="give a person another name", description=_RENAME, allow_abbrev=False)
    renamed.add_argument("old", metavar="OLD")
    renamed.add_argument("new", metavar="NEW")
    forgotten = actions.add_parser(
        "forget", help="remove what there is of a person, for good", description=_FORGET, allow_abbrev=False
    )
    forgotten.add_argument("user", metavar="NAME")
    forgotten.add_argument("--yes", action="store_true", help="do not ask before it is removed")
    forgotten.add_argument("--report", metavar="FILE", help="a new file for a report, as JSON")
    for each in (renamed, forgotten):
        each.add_argument(
            "--course", dest="courses", metavar="COURSE", action="append", default=[], help="in this course only"
        )
        add_dry_run(each)
        add_data(each)
        add_json(each)


def run(given: argparse.Namespace) -> int:
    """Do what was told.

    Returns:
        The exit code: 0, or 1 where it was not done.

    Raises:
        SettingsError: the words are wrong, or the folder is no volume.
    """
    from ngshare_fs.store.renaming.forgetting import PLACEHOLDER

    for name in given.courses:
        checked_name(name)
    act = _rename if given.action == "rename" else _forget
    if given.action == "rename":
        if checked_name(given.old) == checked_name(given.new):
            raise SettingsError(f"{given.old} is the name already")
    else:
        if checked_name(given.user) == PLACEHOLDER:
            raise SettingsError(f"{PLACEHOLDER} is nobody's name: it stands in place of those that were forgotten")
        if given.report and os.path.lexists(given.report):
            raise SettingsError(f"{given.report} is there already: give another name, or remove it")
    with opened_for_change(given) as volume:
        try:
            return act(volume, given)
        except (NotConfirmed, StoreError, OSError) as error:
            return not_done(error)
        except KeyboardInterrupt:
            return fail("stopped: run this again, and it goes on", STOPPED)


def _rename(volume: Volume, given: argparse.Namespace) -> int:
    from ngshare_fs.store.renaming.user_renaming import NameInUse, plan, rename

    old, new = given.old, given.new
    try:
        planned = plan(volume, old, new, given.courses)
        if not planned:
            return fail(f"nobody is called {old} here", SOMETHING_LEFT)
        if not given.dry_run:
            trees = sum(sum(each.assignments.values()) for each in planned)
            with progress("renaming", trees, "trees") as told:
                rename(volume, planned, old, new, told)
            _record_rename(volume, planned, old, new)
    except NameInUse as error:
        said = "nobody could tell whose work it would be. Move the one or the other away by hand, then run this again"
        return fail(f"{error}: {said}", SOMETHING_LEFT)
    if given.json:
        courses = [
            {
                "course": each.course,
                "roles": list(each.roles),
                "assignments": dict(each.assignments),
                "extensions": list(each.extensions),
            }
            for each in planned
        ]
        print_document({"dry_run": given.dry_run, "old": old, "new": new, "courses": courses})
        return DONE
    for each in planned:
        done = "would rename" if given.dry_run else "renamed"
        work = f", with work in {counted(len(each.assignments), 'assignment')}" if each.assignments else ""
        say(f"{done} {old} to {new} in {each.course}{work}")
    return DONE


def _record_rename(volume: Volume, planned: "list[InCourse]", old: str, new: str) -> None:
    from ngshare_fs.store.journal import Event, record

    for each in planned:
        record(volume, Event("rename-user", operator(), "command", each.course, student=new, detail=f"from {old}"))


def _forget(volume: Volume, given: argparse.Namespace) -> int:
    from ngshare_fs.store.errors import CourseNotFound
    from ngshare_fs.store.journal import Event, record
    from ngshare_fs.store.renaming.forgetting import Search

    with progress("looking", None, "trees") as told:
        search = Search(volume, given.user, given.courses, told)
        removals = list(search.removals())
    for name in given.courses:
        if name not in search.seen:
            raise CourseNotFound(name)
    if removals and not given.dry_run:
        question = f"Remove for good what there is of {given.user}: {_in_words(removals)}?"
        confirm(question, given.yes)
    # Made before anything is removed: afterwards nobody could say any more what was there.
    with _report_file(given.report) as report:
        if given.dry_run:
            _report(given, removals, search.unknown, report)
        else:
            removed: list[Removal] = []
            try:
                search = _remove(volume, given, search, removals, removed)
            finally:
                _report(given, removed, search.unknown, report)
            if removed:
                record(volume, Event("forget-user", operator(), "command", detail=_in_words(removed)))
    for place in search.unknown:
        say(f"ngshare-fs: {place} cannot be understood: nobody knows whether {given.user} is named there", sys.stderr)
    return SOMETHING_LEFT if search.unknown else DONE


def _remove(
    volume: Volume, given: argparse.Namespace, search: "Search", removals: "list[Removal]", removed: "list[Removal]"
) -> "Search":
    """Remove, and look again until nothing more is found; gives the last look.

    Args:
        search: that has found the first of them.
        removed: gets what was removed.
    """
    from ngshare_fs.store.renaming.forgetting import Search

    for _ in range(ROUNDS):
        if not removals:
            break
        for removal in removals:
            # Where somebody else has moved it away, the next round finds what there is elsewhere.
            with contextlib.suppress(FileNotFoundError):
                removal.act()
                removed.append(removal)
        search = Search(volume, given.user, given.courses)
        removals = list(search.removals())
    return search


def _report_file(path: str | None) -> contextlib.AbstractContextManager[TextIO | None]:
    return open(path, "x", encoding="utf-8", opener=_for_its_owner) if path else contextlib.nullcontext()


def _report(given: argparse.Namespace, removals: "list[Removal]", unknown: list[str], report: TextIO | None) -> None:
    listed = [
        {
            "what": each.what,
            "course": each.course,
            "assignment": each.assignment,
            "place": each.place,
            "count": each.count,
            "bytes": each.size,
        }
        for each in removals
    ]
    document: dict[str, Any] = {
        "dry_run": given.dry_run,
        "user": given.user,
        "removed": [] if given.dry_run else listed,
        "would_remove": listed if given.dry_run else [],
        "not_understood": unknown,
    }
    if report is not None:
        report.write(json.dumps(document, indent=2) + "\n")
    if given.json:
        print_document(document)
        return
    word = "would remove" if given.dry_run else "removed"
    counts: Counter[tuple[str, str]] = Counter()
    for each in removals:
        counts[each.what, " ".join(part for part in (each.course, each.assignment) if part)] += each.count
    for (what, where), count in counts.items():
        say(f"{word} {_LINE[what].format(count=count)}{f' in {where}' if where else ''}")
    if not removals:
        say(f"there is nothing of {given.user}")


_LINE = {
    "roster": "{count} × on the roster",
    "extension": "{count} × an extension",
    "submissions": "{count} × handed in, with the feedback on it,",
    "name": "{count} × the name on what belongs to others",
    "journal": "{count} × the name in the journal",
}


def _in_words(removals: "list[Removal]") -> str:
    from ngshare_fs.store.renaming.forgetting import EXTENSION, JOURNAL, NAME, ROSTER, SUBMISSIONS

    def total(what: str) -> int:
        return sum(each.count for each in removals if each.what == what)

    size = size_in_words(sum(each.size for each in removals))
    return (
        f"{counted(total(SUBMISSIONS), 'submission')} ({size}), entries on {counted(total(ROSTER), 'roster')}, "
        f"{counted(total(EXTENSION), 'extension')}, "
        f"the name in {counted(total(NAME), 'file')} of others and in {counted(total(JOURNAL), 'line')} of the journal"
    )


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
