"""`ngshare-fs prune`: older submissions go to the trash."""

import argparse
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
from ngshare_fs.command.operator.failures import reason
from ngshare_fs.command.output import fail
from ngshare_fs.settings import SettingsError
from ngshare_fs.settings.values import parse_integer, understand
from ngshare_fs.terminal.confirmation import NotConfirmed, confirm
from ngshare_fs.terminal.saying import counted, say

if TYPE_CHECKING:
    from ngshare_fs.store import Volume
    from ngshare_fs.store.upkeep.pruning import Surplus

HELP = "move older submissions to the trash"
DESCRIPTION = (
    "Move older submissions to the trash, by each course's own rule (`retention` in its course.yaml) or by --keep. The "
    "newest one of each student to each assignment, the newest one in time, those with feedback and those of the last "
    "day always stay. Exit code 0: done; 1: not done, or not in all courses; 2: wrong use, no such course, or one "
    "without a rule."
)
MOST_KEPT = 999_999


@dataclass
class _Plan:
    """What is to go.

    Args:
        surplus: each, with what it takes in bytes.
        failed: whether nobody can say what a course's rule is, or what is in it.
    """

    surplus: list[tuple["Surplus", int]]
    failed: bool = False

    def add(self, volume: "Volume", surplus: "Surplus") -> None:
        """One more; left where it is if nobody can say what it takes."""
        from ngshare_fs.store.errors import BrokenManifest
        from ngshare_fs.store.upkeep.pruning import size_of

        try:
            self.surplus.append((surplus, size_of(volume, surplus).bytes))
        except BrokenManifest as error:
            self.failed = True
            say(f"{surplus.course}: stays where it is: {error.seen_from(volume.root)}", sys.stderr)
        except FileNotFoundError:
            return  # deleted meanwhile

    @property
    def bytes(self) -> int:
        return sum(size for _, size in self.surplus)


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the command its options."""
    parser.add_argument("course", metavar="COURSE", nargs="?", help="only in this one; otherwise in all")
    parser.add_argument(
        "--keep",
        metavar="N",
        help="how many of each student's submissions to an assignment stay, whatever the rule says",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_dry_run(parser)
    add_data(parser)
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    """Look what may go, ask, and move it.

    Returns:
        The exit code.

    Raises:
        SettingsError: the folder, the course or the number is wrong, or there is no rule.
    """
    keep = None if given.keep is None else understand(parse_integer(1, MOST_KEPT), given.keep, "--keep")
    from ngshare_fs.store import StoreError

    try:
        with opened_for_change(given) as volume:
            return _prune(volume, given, _plan(volume, given, keep))
    except NotConfirmed as answer:
        return fail(str(answer), SOMETHING_LEFT)
    except (StoreError, OSError) as error:
        return fail(reason(error), SOMETHING_LEFT)


def _plan(volume: "Volume", given: argparse.Namespace, keep: int | None) -> _Plan:
    from ngshare_fs.store import StoreError
    from ngshare_fs.store.course import all_courses
    from ngshare_fs.store.errors import CourseNotFound
    from ngshare_fs.store.upkeep.pruning import rule_of, surplus_in

    plan = _Plan([])
    courses = all_courses(volume)
    if given.course is not None:
        if given.course not in courses:
            raise SettingsError(f"there is no course {given.course!r}")
        courses = [given.course]
    for course in courses:
        try:
            kept = rule_of(volume, course) if keep is None else keep
            if kept is None and given.course is not None:
                raise SettingsError(
                    f"{course!r} has no rule: give --keep N, or write `retention: {{submissions: N}}` into its "
                    "course.yaml"
                )
            if kept is not None:
                for each in list(surplus_in(volume, course, kept)):
                    plan.add(volume, each)
        except CourseNotFound:
            continue  # deleted meanwhile
        except (StoreError, OSError) as error:
            plan.failed = True
            say(f"{course}: nothing of it is pruned: {reason(error)}", sys.stderr)
    return plan


def _prune(volume: "Volume", given: argparse.Namespace, plan: _Plan) -> int:
    from ngshare_fs.store import StoreError
    from ngshare_fs.store.journal import Event, record
    from ngshare_fs.store.upkeep.pruning import prune
    from ngshare_fs.terminal.progress import progress
    from ngshare_fs.terminal.table import size_in_words

    code = SOMETHING_LEFT if plan.failed else DONE
    total = f"{counted(len(plan.surplus), 'submission')}, {size_in_words(plan.bytes)}"
    if given.dry_run:
        if not given.json:
            for each, size in plan.surplus:
                say(f"{each.course} / {each.assignment} / {each.student} / {each.timestamp}: {size_in_words(size)}")
        _say_result(given, plan.surplus, f"Would move {total}, to the trash.")
        return code
    if plan.surplus:
        confirm(f"Move {total}, to the trash?", given.yes)
    pruned = []
    by = operator()
    with progress("pruning", len(plan.surplus), "submissions") as step:
        for each, size in plan.surplus:
            try:
                is_pruned = prune(volume, each, by)
            except (StoreError, OSError) as error:
                # What was moved by then is said all the same.
                place = f"{each.course} / {each.assignment} / {each.student} / {each.timestamp}"
                say(f"{place}: stays where it is: {reason(error)}", sys.stderr)
                code = SOMETHING_LEFT
                step(1)
                continue
            if is_pruned:
                pruned.append((each, size))
                event = Event("prune", by, "command", each.course, each.assignment, each.student, each.timestamp)
                record(volume, event)
            step(1)
    moved = f"{counted(len(pruned), 'submission')}, {size_in_words(sum(size for _, size in pruned))}"
    _say_result(given, pruned, f"Moved {moved}, to the trash.")
    return code


def _say_result(given: argparse.Namespace, surplus: list[tuple["Surplus", int]], sentence: str) -> None:
    if not given.json:
        say(sentence)
        return
    entries = [
        {
            "course": each.course,
            "assignment": each.assignment,
            "student": each.student,
            "timestamp": each.timestamp,
            "bytes": size,
        }
        for each, size in surplus
    ]
    print_document({"dry_run": given.dry_run, "bytes": sum(size for _, size in surplus), "submissions": entries})
