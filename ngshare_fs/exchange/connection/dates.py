"""The dates of an assignment, as the server says that they apply to whoever asks."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from ngshare_fs.exchange.failures.problems import UntrustworthyAnswer
from ngshare_fs.exchange.receiving.received_tree import check_timestamp
from ngshare_fs.formats.civil_time import moment_at
from ngshare_fs.formats.lateness import late_seconds
from ngshare_fs.formats.one_line import in_one_line

# States of an assignment, by the server's clock.
SCHEDULED, LATE, CLOSED = "scheduled", "late", "closed"
UTC = "UTC"
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
_SECOND = timedelta(seconds=1)
# From here on, hours say nothing more.
_DAYS_ALONE = 7 * 86400


class Dates(NamedTuple):
    """The dates of an assignment.

    Args:
        release, due, close: in UTC; None where there is none.
        grace: what is late by no more than this is not late.
        zone: of the course.
        state: what the assignment is at present.
        extended: whether a student has more time than the others.
        reason: why; None where nobody has said.
    """

    release: datetime | None
    due: datetime | None
    close: datetime | None
    grace: timedelta
    zone: str
    state: str
    extended: bool
    reason: str | None

    def written(self, moment: datetime) -> str:
        """A point in time as people in the course write it."""
        return written(moment, self.zone)

    def in_words(self, now: datetime) -> str:
        """All of it in a line; empty where there is nothing to say.

        Args:
            now: how far away something is, is said from here; what counts already, the server has decided.
        """
        return "; ".join(self._words(now))

    def _words(self, now: datetime) -> Iterator[str]:
        if self.state == SCHEDULED and self.release is not None:
            yield f"students see it from {self.written(self.release)} on ({_ahead(self.release, now)})"
        if self.due is not None:
            yield f"due {self.written(self.due)} ({self._distance_of_due(self.due, now)})"
        if self.close is not None:
            is_closed = self.state == CLOSED
            distance = _ago(self.close, now) if is_closed else _ahead(self.close, now)
            yield f"{'closed' if is_closed else 'closes'} {self.written(self.close)} ({distance})"
        if self.extended:
            yield "with your extension" + (f" ({in_one_line(self.reason)})" if self.reason else "")

    def _distance_of_due(self, due: datetime, now: datetime) -> str:
        if self.state == LATE:
            return f"{_ago(due, now)}: what is handed in now is late"
        if self.state == CLOSED or now > due + self.grace:
            return _ago(due, now)
        if now > due:
            return f"{_ago(due, now)}, and not late until {span(self.grace.total_seconds())} after it"
        return _ahead(due, now)

    def as_json(self) -> dict[str, Any]:
        """The same for programs, as the server writes it."""
        moments = {name: _timestamp(getattr(self, name)) for name in ("release", "due", "close")}
        return {
            **moments,
            "grace_seconds": int(self.grace.total_seconds()),
            "timezone": self.zone,
            "state": self.state,
            "extended": self.extended,
            "reason": self.reason,
        }


class Deadlines(NamedTuple):
    """When the work of each student is due.

    Args:
        due: for those without an extension, in UTC.
        extended: by student, where they have more time.
        grace: what is late by no more than this is not late.
        zone: of the course.
    """

    due: datetime
    extended: dict[str, datetime]
    grace: timedelta
    zone: str

    def due_of(self, student: str) -> datetime:
        """When it is due for a student."""
        return max(self.due, self.extended.get(student, self.due))

    def late_seconds(self, student: str, moment: datetime) -> int:
        """By how much a student's work of that time is late; 0 in time."""
        return late_seconds(moment, self.due_of(student), self.grace)

    def extension(self, student: str, moment: datetime) -> timedelta | None:
        """How much more time a student needs, so that nbgrader counts their work of that time as the server does.

        Returns:
            None for none: nbgrader counts from the due date on, without a grace.
        """
        due = self.due_of(student)
        if moment > due and not self.late_seconds(student, moment):
            due = moment.replace(microsecond=0) + _SECOND
        return due - self.due or None


class Lateness(NamedTuple):
    """What a receipt says of the due date.

    Args:
        at: when the work was handed in.
        due: when it was due for the student.
        late_seconds: by how much it is late; 0 in time.
    """

    at: datetime
    due: datetime
    late_seconds: int

    def in_words(self, zone: str) -> str:
        """The same in a sentence.

        Args:
            zone: of the course.
        """
        due = written(self.due, zone)
        if self.late_seconds:
            return f"Handed in LATE, {span(self.late_seconds)} after the due date, {due}"
        left = (self.due - self.at).total_seconds()
        if left < 0:
            return f"Handed in {span(-left)} after the due date, {due}, which does not count as late"
        return f"Handed in {span(left)} before the due date, {due}"


def lateness_in(receipt: Mapping[str, Any]) -> Lateness | None:
    """What a receipt says of the due date.

    None where nothing is due, or where it cannot be understood: what is handed in is handed in.
    """
    due, late = receipt.get("due"), receipt.get("late_seconds")
    if due is None or not isinstance(late, int):
        return None
    try:
        return Lateness(moment_of(str(receipt.get("timestamp"))), moment_of(str(due)), late)
    except UntrustworthyAnswer:
        return None


def dates_in(answer: Mapping[str, Any]) -> Dates | None:
    """The dates in an answer; None where there are none, or an older server does not say.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: they are no dates.
        UntrustworthyAnswer: one of them is no timestamp.
    """
    found = answer.get("dates")
    if found is None:
        return None
    return Dates(
        _moment(found["release"]),
        _moment(found["due"]),
        _moment(found["close"]),
        timedelta(seconds=int(found["grace_seconds"])),
        str(found["timezone"]),
        str(found["state"]),
        found["extended"] is True,
        None if found["reason"] is None else str(found["reason"]),
    )


def deadlines_in(answer: Mapping[str, Any]) -> Deadlines | None:
    """What `GET extensions` says of due dates; None where nothing is due.

    Raises:
        AttributeError, KeyError, TypeError, ValueError, UntrustworthyAnswer: see `dates_in`.
    """
    everybodys = dates_in(answer)
    if everybodys is None or everybodys.due is None:
        return None
    given = {str(each["student_id"]): _moment(each["due"]) for each in answer["extensions"]}
    extended = {student: due for student, due in given.items() if due is not None}
    return Deadlines(everybodys.due, extended, everybodys.grace, everybodys.zone)


def moment_of(timestamp: str) -> datetime:
    """The time that a timestamp of the server's says.

    Raises:
        UntrustworthyAnswer: it is none.
    """
    text = check_timestamp(timestamp)
    try:
        return datetime.fromisoformat(text.removesuffix(" UTC")).replace(tzinfo=timezone.utc)
    except ValueError:
        raise UntrustworthyAnswer(f"The exchange sent {text!r}, which is no time in UTC.") from None


def written(moment: datetime, zone: str) -> str:
    """A point in time as people in a zone write it; in UTC where this machine does not know the zone.

    Args:
        moment: aware.
        zone: by its name.
    """
    whole = moment.replace(microsecond=0)
    try:
        return str(moment_at(whole, zone))
    except ValueError:
        return str(moment_at(whole, UTC))


def span(seconds: float) -> str:
    """How long something takes, in the two largest units: `3 days`, `2 hours 5 minutes`; cut off, not rounded."""
    left = int(seconds)
    if left >= _DAYS_ALONE:
        left -= left % _UNITS[0][1]
    parts: list[str] = []
    for name, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}{'s' * (count > 1)}")
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts) or "0 seconds"


# Where this machine's clock and the server's disagree on whether it is over, the server is right, and it was just now.
def _ahead(moment: datetime, now: datetime) -> str:
    return f"in {span(max(0.0, (moment - now).total_seconds()))}"


def _ago(moment: datetime, now: datetime) -> str:
    return f"{span(max(0.0, (now - moment).total_seconds()))} ago"


def _moment(text: object) -> datetime | None:
    return None if text is None else moment_of(check_timestamp(text))


def _timestamp(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M:%S.%f} UTC"
