"""What every kind of import says in the end: a table, or one JSON document; what was wrong; a line in the journal."""

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from ngshare_fs.command.operator.data_folder import DONE, SOMETHING_LEFT, operator
from ngshare_fs.terminal.saying import counted, say
from ngshare_fs.terminal.table import size_in_words, table

if TYPE_CHECKING:
    from ngshare_fs.store import Volume
    from ngshare_fs.transfer.account import Account, CourseAccount

_KINDS = {"release": "releases", "submission": "submissions", "feedback": "feedback"}
_COLUMNS = ("course", "people", *_KINDS.values(), "size", "already here", "left out")


def report(given: argparse.Namespace, account: "Account", source: str, notes: dict[str, object]) -> int:
    """Print what became of all.

    Args:
        given: with `json` and `dry_run`.
        source: what was taken over, in a word.
        notes: what else there is to say: for programs by key, for people as text where it is one.

    Returns:
        The exit code.
    """
    if given.json:
        print(json.dumps(_document(account, source, given.dry_run, notes)))
    else:
        _print(account, given.dry_run, notes)
    return DONE if account.is_complete else SOMETHING_LEFT


def record_in_journal(volume: "Volume", account: "Account", source: str) -> None:
    """Leave a line for each course that was changed."""
    from ngshare_fs.store import journal

    for course in account.courses.values():
        if course.has_changed:
            counts = [f"{course.people.new} people"]
            counts += [f"{course.trees[kind].new} {name}" for kind, name in _KINDS.items()]
            detail = f"from {source}: {', '.join(counts)}"
            journal.record(volume, journal.Event("import", operator(), "command", course=course.course, detail=detail))


def _print(account: "Account", dry_run: bool, notes: dict[str, object]) -> None:
    for problem in account.problems:
        say(f"{'note' if problem.is_note else problem.code}: {problem.place}: {problem.message}")
    for note in notes.values():
        if isinstance(note, str):
            say(note)
    print("Would be taken over:" if dry_run else "Taken over:")
    print(table(_COLUMNS, [_row(course) for course in account.courses.values()], right=_COLUMNS[1:]))
    failures = sum(not problem.is_note for problem in account.problems)
    if failures:
        say(f"{counted(failures, 'problem')}, see above.")


def _row(course: "CourseAccount") -> list[object]:
    tallies = [course.people, *course.trees.values()]
    return [
        course.course,
        *(tally.new for tally in tallies),
        size_in_words(sum(tally.bytes for tally in tallies)),
        sum(tally.there for tally in tallies),
        sum(tally.left_out for tally in tallies),
    ]


def _document(account: "Account", source: str, dry_run: bool, notes: dict[str, object]) -> dict[str, object]:
    courses = []
    for course in account.courses.values():
        entry: dict[str, object] = {"course": course.course, "is_new": course.is_new}
        for name, tally in (("people", course.people), *((_KINDS[kind], each) for kind, each in course.trees.items())):
            entry[name] = asdict(tally)
        courses.append(entry)
    problems = [asdict(problem) for problem in account.problems]
    return {"source": source, "dry_run": dry_run, "courses": courses, "problems": problems, **notes}
