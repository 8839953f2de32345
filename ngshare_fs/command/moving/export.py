"""`ngshare-fs export`: courses in the form of another exchange."""

import argparse
import contextlib
import os
import pwd
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ngshare_fs.command.moving.intake_report import KINDS, say_number_of_problems, say_problems
from ngshare_fs.command.moving.room import check_room
from ngshare_fs.command.operator.data_folder import (
    DONE,
    SOMETHING_LEFT,
    add_data,
    add_dry_run,
    add_json,
    data_folder,
    opened_for_reading,
)
from ngshare_fs.command.operator.document import print_document
from ngshare_fs.command.operator.failures import reason
from ngshare_fs.command.output import STOPPED, fail
from ngshare_fs.settings import SettingsError
from ngshare_fs.terminal.progress import progress
from ngshare_fs.terminal.table import size_in_words, table

if TYPE_CHECKING:
    from ngshare_fs.store import Volume
    from ngshare_fs.transfer.account import Account
    from ngshare_fs.transfer.nbgrader.exchange_writer import Owners

HELP = "write courses as another exchange has them"
DESCRIPTION = "Write courses as another exchange has them."
OF_NBGRADER = (
    "Write courses into a folder as nbgrader's own exchange has them: releases, submissions with their times, the "
    "newest feedback. Students' accounts own what they have handed in, where root runs this. The volume stays as it "
    "is. Exit code 0: all is there; 1: something was left out, as said; 2: a wrong option or folder, a course that is "
    "there already, and nothing was done."
)
_COLUMNS = ("course", *KINDS.values(), "size", "left out")
OPEN_TO_ALL = 0o777


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the command its forms."""
    forms = parser.add_subparsers(dest="form", required=True, metavar="FORM")
    words = forms.add_parser("nbgrader", help="as nbgrader's own exchange", description=OF_NBGRADER, allow_abbrev=False)
    words.add_argument("--exchange", metavar="DIR", required=True, help="nbgrader's `Exchange.root`; made if missing")
    words.add_argument("course", metavar="COURSE", nargs="+", help="which courses")
    words.add_argument(
        "--owner", metavar="USER", help="the system's user who teaches them: nbgrader insists on it; for root alone"
    )
    add_data(words)
    add_dry_run(words)
    add_json(words)


def run(given: argparse.Namespace) -> int:
    """Write them.

    Returns:
        The exit code.

    Raises:
        SettingsError: an option is wrong, a course is not there, or is in the folder already.
    """
    from ngshare_fs.store import StoreError
    from ngshare_fs.transfer.account import Account

    exchange = os.path.abspath(given.exchange)
    account = Account()
    owners = _owners(given, account)
    with opened_for_reading(given) as volume:
        _check(given, volume, exchange, account)
        try:
            _export(given, volume, exchange, account, owners)
        except (OSError, StoreError) as error:
            return fail(
                f"{reason(error)}. The course was not written: run this again when that is mended", SOMETHING_LEFT
            )
        except KeyboardInterrupt:
            return fail("stopped: a course that was not written whole is not there at all. Run this again", STOPPED)
    if given.json:
        print_document(_document(account, given.dry_run))
    else:
        _print(account, given.dry_run)
    return DONE if account.is_complete else SOMETHING_LEFT


def _export(given: argparse.Namespace, volume: "Volume", exchange: str, account: "Account", owners: "Owners") -> None:
    from ngshare_fs.transfer.account import Account
    from ngshare_fs.transfer.nbgrader.export import Export

    wanted = list(dict.fromkeys(given.course))
    plan = account if given.dry_run else Account()
    for course in wanted:
        Export(volume, plan, owners).look_at(course)
    if given.dry_run:
        return
    size = sum(tally.bytes for course in plan.courses.values() for tally in course.trees.values())
    place = exchange if os.path.isdir(exchange) else os.path.dirname(exchange)
    check_room(place, size, "these courses", "export some of them")
    _make_open_to_all(exchange)
    with progress("writing", size) as advance:
        for course in wanted:
            Export(volume, account, owners, advance).write(course, exchange)


def _check(given: argparse.Namespace, volume: "Volume", exchange: str, account: "Account") -> None:
    """Refuse what cannot be done, before anything is.

    Raises:
        SettingsError: see `run`.
    """
    from ngshare_fs.store import course as courses
    from ngshare_fs.transfer.nbgrader.export import unfit_name

    data = os.path.realpath(data_folder(given))
    if os.path.commonpath([data, os.path.realpath(exchange)]) == data:
        raise SettingsError(f"{exchange} is inside the data folder: give --exchange another folder")
    if os.path.exists(exchange) and not os.path.isdir(exchange):
        raise SettingsError(f"{exchange} is no folder: give --exchange nbgrader's `Exchange.root`")
    if not os.path.isdir(os.path.dirname(exchange)):
        raise SettingsError(f"{os.path.dirname(exchange)}: no such folder")
    for name in given.course:
        unfit = unfit_name(name)
        if unfit or not name:
            raise SettingsError(f"{name!r}: {unfit or 'no name of a course'}")
        if not courses.exists(volume, name):
            raise SettingsError(f"{name!r}: no such course in {data_folder(given)}")
        if os.path.lexists(os.path.join(exchange, name)):
            raise SettingsError(
                f"{exchange} has {name!r} already: move that away, or name only courses that are not there"
            )
    if os.path.isdir(exchange) and Path(exchange).stat().st_mode & OPEN_TO_ALL != OPEN_TO_ALL:
        message = "is not writable for everybody, as nbgrader wants its exchange: chmod 777"
        account.report("not-open", (exchange,), message, is_note=True)


def _make_open_to_all(exchange: str) -> None:
    """Make the exchange folder as nbgrader does, unless it is there."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(exchange)
        # Not by its name, in whose place somebody might have put a link meanwhile.
        folder = os.open(exchange, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fchmod(folder, OPEN_TO_ALL)
        finally:
            os.close(folder)


def _owners(given: argparse.Namespace, account: "Account") -> "Owners":
    from ngshare_fs.transfer.nbgrader.exchange_writer import Owners

    def user_of(name: str) -> int | None:
        try:
            return pwd.getpwnam(name).pw_uid
        except (KeyError, ValueError):
            if name not in unknown:
                unknown.add(name)
                message = "is no user of this system: nbgrader collect will say that their work is not theirs"
                account.report("owner-unknown", (name,), message, is_note=True)
            return None

    unknown: set[str] = set()
    if os.geteuid() != 0:
        if given.owner:
            raise SettingsError("--owner: root alone can give files to others")
        message = "root alone can give work to its students: nbgrader collect will say that it is not theirs"
        account.report("owners-unknown", (given.exchange,), message, is_note=True)
        return Owners(None, lambda name: None)
    if not given.owner:
        message = "all courses belong to root, so root alone can release in them: --owner names the instructor"
        account.report("owner-is-root", (given.exchange,), message, is_note=True)
        return Owners(None, user_of)
    try:
        user = pwd.getpwnam(given.owner)
    except (KeyError, ValueError):
        raise SettingsError(f"--owner {given.owner}: no such user of this system") from None
    return Owners((user.pw_uid, user.pw_gid), user_of)


def _print(account: "Account", dry_run: bool) -> None:
    say_problems(account)
    print("Would be written:" if dry_run else "Written:")
    rows = []
    for course in account.courses.values():
        tallies = course.trees.values()
        size = size_in_words(sum(tally.bytes for tally in tallies))
        counts = (course.trees[kind].new for kind in KINDS)
        rows.append([course.course, *counts, size, sum(tally.left_out for tally in tallies)])
    print(table(_COLUMNS, rows, right=_COLUMNS[1:]))
    say_number_of_problems(account)


def _document(account: "Account", dry_run: bool) -> dict[str, object]:
    courses = []
    for course in account.courses.values():
        entry: dict[str, object] = {"course": course.course}
        for kind, name in KINDS.items():
            tally = course.trees[kind]
            entry[name] = {"new": tally.new, "left_out": tally.left_out, "bytes": tally.bytes}
        courses.append(entry)
    return {"dry_run": dry_run, "courses": courses, "problems": [asdict(problem) for problem in account.problems]}
