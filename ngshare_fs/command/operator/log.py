"""`ngshare-fs log`: who did what, from the journal."""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from ngshare_fs.command.operator.data_folder import DONE, SOMETHING_LEFT, add_data, add_json, opened_for_reading
from ngshare_fs.command.operator.document import print_document
from ngshare_fs.command.output import fail
from ngshare_fs.settings import SettingsError
from ngshare_fs.terminal.saying import say

if TYPE_CHECKING:
    from ngshare_fs.store.journal import BrokenLine, Entry

HELP = "who did what"
DESCRIPTION = (
    "Who did what, from the journal of a data folder or of a copy of it, oldest first. "
    "Exit code 0: all was read; 1: some of it could not be read; 2: wrong use, no such course, or a folder that is no "
    "volume."
)
SHOWN_BEFORE_FOLLOWING = 10
_AGO = re.compile("([0-9]{1,6})([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the command its options."""
    parser.add_argument("course", metavar="COURSE", nargs="?", default="", help="only of this course")
    parser.add_argument("--assignment", metavar="NAME", default="", help="only of this assignment")
    parser.add_argument("--student", metavar="NAME", default="", help="only what concerns this student")
    parser.add_argument("--by", metavar="NAME", default="", help="only what this user did")
    parser.add_argument("--what", metavar="WORD", default="", help="only this, such as submit or fetch-feedback")
    parser.add_argument(
        "--since",
        metavar="DATE",
        default="",
        help="from then on: 2026-11-30, '2026-11-30 09:00' in UTC, or 7d, 12h ago",
    )
    parser.add_argument("--until", metavar="DATE", default="", help="before then")
    parser.add_argument("-n", dest="newest", metavar="N", help="only the newest N")
    parser.add_argument("--follow", action="store_true", help="go on with what is done from now on, until Ctrl-C")
    add_json(parser)
    add_data(parser)


def run(given: argparse.Namespace) -> int:
    """Print what is in the journal.

    Returns:
        The exit code: 0, or 1 where something could not be read.

    Raises:
        SettingsError: there is no such course, a time or number is wrong, or there is no volume.
    """
    if given.follow and given.json:
        raise SettingsError("log: --follow has no end, and --json is one document: leave one of them out")
    number = None if given.newest is None else _number(given.newest)
    since, until = _moment("--since", given.since), _moment("--until", given.until)
    from ngshare_fs.store import Volume, course
    from ngshare_fs.store.journal import search

    wanted = search.Wanted(given.course, given.assignment, given.student, given.by, given.what, since, until)

    def entries(volume: Volume) -> "Iterator[Entry | BrokenLine]":
        if given.follow:
            following = search.Following(volume, wanted)
            earlier = following.added()
            shown = SHOWN_BEFORE_FOLLOWING if number is None and not since else number
            yield from earlier if shown is None else earlier[max(0, len(earlier) - shown) :]
            yield from following.forever()
        elif number is None:
            yield from search.found(volume, wanted)
        else:
            yield from search.newest(volume, wanted, number)

    printing = _Printing(given.json, given.follow)
    with opened_for_reading(given) as volume:
        try:
            is_known = not given.course or search.has_journal(volume, given.course)
            if not is_known and not course.exists(volume, given.course):
                raise SettingsError(f"log: {given.course} is no course, and the journal knows of none")
            printing.print(entries(volume))
        except OSError as error:
            return fail(f"{error.filename}: {error.strerror}", SOMETHING_LEFT)
        except KeyboardInterrupt:
            if not given.follow:
                raise
    return SOMETHING_LEFT if printing.has_met_broken else DONE


class _Printing:
    """Prints events as they come, or in the end as one document."""

    def __init__(self, as_json: bool, is_live: bool) -> None:
        self._as_json = as_json
        self._is_live = is_live
        self._entries: list[dict[str, str]] = []
        self.has_met_broken = False

    def print(self, found: "Iterable[Entry | BrokenLine]") -> None:
        from ngshare_fs.store.journal import BrokenLine

        for each in found:
            if isinstance(each, BrokenLine):
                self.has_met_broken = True
                say(f"{each.place}: {each.problem}; passed over", sys.stderr)
            elif self._as_json:
                fields = {key: value for key, value in asdict(each.event).items() if value}
                self._entries.append({"time": each.time, **fields})
            else:
                say(_in_words(each))
                if self._is_live:
                    sys.stdout.flush()
        if self._as_json:
            print_document({"entries": self._entries})


def _in_words(entry: "Entry") -> str:
    event = entry.event
    place = " / ".join(part for part in (event.course, event.assignment, event.student) if part)
    by = event.by if event.via == "api" else f"{event.by} ({event.via})"
    return "  ".join(part for part in (entry.time, event.what, by, place, event.detail) if part)


def _number(text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text):
        raise SettingsError(f"log: -n {text}: give a number")
    return int(text)


def _moment(option: str, text: str) -> str:
    """A point in time as the journal writes it; "" where none was given."""
    ago = _AGO.fullmatch(text)
    if not text:
        return ""
    try:
        if ago:
            moment = datetime.now(timezone.utc) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        else:
            moment = datetime.fromisoformat(text.removesuffix(" UTC"))
    except (ValueError, OverflowError):
        raise SettingsError(
            f"log: {option} {text}: give a date, as 2026-11-30 or '2026-11-30 09:00' in UTC, or a time ago, as 7d, 12h"
        ) from None
    if moment.tzinfo is not None:
        moment = moment.astimezone(timezone.utc)
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f UTC")
