"""`ngshare-fs repair`: mend what can be mended without losing anything."""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ngshare_fs.command.operator.data_folder import (
    DONE,
    SOMETHING_LEFT,
    add_data,
    add_dry_run,
    add_json,
    data_folder,
    opened,
    operator,
)
from ngshare_fs.command.operator.document import print_document
from ngshare_fs.command.operator.failures import reason
from ngshare_fs.command.operator.verify import counted_by_code, default_jobs
from ngshare_fs.command.output import fail
from ngshare_fs.settings import SettingsError
from ngshare_fs.settings.options import near_match
from ngshare_fs.terminal.confirmation import NotConfirmed, confirm
from ngshare_fs.terminal.progress import progress
from ngshare_fs.terminal.saying import counted, say

if TYPE_CHECKING:
    from ngshare_fs.store import Volume
    from ngshare_fs.store.checking.findings import Finding
    from ngshare_fs.store.repairing.step import Step

HELP = "mend what `verify` finds, as far as nothing is lost by it"
DESCRIPTION = (
    "Mend what `verify` finds, as far as nothing is lost by it. It says what it would do, and asks. "
    "Nothing is deleted: what is moved or replaced goes to quarantine in the trash. Exit code 0: nothing is left to be "
    "mended (with --dry-run: nothing would be left); 1: something is left; 2: wrong use, or a folder that is no volume."
)
# What is renamed may have damage inside that is seen only then. After more turns, something goes round in circles.
MOST_TURNS = 8


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the command its options."""
    add_data(parser)
    add_dry_run(parser)
    parser.add_argument("--course", metavar="NAME", help="only this course, without what of it is in the trash")
    parser.add_argument(
        "--only", metavar="CODE", action="append", default=[], help="only findings of this code; may be given again"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_json(parser)


@dataclass
class _Account:
    """What was done, and what is left."""

    done: list[dict[str, Any]] = field(default_factory=list)
    left: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def mended(self, finding: "Finding", what: str) -> None:
        self.done.append({"code": finding.code, "path": finding.path, "what": what})

    def untouched(self, finding: "Finding", reason: str) -> None:
        entry = {"code": finding.code, "path": finding.path, "message": finding.message, "reason": reason}
        self.left[finding.code, finding.path + finding.message] = entry


def run(given: argparse.Namespace) -> int:
    """Mend.

    Returns:
        The exit code: 0, or 1 where something is left to be mended.

    Raises:
        SettingsError: there is no volume, or it cannot be used.
    """
    root = data_folder(given).absolute()
    from ngshare_fs.store import StoreError
    from ngshare_fs.store.checking.findings import FINDINGS
    from ngshare_fs.store.errors import CourseNotFound, VolumeError

    for code in given.only:
        if code not in FINDINGS:
            raise SettingsError(f"--only: {code!r} is no code of `verify`{near_match(code, list(FINDINGS))}")
    account = _Account()
    try:
        _Repair(given, root, account).run()
    except NotConfirmed as answer:
        return fail(str(answer), SOMETHING_LEFT)
    except CourseNotFound:
        raise SettingsError(f"--course: there is no course {given.course!r} in {root}") from None
    except VolumeError as error:
        raise SettingsError(str(error)) from None
    except (StoreError, OSError) as error:
        return fail(reason(error), SOMETHING_LEFT)
    if given.json:
        done = {"would_do" if given.dry_run else "done": account.done}
        print_document({"dry_run": given.dry_run, **done, "left": list(account.left.values())})
    return SOMETHING_LEFT if account.left else DONE


class _Repair:
    """One run of the command.

    Args:
        given: its words.
        root: the volume's folder.
        account: what is done is entered there.
    """

    def __init__(self, given: argparse.Namespace, root: Path, account: _Account) -> None:
        self._given = given
        self._root = root
        self._account = account
        self._failed: set[tuple[str, str]] = set()
        self._tell: Callable[[str], None] = (lambda line: say(line, sys.stderr)) if given.json else say

    def run(self) -> None:
        """Mend, in turns, until there is nothing more to be done."""
        if not self._mend_volume_file():
            return
        if self._given.dry_run:
            self._look()
        else:
            self._mend()
        if not self._account.done and not self._account.left:
            self._tell("nothing to mend")

    def _mend(self) -> None:
        with opened(self._given) as volume:
            from ngshare_fs.store.repairing.repair import carry_out, in_good_order

            for _ in range(MOST_TURNS):
                steps = in_good_order(self._look())
                if not steps:
                    break
                self._ask(len(steps))
                done = len(self._account.done)
                for step in steps:
                    self._enter(volume, step, carry_out(volume, step, operator()))
                if len(self._account.done) > done:
                    self._failed.clear()  # what was in the way of the others may be gone
            else:
                for step in self._look():
                    self._account.untouched(step.damage.finding, "run this again")

    def _mend_volume_file(self) -> bool:
        """Mend `ngshare.yaml`, which has to be there before a volume can be opened; False where that ends all."""
        from ngshare_fs.store.repairing.repair import Untouched, volume_file_step
        from ngshare_fs.store.repairing.step import Left

        step = volume_file_step(str(self._root))
        if step is None:
            return True
        if isinstance(step, Untouched):
            self._leave(step.finding, step.reason)
            return False
        finding = step.damage.finding
        if self._given.only and finding.code not in self._given.only:
            self._leave(finding, "--only leaves it out, and without it nothing else can be mended")
            return False
        self._say(finding, step.words)
        if not self._given.dry_run:
            self._ask(1)
            try:
                step.mend(operator())
            except Left as reason:
                self._leave(finding, str(reason))
                return False
        self._account.mended(finding, step.words)
        return True

    def _look(self) -> "list[Step]":
        """Check the volume, say what would be done and what is left; gives the steps."""
        from ngshare_fs.store.checking.tally import Tally
        from ngshare_fs.store.checking.verify import bytes_to_check, verify_volume
        from ngshare_fs.store.repairing.repair import Untouched, plan
        from ngshare_fs.store.upkeep.last_runs import leave_outcome

        course = self._given.course
        counts: Counter[str] = Counter()
        self._account.left.clear()
        with progress("verify", lambda: bytes_to_check(self._root, course)) as told:
            tally: Tally = Tally(told)
            found = counted_by_code(verify_volume(self._root, course, default_jobs(), tally), counts)
            planned: list[Step | Untouched] = list(plan(str(self._root), self._wanted(found)))
        if course is None and not self._given.dry_run:
            leave_outcome(self._root, counts)  # else what is mended would be an alert until the next `verify`
        steps = []
        for each in planned:
            if isinstance(each, Untouched):
                self._leave(each.finding, each.reason)
            elif self._key(each) in self._failed:
                self._account.untouched(each.damage.finding, "it could not be done")
            else:
                self._say(each.damage.finding, each.words)
                if self._given.dry_run:
                    self._account.mended(each.damage.finding, each.words)
                steps.append(each)
        return steps

    def _wanted(self, findings: "Iterable[Finding]") -> "Iterable[Finding]":
        only = self._given.only
        return (finding for finding in findings if not only or finding.code in only)

    def _enter(self, volume: "Volume", step: "Step", problem: str | None) -> None:
        from ngshare_fs.store.repairing.repair import write_down

        finding = step.damage.finding
        if problem is None:
            self._account.mended(finding, step.words)
            self._tell(f"done: {finding.code} {finding.path}")
            write_down(volume, step, operator())
        else:
            self._failed.add(self._key(step))
            self._tell(f"not done: {finding.code} {finding.path}: {problem}")

    def _key(self, step: "Step") -> tuple[str, str]:
        return step.damage.finding.code, step.damage.finding.path

    def _say(self, finding: "Finding", words: str) -> None:
        self._tell(f"{finding.code} {finding.path}: {words}")

    def _leave(self, finding: "Finding", reason: str) -> None:
        self._account.untouched(finding, reason)
        self._tell(f"{finding.code} {finding.path}: left as it is: {reason}")

    def _ask(self, steps: int) -> None:
        confirm(f"Mend {counted(steps, 'thing')} as said above?", self._given.yes)
