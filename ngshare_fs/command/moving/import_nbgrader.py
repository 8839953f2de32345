"""`ngshare-fs import nbgrader`: take over the folder that nbgrader's own exchange is."""

import argparse
import contextlib
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from ngshare_fs.command.moving.intake_report import FEWER_COURSES, NEW_COURSES, report, taking_in
from ngshare_fs.command.moving.room import check_room
from ngshare_fs.command.operator.data_folder import add_data, add_dry_run, add_json, opened_or_made
from ngshare_fs.settings import SettingsError

if TYPE_CHECKING:
    from ngshare_fs.store import Volume
    from ngshare_fs.transfer.account import Account
    from ngshare_fs.transfer.nbgrader.inbound import Clock
    from ngshare_fs.transfer.nbgrader.shared_folder import SharedFolder

SOURCE = "nbgrader"
HELP = "the folder of nbgrader's own exchange"
DESCRIPTION = (
    "Take over courses from the folder that nbgrader's own exchange is: releases, submissions with their times, "
    "feedback. Who handed in becomes a student. What is there already stays as it is, so this may be run again. "
    "Exit code 0: all is there; 1: something was left out, as said; 2: a wrong option or folder, and nothing was done."
)


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the command its options."""
    parser.add_argument("--exchange", metavar="DIR", required=True, help="nbgrader's `Exchange.root`")
    parser.add_argument(
        "--course", metavar="NAME", action="append", default=[], dest="courses", help="only this one; may be repeated"
    )
    parser.add_argument(
        "--instructors", metavar="NAME", nargs="+", action="extend", default=[],
        help="who teaches the courses, which the folder does not say",
    )  # fmt: skip
    parser.add_argument(
        "--timezone", metavar="ZONE", help="nbgrader's `Exchange.timezone`, as Europe/Berlin, where it was not UTC"
    )
    parser.add_argument(
        "--timestamp-format", metavar="FORMAT", help="nbgrader's `Exchange.timestamp_format`, where it was configured"
    )
    parser.add_argument(
        "--incomplete", action="store_true", help="take over submissions without the files that cannot be read"
    )
    add_data(parser)
    add_dry_run(parser)
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    """Take it over.

    Returns:
        The exit code.

    Raises:
        SettingsError: an option is wrong, the folder is no exchange, or there is no volume.
    """
    from ngshare_fs.store.adopt import is_usable_name
    from ngshare_fs.transfer.nbgrader.shared_folder import opened_folder

    clock = _clock(given)
    for name in given.instructors:
        if not is_usable_name(name):
            raise SettingsError(f"--instructors: {name!r} is no name of a user")
    with contextlib.ExitStack() as stack:
        try:
            shared = stack.enter_context(opened_folder(Path(given.exchange)))
            wanted, others = _courses(given, shared)
        except OSError as error:
            raise SettingsError(f"{given.exchange} cannot be read: {error.strerror}") from None
        with opened_or_made(given) as volume:
            account = _take_over(given, shared, volume, clock, wanted)
        for name in others:
            message = "has no folder outbound, inbound or feedback, so it is no course"
            account.report("no-course", (name,), message, is_note=True)
        return report(given, account, SOURCE, [])


def _take_over(
    given: argparse.Namespace, shared: "SharedFolder", volume: "Volume", clock: "Clock", wanted: list[str]
) -> "Account":
    from ngshare_fs.transfer.intake import Intake
    from ngshare_fs.transfer.nbgrader.takeover import IMPORTED_BY, Takeover
    from ngshare_fs.transfer.read_back import read_back

    intake = Intake(volume, {IMPORTED_BY}, dry_run=given.dry_run, incomplete=given.incomplete)
    takeover = Takeover(shared, volume, intake, clock, given.instructors, given.dry_run)
    if not given.dry_run:
        needed = sum(shared.bytes_of(course) for course in wanted if not intake.has_course(course))
        check_room(volume.root, needed, NEW_COURSES, FEWER_COURSES)
    with taking_in(given, volume, intake, SOURCE, None):
        for course in wanted:
            takeover.take_course(course)
        if not given.dry_run:
            read_back(volume, intake.account)
    return intake.account


def _courses(given: argparse.Namespace, shared: "SharedFolder") -> tuple[list[str], list[str]]:
    """Which courses to take over, and what else lies there.

    Raises:
        SettingsError: there is none, or none of that name.
    """
    from ngshare_fs.transfer.nbgrader.takeover import courses_in

    found, others = courses_in(shared)
    missing = [name for name in given.courses if name not in found]
    if missing or not found:
        what = f"no course {missing[0]!r}" if missing else "no course"
        raise SettingsError(f"{given.exchange} has {what}: a course is a folder with outbound, inbound or feedback")
    return (list(dict.fromkeys(given.courses)), []) if given.courses else (found, others)


def _clock(given: argparse.Namespace) -> "Clock":
    from zoneinfo import ZoneInfo

    from ngshare_fs.transfer.nbgrader.inbound import Clock
    from ngshare_fs.transfer.nbgrader.submission_time import DEFAULT_FORMAT, is_time_format

    zone = None
    if given.timezone is not None:
        try:
            zone = ZoneInfo(given.timezone)
        except (KeyError, ValueError, OSError):
            raise SettingsError(
                f"--timezone {given.timezone}: no timezone of that name is known here; names are as Europe/Berlin"
            ) from None
    time_format = given.timestamp_format or DEFAULT_FORMAT
    if not is_time_format(time_format):
        raise SettingsError(f"--timestamp-format {time_format}: it needs year, month, day, hour and minute")
    return Clock(time_format, zone, datetime.now(timezone.utc))
