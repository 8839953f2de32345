"""An ngshare by its API: what an admin can fetch. It gives no times but those of submissions."""

import base64
import binascii
import io
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, BinaryIO

from ngshare_fs.store import FEEDBACK, RELEASE, SUBMISSION, Manifest, Person, Timestamp, timestamp_of
from ngshare_fs.transfer.account import Account
from ngshare_fs.transfer.foreign_tree import ForeignFile, ForeignTree
from ngshare_fs.transfer.ngshare import IMPORTED_BY, NotNgshare, moments
from ngshare_fs.transfer.ngshare.server import Refused, Server
from ngshare_fs.transfer.ngshare.source import Released, Row, SubmissionRow, tree_of

FORBIDDEN = 403
NOT_FOUND = 404
FAILURE = 500


def courses_at(server: Server) -> list[Row]:
    """The courses that a server lists.

    Raises:
        NotNgshare: it is no ngshare, or does not answer to whoever asks.
    """
    try:
        return [Row(0, course) for course in _texts(server.get("courses"), "courses")]
    except Refused as refusal:
        raise NotNgshare(f"{server.url} refuses ({refusal}): is that the token of one of its admins?") from None


class ServerSource:
    """See `Source`. Used by several threads.

    Args:
        server: the ngshare.
        account: is told what is odd.
        is_there: whether there may be something in the place of a tree already: then it is asked for checksums first.
        dry_run: ask for no content.
    """

    def __init__(
        self, server: Server, account: Account, is_there: Callable[[Manifest], bool], dry_run: bool = False
    ) -> None:
        self._server = server
        self._account = account
        self._is_there = is_there
        self._dry_run = dry_run

    def courses(self) -> list[Row]:
        try:
            return [Row(0, course) for course in _texts(self._server.get("courses"), "courses")]
        except Refused as refusal:
            raise NotNgshare(
                f"{self._server.url} refuses ({refusal}): is that the token of one of its admins?"
            ) from None

    def people(self, role: str, course: str) -> Mapping[str | None, Person]:
        found = {}
        for entry in _entries(self._asked(f"{role}s", course), f"{role}s"):
            names = [_text_or_none(entry.get(key)) for key in ("first_name", "last_name", "email")]
            found[_text_or_none(entry.get("username"))] = Person(names[0], names[1], names[2])
        return found

    def assignments(self, course: Row) -> list[Released]:
        name = course.name or ""
        found = []
        for assignment in _texts(self._asked("assignments", name), "assignments"):
            described = Manifest(RELEASE, name, assignment, IMPORTED_BY, Timestamp(""), ())
            files = self._files(described, "assignment", name, assignment)
            first = min((row.timestamp or "" for row in self.submissions(name, Row(0, assignment))), default=None)
            found.append(Released(Row(0, assignment), files, moments.of_release((), moments.read(first))))
        return found

    def submissions(self, course: str, assignment: Row) -> list[SubmissionRow]:
        answer = self._asked("submissions", course, assignment.name or "")
        rows = [
            SubmissionRow(0, _text_or_none(entry.get("timestamp")), _text_or_none(entry.get("student_id")))
            for entry in _entries(answer, "submissions")
        ]
        return sorted(rows, key=lambda row: (row.timestamp or "", row.student or ""))

    def work(
        self, course: str, assignment: str, student: str, moment: Timestamp, row: SubmissionRow
    ) -> Iterator[ForeignTree]:
        where = (course, assignment, student)
        # ngshare compares it with what its database has, character by character.
        at = {"timestamp": moments.without_zone(moment)}
        described = Manifest(SUBMISSION, course, assignment, student, moment, (), student=student)
        try:
            yield tree_of(self._account, described, self._files(described, "submission", *where, **at))
            given = timestamp_of(moments.of_feedback((), moment))
            described = Manifest(
                FEEDBACK, course, assignment, IMPORTED_BY, given, (), student=student, submission=moment
            )
            feedback = self._files(described, "feedback", *where, **at)
            if feedback:
                yield tree_of(self._account, described, feedback)
        except Refused as refusal:
            advice = ""
            if refusal.status == NOT_FOUND and refusal.message == "Student not found":
                advice = ": who has left the course can be imported from ngshare's database alone"
            self._account.count(course, described.kind, left_out=1)
            message = f"the server does not give the {described.kind} ({refusal}){advice}"
            self._account.report("not-given", (*where, moment), message)

    def check_complete(self, courses: Collection[str]) -> None:
        """Look whether all that the server lists by now is on the volume, or was reported."""
        reported = {problem.place for problem in self._account.problems}
        for course in courses:
            for assignment in _texts(self._asked("assignments", course), "assignments"):
                for row in self.submissions(course, Row(0, assignment)):
                    student, moment = row.student or "", moments.timestamp_in(row.timestamp) or Timestamp("")
                    place = (course, assignment, student, moment)
                    described = Manifest(SUBMISSION, course, assignment, student, moment, (), student=student)
                    if " / ".join(place) not in reported and not self._is_there(described):
                        message = "was handed in, and is not here; where that was meanwhile, run this again"
                        self._account.report("submission-missing", place, message)

    def _files(self, described: Manifest, *path: str, **arguments: str) -> list[ForeignFile]:
        """The files of a tree; their content is fetched with them, or once somebody opens one."""
        content = _Content(lambda: self._server.get(*path, **arguments))
        answer = None
        if not self._dry_run and not self._is_there(described):
            try:
                answer = content.fetch()
            except Refused as refusal:
                # ngshare fails where one of the files is missing on its disk; it can still list them.
                if refusal.status < FAILURE:
                    raise
        if answer is None:
            answer = self._server.get(*path, **arguments, list_only="true")
        return [
            ForeignFile(
                _text_or_none(entry.get("path")) or "",
                None if self._dry_run else content.opener(place),
                _text_or_none(entry.get("checksum")),
            )
            for place, entry in enumerate(_entries(answer, "files"))
        ]

    def _asked(self, *path: str) -> dict[str, Any]:
        """What only a wrong token, or a change meanwhile, can be refused for."""
        try:
            return self._server.get(*path)
        except Refused as refusal:
            what = " / ".join(path)
            if refusal.status == FORBIDDEN:
                raise NotNgshare(f"{self._server.url} refuses {what}: this needs the token of an admin") from None
            raise NotNgshare(f"{self._server.url} does not give {what}: {refusal}") from None


class _Content:
    """What is in the files of a tree, in the order in which the server lists them; fetched once.

    Args:
        ask: for the tree with its content.
    """

    def __init__(self, ask: Callable[[], dict[str, Any]]) -> None:
        self._ask = ask
        self._answer: dict[str, Any] | None = None

    def fetch(self) -> dict[str, Any]:
        """The server's answer."""
        if self._answer is None:
            self._answer = self._ask()
        return self._answer

    def opener(self, place: int) -> Callable[[], BinaryIO]:
        """What opens one of the files."""

        def opened() -> BinaryIO:
            try:
                content = _entries(self.fetch(), "files")[place].get("content")
                return io.BytesIO(base64.b64decode(content if isinstance(content, str) else ""))
            except Refused as refusal:
                raise OSError(f"the server does not give it ({refusal})") from None
            except (binascii.Error, IndexError):
                raise OSError("the server sends no content") from None

        return opened


def _entries(answer: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = answer.get(key)
    if not isinstance(found, list):
        raise NotNgshare(f"what answers there is no ngshare: its answer has no list of {key}")
    return [entry for entry in found if isinstance(entry, dict)]


def _texts(answer: dict[str, Any], key: str) -> list[str]:
    found = answer.get(key)
    if not isinstance(found, list):
        raise NotNgshare(f"what answers there is no ngshare: its answer has no list of {key}")
    return [text for text in found if isinstance(text, str)]


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None
