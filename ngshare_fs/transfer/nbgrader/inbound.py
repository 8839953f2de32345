"""The submissions in a course's folder: whose they are, to what, and when they were handed in.

Students have written all of this, their names and times as well. What cannot be is reported and left out.
"""

import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ngshare_fs.store import SUBMISSION
from ngshare_fs.store.adopt import is_usable_name
from ngshare_fs.transfer.account import Account
from ngshare_fs.transfer.nbgrader.names_in_exchange import (
    INBOUND,
    SECRET_FILE,
    TIMESTAMP_FILE,
    SubmissionName,
    notebooks_in,
    split_submission_name,
)
from ngshare_fs.transfer.nbgrader.shared_folder import SharedFolder
from ngshare_fs.transfer.nbgrader.submission_time import NotATime, read_time

# Clocks of several machines differ a little. A time that is far ahead would make all later ones follow it.
AHEAD = timedelta(hours=1)
# nbgrader writes the time last; a folder without one that is younger may be on its way.
JUST_NOW_SECONDS = 60.0
LONGEST_TIME = 200
LONGEST_SECRET = 4096


@dataclass(frozen=True)
class Clock:
    """How the exchange's times are to be read.

    Args:
        time_format: nbgrader's `Exchange.timestamp_format`.
        zone: its `Exchange.timezone`; None where nobody has said which.
        now: the present.
    """

    time_format: str
    zone: ZoneInfo | None
    now: datetime


@dataclass
class Inbound:
    """A submission that was found.

    Args:
        way: to its folder.
        name: what the name of that says.
        moment: when it was handed in.
        changed: when its folder was last changed, in nanoseconds since 1970.
        owner: the system's user whose folder it is: a name, or a number where that has none here.
        notebooks: the names of its notebooks, without endings.
        secret: from which the names of the pages of its feedback were made; None where there is none.
    """

    way: tuple[str, ...]
    name: SubmissionName
    moment: datetime
    changed: int
    owner: str
    notebooks: list[str]
    secret: bytes | None

    @property
    def place(self) -> tuple[str, ...]:
        """The names that lead to it, for messages."""
        return self.way[0], self.name.assignment, self.name.student, self.name.time


def submissions_in(shared: SharedFolder, course: str, clock: Clock, account: Account) -> list[Inbound]:
    """The submissions to a course, each student's in the order of their times."""
    found: list[Inbound] = []
    try:
        with shared.entered(course, INBOUND) as folder:
            names = folder.names()
    except FileNotFoundError:
        return found
    except OSError as error:
        account.report("unreadable", (course, INBOUND), f"cannot be read: {error.strerror}")
        return found
    for name in names:
        try:
            found += _look_at(shared, course, name, clock, account)
        except OSError as error:
            leave_out(account, "unreadable", (course, INBOUND, name), f"cannot be read: {error.strerror}")
    found.sort(key=lambda each: (each.name.student, each.name.assignment, each.moment, each.changed, each.way))
    _report_owners(course, found, account)
    return found


def _look_at(shared: SharedFolder, course: str, name: str, clock: Clock, account: Account) -> Iterator[Inbound]:
    way = (course, INBOUND, name)
    with shared.entered(course, INBOUND) as inbound:
        status = inbound.status(name)
    if status is None:
        return
    if not stat.S_ISDIR(status.st_mode):
        leave_out(account, "stray", way, "is no folder, so it is no submission")
        return
    time = _text_of(shared, way)
    parts = split_submission_name(name, time)
    if parts is None or not (is_usable_name(parts.student) and is_usable_name(parts.assignment)):
        leave_out(account, "no-submission", way, "is not named STUDENT+ASSIGNMENT+TIMESTAMP, as submissions are")
        return
    place = (course, parts.assignment, parts.student, parts.time)
    if time is None:
        if clock.now.timestamp() - max(status.st_mtime, status.st_ctime) < JUST_NOW_SECONDS:
            message = f"has no {TIMESTAMP_FILE}, and may be on its way just now: run this again in a minute"
            leave_out(account, "being-handed-in", place, message)
            return
        account.report("time-missing", place, f"has no {TIMESTAMP_FILE}: the folder's name counts", is_note=True)
    try:
        moment = read_time(parts.time if time is None else time, clock.time_format, clock.zone)
    except NotATime as problem:
        leave_out(account, "time-unusable", place, str(problem))
        return
    if moment > clock.now + AHEAD:
        leave_out(account, "time-ahead", place, f"{moment:%Y-%m-%d %H:%M:%S} UTC has not come yet")
        return
    if time is not None and time != parts.time:
        message = f"the folder's name has another time than its {TIMESTAMP_FILE}, {time!r}, which counts"
        account.report("time-differs", place, message, is_note=True)
    with shared.entered(*way) as folder:
        notebooks = notebooks_in(folder.names())
    yield Inbound(way, parts, moment, status.st_mtime_ns, _name_of(status.st_uid), notebooks, _secret_of(shared, way))


def leave_out(account: Account, code: str, place: tuple[str, ...], message: str) -> None:
    """Report that a submission was left out, and why."""
    account.count(place[0], SUBMISSION, left_out=1)
    account.report(code, place, f"{message}; left out")


def _text_of(shared: SharedFolder, way: tuple[str, ...]) -> str | None:
    try:
        return shared.read_small(LONGEST_TIME, *way, TIMESTAMP_FILE).decode(errors="replace").strip()
    except FileNotFoundError:
        return None


def _secret_of(shared: SharedFolder, way: tuple[str, ...]) -> bytes | None:
    try:
        return shared.read_small(LONGEST_SECRET, *way, SECRET_FILE) or None
    except FileNotFoundError:
        return None


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _report_owners(course: str, found: list[Inbound], account: Account) -> None:
    """Say of which submissions the folder is another user's than the student's, as nbgrader does when it collects."""
    owners = {each.owner for each in found}
    students = {each.name.student for each in found}
    # One for all, as in containers, or users of another machine: that says nothing of anybody.
    if (len(owners) == 1 and len(students) > 1) or (owners and all(owner.isdecimal() for owner in owners)):
        known = f"belong to {owners.pop()}" if len(owners) == 1 else "belong to users that this system does not know"
        message = f"all {known}, so nobody can tell whether students handed in for others"
        account.report("owners-unknown", (course, INBOUND), message, is_note=True)
        return
    for each in found:
        if each.owner != each.name.student:
            message = f"belongs to the system's user {each.owner}, not to the student: look whether it is theirs"
            account.report("owner-differs", each.place, message, is_note=True)
