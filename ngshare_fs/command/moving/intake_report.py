"""What every kind of import says in the end: a table, or one JSON document; what was wrong; a line in the journal."""

import argparse
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

from ngshare_fs.command.operator.data_folder import DONE, SOMETHING_LEFT, operator
from ngshare_fs.command.operator.document import print_document
from ngshare_fs.terminal.saying import counted, say
from ngshare_fs.terminal.table import size_in_words, table

if TYPE_CHECKING:
    from ngshare_fs.store import Volume
    from ngshare_fs.transfer.account import Account, CourseAccount
    from ngshare_fs.transfer.intake import Intake

KINDS = {"release": "releases", "submission": "submissions", "feedback": "feedback"}
# For `check_room`: what needs it, and what to do instead of making some.
NEW_COURSES = "the courses that are not here yet"
FEWER_COURSES = "import some of them with --course"
_COLUMNS = ("course", "people", *KINDS.values(), "size", "already here", "left out")


class Remark(NamedTuple):
    """What there is to say beside the account: a number, by a key for programs, and a sentence for people."""

    key: str
    number: int
    sentence: str


@contextlib.contextmanager
def taking_in(
    given: argparse.Namespace, volume: "Volume", intake: "Intake", source: str, trees: int | None
) -> Iterator[None]:
    """Show how far it has come, end it, and leave a line in the journal; what stopped it is in the account.

    Args:
        given: with `dry_run`.
        source: what is taken over, in a word.
        trees: how many there are; None where nobody knows.
    """
    from ngshare_fs.store import StoreError
    from ngshare_fs.store.errors import from_os_error
    from ngshare_fs.terminal.progress import progress
    from ngshare_fs.transfer import ForeignExchangeError

    try:
        with progress("checking" if given.dry_run else "importing", trees, "trees") as advance, intake:
            intake.advance = advance
            yield
    except (OSError, StoreError, ForeignExchangeError) as error:
        reason = from_os_error(error) if isinstance(error, OSError) else error
        message = f"stopped: {reason}; what was taken over until then stays: see to it, and run this again"
        intake.account.report("stopped", (volume.root,), message)
    if not given.dry_run:
        _record(volume, intake.account, source)


def report(given: argparse.Namespace, account: "Account", source: str, remarks: Sequence[Remark]) -> int:
    """Print what became of all.

    Args:
        given: with `json` and `dry_run`.
        source: what was taken over, in a word.
        remarks: what else there is to say.

    Returns:
        The exit code.
    """
    if given.json:
        print_document(_document(account, source, given.dry_run, remarks))
    else:
        _print(account, given.dry_run, remarks)
    return DONE if account.is_complete else SOMETHING_LEFT


def _record(volume: "Volume", account: "Account", source: str) -> None:
    from ngshare_fs.store import journal

    for course in account.courses.values():
        if course.has_changed:
            counts = [f"{course.people.new} people"]
            counts += [f"{course.trees[kind].new} {name}" for kind, name in KINDS.items()]
            detail = f"from {source}: {', '.join(counts)}"
            journal.record(volume, journal.Event("import", operator(), "command", course=course.course, detail=detail))


def say_problems(account: "Account") -> None:
    """Print what there is to say of each thing."""
    for problem in account.problems:
        say(f"{'note' if problem.is_note else problem.code}: {problem.place}: {problem.message}")


def say_number_of_problems(account: "Account") -> None:
    """Print a last line, below the table, where something was left out."""
    failures = sum(not problem.is_note for problem in account.problems)
    if failures:
        say(f"{counted(failures, 'problem')}, see above.")


def _print(account: "Account", dry_run: bool, remarks: Sequence[Remark]) -> None:
    say_problems(account)
    for remark in remarks:
        if remark.number:
            say(f"{remark.sentence}.")
    print("Would be taken over:" if dry_run else "Taken over:")
    print(
        table(_COLUMNS, [_row(course, account.knows_sizes) for course in account.courses.values()], right=_COLUMNS[1:])
    )
    say_number_of_problems(account)


def _row(course: "CourseAccount", knows_sizes: bool) -> list[object]:
    tallies = [course.people, *course.trees.values()]
    return [
        course.course,
        *(tally.new for tally in tallies),
        size_in_words(sum(tally.bytes for tally in tallies)) if knows_sizes else "?",
        sum(tally.there for tally in tallies),
        sum(tally.left_out for tally in tallies),
    ]


def _document(account: "Account", source: str, dry_run: bool, remarks: Sequence[Remark]) -> dict[str, object]:
    courses = []
    for course in account.courses.values():
        entry: dict[str, object] = {"course": course.course, "is_new": course.is_new}
        for name, tally in (("people", course.people), *((KINDS[kind], each) for kind, each in course.trees.items())):
            entry[name] = asdict(tally) if account.knows_sizes else {**asdict(tally), "bytes": None}
        courses.append(entry)
    problems = [asdict(problem) for problem in account.problems]
    others = {remark.key: remark.number for remark in remarks}
    return {"source": source, "dry_run": dry_run, "courses": courses, "problems": problems, **others}
