"""More time for several students, as it was written: what each would get, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ngshare_fs.access import permission
from ngshare_fs.formats.civil_time import Moment, moment_in
from ngshare_fs.formats.one_line import in_one_line
from ngshare_fs.formats.sentence import Sentence, sentence
from ngshare_fs.roster_files import csv_text, extension_file, roster_file
from ngshare_fs.roster_files.extension_file import EXTENSIONS, MoreTime
from ngshare_fs.roster_files.look_alikes import in_other_capitals, spelled_as_there
from ngshare_fs.roster_files.roster_file import Student
from ngshare_fs.roster_files.rows import WrongRoster
from ngshare_fs.store import AssignmentFile, Extension, dates, extensions, timestamp_of
from ngshare_fs.store.errors import WrongDates
from ngshare_fs.web.frame.page import Wrong
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.instructor.assignment.effects import first_of, midnight
from ngshare_fs.web.instructor.pasted import NAME, all_in_other_capitals, mistakes_of, text_in

LONGEST_REASON = 200  # as the API has it


@dataclass(frozen=True)
class Plan:
    """What has to be done for everybody to have what was asked for.

    Args:
        new: who has none so far.
        changed: whose extension would be another one, and what it is.
        unchanged: how many have it already.
    """

    new: Mapping[str, Extension] = field(default_factory=dict)
    changed: Mapping[str, tuple[Extension, Extension]] = field(default_factory=dict)
    unchanged: int = 0

    @property
    def given(self) -> dict[str, Extension]:
        """What is to be written."""
        return {**self.new, **{user: after for user, (_, after) in self.changed.items()}}

    def cautions(self, now: datetime) -> list[Sentence]:
        """What somebody might not have meant: time that is over, and the beginning of a day instead of its end."""
        said = []
        ends = {user: each.close or each.due for user, each in self.given.items()}
        past = [user for user, end in ends.items() if end is not None and end.at < now]
        if past:
            said.append(sentence("This time is over already: {users}", users=first_of(past)))
        moments = {moment for each in self.given.values() for moment in (each.due, each.close) if moment is not None}
        return said + [trap for moment in sorted(moments, key=str) if (trap := midnight(moment)) is not None]

    @property
    def shown(self) -> object:
        """What is compared when it is confirmed: who gives it, and when, does not matter."""
        news = {user: _essence(each) for user, each in self.new.items()}
        return news, {user: (_essence(one), _essence(other)) for user, (one, other) in self.changed.items()}


def plan(visit: Visit, values: Mapping[str, str]) -> Plan:
    """What the fields ask for.

    Raises:
        Wrong: it cannot be done.
        AssignmentNotFound, BrokenManifest: see `dates.reading`.
    """
    present = dates.reading(*visit.asking.work).present
    rows = _rows(visit, values)
    members = visit.roster.users()
    wanted = {row.user: row for row in rows}
    students = [Student(user) for user in wanted]
    mistakes: list[str] = list(all_in_other_capitals(students, members))
    mistaken = {user for user, _ in in_other_capitals(students, members)}
    new, changed, unchanged = dict[str, Extension](), dict[str, tuple[Extension, Extension]](), 0
    for student, user in zip(spelled_as_there(students, members), wanted, strict=True):
        if user in mistaken:
            continue
        try:
            given = _extension(visit, present, student.user, wanted[user])
        except (ValueError, WrongDates) as error:
            mistakes.append(_of_user(student.user, error))
            continue
        before = present.extensions.get(student.user)
        if before is None:
            new[student.user] = given
        elif _essence(before) == _essence(given):
            unchanged += 1
        else:
            changed[student.user] = before, given
    if mistakes:
        raise Wrong({"people": mistakes})
    return Plan(new, changed, unchanged)


def _rows(visit: Visit, values: Mapping[str, str]) -> list[MoreTime]:
    """Who gets what, as texts."""
    text = text_in(values)
    try:
        if _is_table(text):
            return extension_file.parse(text, NAME, {}).rows
        people = roster_file.parse_list(text, NAME).students
    except WrongRoster as error:
        raise Wrong({"people": mistakes_of(error)}) from None
    problems: dict[str, str] = {}
    for name in ("until", "close"):
        try:
            _moment(visit, values[name])
        except ValueError as error:
            problems[name] = error.args[0]
    if not values["until"].strip() and not values["close"].strip():
        problems["until"] = "wrong.no-time"
    reason = values["reason"].strip()
    if len(reason) > LONGEST_REASON or in_one_line(reason) != reason:
        problems["reason"] = "wrong.reason"
    if problems:
        raise Wrong(problems)
    return [MoreTime(each.user, values["until"], values["close"], reason) for each in people]


def _is_table(text: str) -> bool:
    try:
        first: list[str] = next((row for _, row in csv_text.table(text).rows()), [])
    except csv_text.WrongQuotes:
        return False
    return bool({"until", "close"} & {EXTENSIONS.meaning(heading) for heading in first})


def _extension(visit: Visit, file: AssignmentFile, user: str, row: MoreTime) -> Extension:
    if user not in visit.roster and not permission.has_worked_here(visit.asking, visit.roster, user):
        raise ValueError(sentence("is not on the roster"))
    if len(row.reason) > LONGEST_REASON or in_one_line(row.reason) != row.reason:
        raise ValueError(sentence("The reason has to be one line of at most {most} characters", most=LONGEST_REASON))
    by, at = visit.user, timestamp_of(visit.now)
    given = Extension(_moment(visit, row.until), _moment(visit, row.close), row.reason or None, by, at)
    extensions.check_extension(file, visit.roster.rules, given)
    return given


def _moment(visit: Visit, text: str) -> Moment | None:
    return moment_in(text, visit.zone) if text.strip() else None


def _of_user(user: str, error: Exception) -> str:
    return sentence("{user}: {problem}", user=user, problem=error.args[0])


def _essence(given: Extension) -> tuple[str, str, str]:
    return str(given.due or ""), str(given.close or ""), given.reason or ""
