"""The dates of assignments on the server, and the extensions that were given."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.failures.problems import ASSIGNMENT_NOT_FOUND, COURSE_NOT_FOUND, Refused
from ngshare_fs.exchange.sending.request_body import Body
from ngshare_fs.formats.civil_time import Moment, moment_at
from ngshare_fs.management.advice import known_to_the_server, too_old

UTC = "UTC"
DATES = "dates of assignments"
# To others, the server does not say who has been given more time.
SEE_EXTENSIONS = ("instructor", "grader", "admin")


@dataclass(frozen=True)
class Extension:
    """More time for somebody.

    Args:
        due, close: as they were written; None where they were not.
        reason: why; empty where nobody has said.
        by: who has given it; at: when, as the API writes it. None where nobody has said.
    """

    due: Moment | None
    close: Moment | None
    reason: str = ""
    by: str | None = None
    at: str | None = None


@dataclass(frozen=True)
class Dates:
    """The dates of an assignment.

    Args:
        effective: as they apply to everybody without an extension, as the API has them; None where there are none.
        written: what its file says of `release`, `due`, `close` and `grace`; None for what it does not.
        extensions: by user name.
    """

    effective: Mapping[str, Any] | None
    written: Mapping[str, str | None]
    extensions: Mapping[str, Extension]

    @property
    def zone(self) -> str:
        """In which the course's times are meant."""
        return zone_of(self.effective)

    def everybodys(self, name: str) -> Moment | None:
        """The date `due` or `close` for everybody, as it was written; None where there is none."""
        if self.effective is None:
            return None
        moment = in_zone(self.effective[name], self.zone)
        text = self.written[name]
        return moment if moment is None or text is None else Moment(moment.at, text)


class ServerDates:
    """The dates of a course.

    Args:
        client: calls the server.
        course: whose dates they are.
    """

    def __init__(self, client: Client, course: str) -> None:
        self._client = client
        self.course = course

    def listed(self, assignment: str | None = None) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
        """The course in the listing of whoever asks, and its assignments, or one of them.

        Raises:
            ServerProblem: it is none of theirs, or the server knows no dates.
        """
        with known_to_the_server(DATES):
            courses = self._client.call("GET", "listing", query={"course": self.course})["courses"]
        found = next((each for each in courses if each["course_id"] == self.course), None)
        if found is None:
            raise Refused(404, COURSE_NOT_FOUND, self._client.server.url)
        assignments = [each for each in found["assignments"] if assignment in (None, each["assignment_id"])]
        if assignment is not None and not assignments:
            raise Refused(404, ASSIGNMENT_NOT_FOUND, self._client.server.url)
        if any("dates" not in each for each in assignments):
            raise too_old(DATES)
        return found, assignments

    def of(self, assignment: str) -> Dates:
        """The dates of an assignment, and all its extensions.

        Raises:
            ServerProblem: the server does not say.
        """
        with known_to_the_server(DATES):
            answer = self._client.call("GET", "extensions", self.course, assignment)
        extensions = {
            each["student_id"]: Extension(
                _moment(each["due"], each["due_text"]),
                _moment(each["close"], each["close_text"]),
                each["reason"] or "",
                each["by"],
                each["at"],
            )
            for each in answer["extensions"]
        }
        return Dates(answer["dates"], answer["written"], extensions)

    def change(self, assignment: str, changes: Mapping[str, str]) -> None:
        """Set dates, or remove those whose text is empty.

        Raises:
            ServerProblem: nothing was changed, or nobody knows.
        """
        with known_to_the_server(DATES):
            self._client.call("PATCH", "assignment", self.course, assignment, body=Body(changes))

    def extend(self, assignment: str, user: str, extension: Extension) -> None:
        """Give somebody more time, in place of what was given before.

        Raises:
            ServerProblem: it was not given, or nobody knows.
        """
        fields = {"due": extension.due, "close": extension.close, "reason": extension.reason}
        body = Body({name: str(value) for name, value in fields.items() if value})
        with known_to_the_server(DATES):
            self._client.call("PUT", "extension", self.course, assignment, user, body=body)

    def take_back(self, assignment: str, user: str) -> None:
        """Let the assignment's own dates count for somebody again.

        Raises:
            ServerProblem: there was no extension, or nobody knows.
        """
        try:
            with known_to_the_server(DATES):
                self._client.call("DELETE", "extension", self.course, assignment, user)
        except Refused as refusal:
            # An earlier attempt, whose answer was lost, has done it.
            if not (self._client.repeated and refusal.says("Extension not found")):
                raise


def beginning_of_a_day(moments: Iterable[str | Moment | None]) -> str | None:
    """What to say where one of the dates, until which work is taken, is a midnight: a day less than was meant."""
    for each in moments:
        day, is_midnight, _ = str(each).partition(" 00:00:00 ")
        if is_midnight:
            return f"{each} is the beginning of that day; for its end, write {day}"
    return None


def zone_of(effective: Mapping[str, Any] | None) -> str:
    """In which zone dates are shown."""
    return str(effective["timezone"]) if effective else UTC


def in_zone(timestamp: str | None, zone: str) -> Moment | None:
    """A time of the API's as people of a zone write it."""
    if timestamp is None:
        return None
    try:
        return moment_at(_at(timestamp), zone)
    except ValueError:
        return moment_at(_at(timestamp), UTC)  # the server knows a zone that this machine does not


def _moment(timestamp: str | None, text: str | None) -> Moment | None:
    return None if timestamp is None else Moment(_at(timestamp), text or timestamp)


def _at(timestamp: str) -> datetime:
    return datetime.strptime(timestamp, "%Y-%m-%d %H:%M:%S.%f UTC").replace(tzinfo=timezone.utc, microsecond=0)
