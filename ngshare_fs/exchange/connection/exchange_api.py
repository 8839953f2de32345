"""The server's calls as the plug-ins use them."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ngshare_fs.exchange.connection import older_server
from ngshare_fs.exchange.connection.client import Client, TransientError
from ngshare_fs.exchange.connection.dates import Dates, dates_in
from ngshare_fs.exchange.connection.dates_api import DatesApi
from ngshare_fs.exchange.connection.listing import Listing, checksums_in, course_of, submissions_in
from ngshare_fs.exchange.failures.problems import (
    ASSIGNMENT_EXISTS,
    ASSIGNMENT_NOT_FOUND,
    SUBMISSION_NOT_FOUND,
    Refused,
    UntrustworthyAnswer,
    well_formed,
)
from ngshare_fs.exchange.receiving.received_tree import check_timestamp
from ngshare_fs.exchange.sending.request_body import Body, LocalFile

# A list is wanted at once or not at all: nbgrader's extensions wait for it, and all of JupyterLab with them.
LIST_PATIENCE = 10.0


class NewestRelease(NamedTuple):
    """The newest release of an assignment.

    Args:
        timestamp: when it was released; None where an older server does not say.
        files: checksums of its files by path.
        newest_submission: when the user handed in for the last time; None where they have not, or an older server does
            not say.
        dates: of the assignment, as they apply to the user; None where it has none.
    """

    timestamp: str | None
    files: dict[str, str]
    newest_submission: str | None
    dates: Dates | None


# Answers by what was asked. formgrader asks at every page, by a new object: what has not changed is not sent again.
_kept: dict[tuple[str, ...], dict[str, Any]] = {}


class ExchangeApi:
    """The calls.

    Args:
        client: makes them.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self.url = client.server.url
        self.user = client.server.user
        self.dates = DatesApi(client)

    def listing(self, course: str = "", everybody: bool = False, patience: float | None = LIST_PATIENCE) -> Listing:
        """Courses, assignments and submissions.

        Args:
            course: only this one.
            everybody: all submissions to the courses that the user teaches.
            patience: at most; None where it is no list that is wanted, but work that begins with it.
        """
        query = {"course": course} if course else {}
        if everybody:
            query["submissions"] = "all"
        server = self._client.server
        asked = (server.url, server.token, server.user, course, str(everybody))
        kept = _kept.get(asked, {})
        headers = {"If-None-Match": kept["etag"]} if "etag" in kept else None
        try:
            answer = self._client.call("GET", "listing", query=query, headers=headers, patience=patience)
        except Refused as refusal:
            if refusal.knows_no_such_call:
                return older_server.listing(self._client, self.user, course, everybody)
            raise
        answer = answer or kept
        with well_formed(self.url):
            listing = Listing(str(answer["user"]), tuple(course_of(each) for each in answer["courses"]))
        _kept[asked] = answer
        self.user = listing.user
        return listing

    def newest_release(self, course: str, assignment: str) -> NewestRelease:
        """The newest release, without its files' content.

        Args:
            course, assignment: of which.
        """
        answer = self._client.call("GET", "assignment", course, assignment, query={"list_only": "true"})
        with well_formed(self.url):
            moments = (answer.get(name) for name in ("timestamp", "newest_submission"))
            released, submitted = (None if moment is None else check_timestamp(moment) for moment in moments)
            return NewestRelease(released, checksums_in(answer), submitted, dates_in(answer))

    def fetch(self, course: str, assignment: str, folder: str) -> dict[str, Any]:
        """A release with its files, whose contents go to a folder.

        Args:
            course, assignment: of which.
            folder: emptied first.
        """
        return self._client.tree("assignment", course, assignment, folder=folder)

    def release(
        self, course: str, assignment: str, files: Sequence[LocalFile], checksums: dict[str, str], date: str = ""
    ) -> None:
        """Release a new assignment.

        Args:
            course, assignment: which it will be.
            files: what is released.
            checksums: of the files by path.
            date: from when on students see it; at once where it is empty.

        Raises:
            Refused: also where the assignment was released before.
        """
        try:
            self._client.call("POST", "assignment", course, assignment, body=Body(_release_date(date), files))
        except Refused as refusal:
            # Nobody knows which answer was lost on the way: what is there may be ours.
            may_be_ours = refusal.says(ASSIGNMENT_EXISTS) and self._client.repeated
            if not may_be_ours or self.newest_release(course, assignment).files != checksums:
                raise

    def release_again(self, course: str, assignment: str, files: Sequence[LocalFile], date: str = "") -> None:
        """Make a new release; submissions stay.

        Args:
            course, assignment: of which.
            files: what is released.
            date: see `release`; the one before stays where it is empty.

        Raises:
            ServerProblem: also where an older server could only delete them all first.
        """
        try:
            self._client.call("PUT", "assignment", course, assignment, body=Body(_release_date(date), files))
        except Refused as refusal:
            if refusal.status == 405:
                raise older_server.no_new_release(course, assignment) from None
            raise

    def withdraw(self, course: str, assignment: str) -> None:
        """Take a release back; what was handed in stays.

        Args:
            course, assignment: of which.

        Raises:
            Refused: also where an older server cannot (`knows_no_such_call`).
        """
        self._client.call("PUT", "assignment", course, assignment, "withdrawn")

    def unrelease(self, course: str, assignment: str) -> None:
        """Take an assignment back, with what was handed in.

        Args:
            course, assignment: which one.
        """
        try:
            self._client.call("DELETE", "assignment", course, assignment)
        except Refused as refusal:
            if not (refusal.says(ASSIGNMENT_NOT_FOUND) and self._client.repeated):
                raise

    def submit(
        self, course: str, assignment: str, files: Sequence[LocalFile], key: str, student: str | None, after: str = ""
    ) -> dict[str, Any]:
        """Hand in.

        Args:
            course, assignment: to which.
            files: the work.
            key: chosen at random: a repetition with the same key is the same submission.
            student: for whom, where it is not for oneself.
            after: see `Attempt`.

        Returns:
            the receipt: `timestamp`, and from our server `student_id` and `files`, `due` and `late_seconds`.

        Raises:
            UntrustworthyAnswer: the server took it for somebody else's work.
        """
        optional = {"after": after or None, "student": student}
        fields = {"key": key, **{name: value for name, value in optional.items() if value is not None}}
        receipt = self._client.call("POST", "submission", course, assignment, body=Body(fields, files))
        server = self._client.server
        expected = student if student is not None else server.user if server.user_is_certain else None
        stored_for = receipt.get("student_id", expected)
        if expected is not None and stored_for != expected:
            # A proxy may mix up connections, and with them tokens.
            raise UntrustworthyAnswer(
                f"The exchange took it for the work of {stored_for}, not of {expected}. Submit again, look whether "
                "`nbgrader list --cached` shows it, and tell your administrator at once."
            )
        return receipt

    def submissions(self, course: str, assignment: str, student: str | None = None) -> list[tuple[str, str]]:
        """Students and timestamps of submissions, oldest first.

        Args:
            course, assignment: to which.
            student: whose; None for everybody's.
        """
        path = ["submissions", course, assignment] + ([] if student is None else [student])
        answer = self._client.call("GET", *path)
        with well_formed(self.url):
            return submissions_in(answer)

    def submission(self, course: str, assignment: str, student: str, timestamp: str, folder: str) -> dict[str, Any]:
        """A submission with its files, whose contents go to a folder.

        Args:
            course, assignment, student: whose, and to what.
            timestamp: of it; the newest where empty.
            folder: emptied first.
        """
        return self._client.tree("submission", course, assignment, student, query=_at(timestamp), folder=folder)

    def one_submission(self, course: str, assignment: str, student: str, timestamp: str, folder: str) -> dict[str, Any]:
        """Download a submission, which need not be the newest; the answer is as of `collect`.

        Args:
            course, assignment, student, timestamp: which one.
            folder: for the contents of its files; it is emptied first.
        """
        try:
            answer = self.submission(course, assignment, student, timestamp, folder)
        except Refused as refusal:
            answer = {"success": False, "message": refusal.message}
        return {**answer, "student_id": student}

    def paths_of_submission(self, course: str, assignment: str, student: str, timestamp: str) -> list[str]:
        """What files a submission has.

        Args:
            course, assignment, student: whose, and to what.
            timestamp: of it; the newest where empty.
        """
        query = {**_at(timestamp), "list_only": "true"}
        answer = self._client.call("GET", "submission", course, assignment, student, query=query)
        with well_formed(self.url):
            return [str(file["path"]) for file in answer["files"]]

    def remove_submission(self, course: str, assignment: str, student: str, timestamp: str) -> None:
        """Take a submission away, as an instructor.

        Args:
            course, assignment, student, timestamp: which one.

        Raises:
            ServerProblem: also where an older server cannot.
        """
        query = {"timestamp": timestamp}
        try:
            self._client.call("DELETE", "submission", course, assignment, student, query=query)
        except Refused as refusal:
            if refusal.status == 405:
                raise older_server.no_removal_of_submissions() from None
            if not (refusal.says(SUBMISSION_NOT_FOUND) and self._client.repeated):
                raise

    def collect(
        self, course: str, assignment: str, chosen: dict[str, str], before: str | None, folder: str
    ) -> Iterator[dict[str, Any]]:
        """Download submissions, in one request while nothing goes wrong; what came is not asked for again.

        Args:
            course, assignment: to which.
            chosen: timestamps by student.
            before: the rule by which they were chosen: a timestamp, or `due` for the due date of each student.
            folder: for the contents of one submission; it is emptied before the next.

        Returns:
            answers as of `GET submission`, with `student_id`; one with `success` false where the server cannot read it.
        """
        remaining = dict(chosen)
        came: list[str] = []
        lines: Iterator[dict[str, Any]] | None = None

        def next_line() -> dict[str, Any] | None:
            nonlocal lines
            has_begun = lines is not None
            try:
                if lines is None:
                    fields = {"students": json.dumps(sorted(remaining))}
                    if before is not None:
                        fields["before"] = before
                    lines = self._client.lines("collection", course, assignment, body=Body(fields), folder=folder)
                return next(lines, None)
            except TransientError as failure:
                lines = None
                failure.made_progress = failure.made_progress or (has_begun and bool(came))
                came.clear()
                raise

        try:
            while remaining:
                line = self._client.retrying(next_line)
                if line is None or "submissions" in line:
                    break
                student = str(line["student_id"])
                came.append(student)
                remaining.pop(student, None)
                yield line
        except Refused as refusal:
            if not refusal.knows_no_such_call:
                raise
            for student, timestamp in remaining.items():
                yield self.one_submission(course, assignment, student, timestamp, folder)

    def give_feedback(
        self, course: str, assignment: str, student: str, timestamp: str, files: Sequence[LocalFile]
    ) -> None:
        """Give feedback on a submission.

        Args:
            course, assignment, student, timestamp: on which.
            files: the feedback.
        """
        body = Body({"timestamp": timestamp}, files)
        self._client.call("POST", "feedback", course, assignment, student, body=body)

    def feedback(self, course: str, assignment: str, student: str, timestamp: str, folder: str) -> dict[str, Any]:
        """The feedback on a submission, whose contents go to a folder; no files until there is some.

        Args:
            course, assignment, student, timestamp: on which.
            folder: emptied first.
        """
        query = {"timestamp": timestamp}
        return self._client.tree("feedback", course, assignment, student, query=query, folder=folder)

    def instructors(self, course: str) -> set[str]:
        """The user names of a course's instructors."""
        answer = self._client.call("GET", "instructors", course)
        with well_formed(self.url):
            return {str(each["username"]) for each in answer["instructors"]}

    def graders(self, course: str) -> set[str]:
        """The user names of a course's graders; none on an older server."""
        try:
            answer = self._client.call("GET", "graders", course)
        except Refused as refusal:
            if refusal.knows_no_such_call:
                return set()
            raise
        with well_formed(self.url):
            return {str(each["username"]) for each in answer["graders"]}

    def roster(self, course: str) -> dict[str, dict[str, str]]:
        """What the roster says of each student: `first_name`, `last_name` and `email`, where they are not empty."""
        answer = self._client.call("GET", "students", course, patience=LIST_PATIENCE)
        names = ("first_name", "last_name", "email")
        with well_formed(self.url):
            return {
                str(each["username"]): {name: str(each[name]) for name in names if each.get(name)}
                for each in answer["students"]
            }


def _release_date(date: str) -> dict[str, str]:
    return {"release": date} if date else {}


def _at(timestamp: str) -> dict[str, str]:
    """The argument for a submission of that time."""
    return {"timestamp": older_server.without_zone(timestamp)} if timestamp else {}
