"""`ngshare-fs course extend`: more time for somebody, or for those in a file."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timezone

from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.failures.problems import STUDENT_NOT_FOUND, Refused, ServerProblem
from ngshare_fs.formats.civil_time import Moment, moment_in
from ngshare_fs.management.server_dates import Dates, Extension, ServerDates, beginning_of_a_day
from ngshare_fs.roster_files import extension_file, look_alikes
from ngshare_fs.roster_files.characters import how_they_differ
from ngshare_fs.roster_files.columns import WrongColumns, mapping_in
from ngshare_fs.roster_files.extension_file import EXTENSIONS, MoreTime
from ngshare_fs.roster_files.roster_file import Student, WrongRoster
from ngshare_fs.roster_files.rows import wrong_text
from ngshare_fs.terminal.saying import say

LONGEST_REASON = 200  # as the server has it


def run(client: Client, given: argparse.Namespace, members: Callable[[], Iterable[str]]) -> None:
    """Give more time, or take it back.

    Args:
        members: the user names on the course's roster.

    Raises:
        WrongRoster: what was asked for cannot be; nothing was changed.
        ServerProblem: some or all was not done.
    """
    server = ServerDates(client, given.course)
    if given.take_back:
        _take_back(server, given)
        return
    plan = Plan(server.of(given.assignment), frozenset(members()))
    if given.file is None:
        plan.add_alone(MoreTime(given.user, given.until or "", given.close or "", given.reason or ""))
    else:
        try:
            said = mapping_in(given.columns, EXTENSIONS)
        except WrongColumns as problem:
            raise WrongRoster(str(problem)) from None
        for note in extension_file.read(given.file, said, plan.add).notes:
            say(note, sys.stderr)
    for line in plan.lines():
        say(line)
    if past := plan.past():
        say(f"This time is over already: {', '.join(past)}", sys.stderr)
    if trap := beginning_of_a_day(plan.ends()):
        say(trap, sys.stderr)
    counts = f"{len(plan.new)} to give, {len(plan.changed)} to change, {plan.unchanged} as before"
    if given.dry_run:
        say(f"{counts}; nothing was changed")
        return
    _send(server, given.assignment, {**plan.new, **plan.changed})
    say(counts.replace(" to give", " given").replace(" to change", " changed"))


def _send(server: ServerDates, assignment: str, wanted: dict[str, Extension]) -> None:
    failed: list[str] = []
    done: list[str] = []
    try:
        for user, extension in wanted.items():
            try:
                server.extend(assignment, user, extension)
                done.append(user)
            except Refused as refusal:
                # What is wrong with one of several says nothing of the others.
                if len(wanted) == 1 or not refusal.says("Wrong dates", STUDENT_NOT_FOUND):
                    raise
                failed.append(f"{user}: {refusal.message}")
    except ServerProblem:
        if done:
            say(f"Given before that: {', '.join(done)}", sys.stderr)
        raise
    if failed:
        raise ServerProblem("Some extensions were not given, the others were:\n  " + "\n  ".join(failed))


def _take_back(server: ServerDates, given: argparse.Namespace) -> None:
    there = server.of(given.assignment).extensions.get(given.user)
    if there is None:
        raise ServerProblem(
            f"{given.user} has no extension of {given.assignment}; `ngshare-fs course dates {given.course} "
            f"{given.assignment}` shows who has one"
        )
    say(f"- {given.user}: {_words(there)}")
    if given.dry_run:
        say("nothing was changed")
        return
    server.take_back(given.assignment, given.user)
    say(f"Successfully took back the extension of {given.user}")


class Plan:
    """What has to be done for those who get more time to have it.

    Args:
        present: the assignment's dates and extensions.
        members: the user names on the course's roster.
    """

    def __init__(self, present: Dates, members: frozenset[str]) -> None:
        self._present = present
        self._members = members
        self.new: dict[str, Extension] = {}
        self.changed: dict[str, Extension] = {}
        self.unchanged = 0

    def add_alone(self, wanted: MoreTime) -> None:
        """Take up what was said on the command line.

        Raises:
            WrongRoster: it cannot be done.
        """
        mistake = wrong_text("reason", wanted.reason) or self.add(wanted)
        if mistake is not None:
            raise WrongRoster(f"nothing was changed: {mistake}")

    def add(self, wanted: MoreTime) -> str | None:
        """Take up what somebody is to get, or say why that cannot be."""
        (student,) = look_alikes.spelled_as_there([Student(wanted.user)], self._members)
        for user, other in look_alikes.in_other_capitals([student], self._members):
            return f"{user} is on the roster as {other}: {how_they_differ(user, other)}"
        if student.user not in self._members:
            return f"{student.user} is not on the roster"
        try:
            given = Extension(self._moment(wanted.until), self._moment(wanted.close), wanted.reason)
        except ValueError as error:
            return str(error)
        mistake = self._wrong(given)
        if mistake is not None:
            return mistake
        if len(wanted.reason) > LONGEST_REASON:
            return f"the reason has {len(wanted.reason)} characters, more than {LONGEST_REASON}"
        user = student.user
        before = self._present.extensions.get(user)
        if before is None:
            self.new[user] = given
        elif (before.due, before.close, before.reason) != (given.due, given.close, given.reason):
            self.changed[user] = given
        else:
            self.unchanged += 1
        return None

    def lines(self) -> list[str]:
        """For people: a line for each who gets something else than before."""
        present = self._present.extensions
        return [
            *(f"+ {user}: {_words(each)}" for user, each in self.new.items()),
            *(f"~ {user}: {_words(present[user])} → {_words(each)}" for user, each in self.changed.items()),
        ]

    def ends(self) -> Iterator[Moment | None]:
        """The dates that are given."""
        for each in (*self.new.values(), *self.changed.values()):
            yield from (each.due, each.close)

    def past(self) -> list[str]:
        """The users whose time would be over already, which somebody might not have meant."""
        now = datetime.now(timezone.utc)
        ends = {user: each.close or each.due for user, each in {**self.new, **self.changed}.items()}
        return [user for user, end in ends.items() if end is not None and end.at < now]

    def _moment(self, text: str) -> Moment | None:
        return moment_in(text, self._present.zone) if text.strip() else None

    def _wrong(self, given: Extension) -> str | None:
        """What the server would refuse, said of each row before the first one is sent."""
        due, close = self._present.everybodys("due"), self._present.everybodys("close")
        if given.due is None and given.close is None:
            return "it says neither until when work is in time nor when it closes"
        for name, everybodys, own in (("due", due, given.due), ("close", close, given.close)):
            if everybodys is None and own is not None:
                return f"the assignment has no {name} date that could be extended: set that first"
        for name, everybodys, own in (("due", due, given.due), ("close", close, given.close)):
            if everybodys is not None and own is not None and own.at <= everybodys.at:
                return f"{own} is not later than the {name} date of everybody, {everybodys}"
        if given.due is not None and given.close is not None and given.due.at > given.close.at:
            return f"it closes at {given.close}, before it is due at {given.due}"
        return None


def _words(extension: Extension) -> str:
    said: Sequence[str] = [
        f"until {extension.due}" if extension.due else "",
        f"closes {extension.close}" if extension.close else "",
        f"({extension.reason})" if extension.reason else "",
    ]
    return ", ".join(part for part in said[:2] if part) + (f" {said[2]}" if said[2] else "")
