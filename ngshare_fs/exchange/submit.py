"""`nbgrader submit`: hand in, and keep the receipt."""

import glob
import logging
import os
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NoReturn

from nbgrader.exchange import abc
from rapidfuzz import fuzz
from traitlets import Bool

from ngshare_fs.exchange.base import Exchange
from ngshare_fs.exchange.connection.dates import CLOSED, LATE, UTC, Dates, lateness_in, span
from ngshare_fs.exchange.connection.exchange_api import NewestRelease
from ngshare_fs.exchange.failures.problems import (
    BROKEN,
    MORE_TIME,
    Refused,
    ServerProblem,
    Unreachable,
    UntrustworthyAnswer,
)
from ngshare_fs.exchange.folders.origin import read_origin
from ngshare_fs.exchange.folders.replacing import scratch_folder_near
from ngshare_fs.exchange.folders.submission_cache import Attempt, Pending, Receipt, SubmissionCache
from ngshare_fs.exchange.jupyter.inside_jupyter import is_inside
from ngshare_fs.exchange.receiving.received_tree import check_timestamp
from ngshare_fs.exchange.sending.completeness import Completeness
from ngshare_fs.exchange.sending.fetched_from import (
    NEWER_RELEASE,
    assignment_of,
    check_course,
    expected_notebooks,
    is_newer,
)
from ngshare_fs.exchange.sending.request_body import LocalFile
from ngshare_fs.exchange.sending.snapshot import Found, check_size, take_snapshot
from ngshare_fs.formats.file_names import notebooks
from ngshare_fs.formats.one_line import in_one_line
from ngshare_fs.formats.released_names import ReleasedNames, look_alike, twins
from ngshare_fs.terminal.confirmation import NotConfirmed, confirm

# Files of a receipt that are printed; the whole receipt is in the cache.
MOST_LINES = 20
# What is known of a release that cannot be read.
_UNKNOWN = NewestRelease(None, {}, None, None)


class ExchangeSubmit(Exchange, abc.ExchangeSubmit):
    """Submits what is in the assignment's folder."""

    add_random_string = Bool(
        True, help="Of nbgrader's own exchange. Not used: nobody else can see a submission on the server."
    ).tag(config=True)

    ignore_origin = Bool(
        False,
        help="Whether to hand in a folder that was fetched from another course, or as another assignment.",
    ).tag(config=True)

    confirm_late = Bool(
        False,
        help="Whether to ask before work is handed in late; where nobody can be asked, it is not handed in.",
    ).tag(config=True)

    _may_have_arrived = False

    def fail(self, msg: str) -> NoReturn:
        """Stop; as long as nothing has been handed in, say so, whatever else the reason is.

        Raises:
            ExchangeError: always.
        """
        super().fail(msg if self._may_have_arrived else f"Your work was NOT handed in. {msg}")
        raise AssertionError  # nbgrader's has raised

    def init_src(self) -> None:
        """Find the work."""
        folder = self.assignment_folder(self.coursedir.course_id, self.assignment)
        self.src_path = os.path.abspath(folder)
        self.coursedir.assignment_id = os.path.basename(self.src_path)
        if not os.path.isdir(self.src_path):
            others = glob.glob(os.path.join(glob.escape(os.path.dirname(self.src_path)), "*"))
            if others:
                self.log.error("Did you mean: %s", max(others, key=lambda path: fuzz.ratio(self.src_path, path)))
            self.fail(f"Assignment not found at: {self.src_path}")

    def init_dest(self) -> None:
        """Find out for whom it is."""
        self.check_access()
        student = self.coursedir.student_id
        if student != "*" and ("*" in student or "+" in student):
            self.fail(f"The student ID should contain no '*' nor '+'; got {student}")
        self.student = None if student == "*" else student

    def copy_files(self) -> None:
        """Send a snapshot of the work; what is in the cache afterwards is what was sent."""
        self.log.info("Source: %s", self.src_path)
        self.log.info("Destination: %s", self.api.url)
        origin = None if self.ignore_origin else read_origin(self.src_path)
        if origin is not None:
            self.coursedir.assignment_id = assignment_of(origin, self.assignment)
        newest = self._newest_release()
        if origin is not None:
            check_course(origin, self.course)
            if newest is not _UNKNOWN and is_newer(origin, newest.timestamp, newest.files, self.coursedir.ignore):
                self.log.warning("%s", NEWER_RELEASE.format(assignment=self.assignment))
        work = self._work(newest.files, expected_notebooks(origin, newest.files, self.coursedir.ignore))
        cache = SubmissionCache(self.cache)
        with scratch_folder_near(cache.folder_of_course(self.course)) as folder:
            tree = os.path.join(folder, "tree")
            files = take_snapshot(work, tree)
            check_size(files, self.rules())
            checksums = {file.path: file.md5 for file in files}
            pending = Pending(self.cache, self._what(), checksums)
            if newest.dates is not None and not pending.may_have_arrived:
                self._check_dates(newest.dates)
            answer = self._send(files, pending, newest.newest_submission)
            try:
                self.timestamp = check_timestamp(answer.get("timestamp"))
                stored = _checked(answer, files)
            except ServerProblem:
                pending.over()  # with the same key, the same would come again
                raise
            student = str(answer.get("student_id") or self.student or self.api.user)
            confirmed = "files" in answer
            late = lateness_in(answer)
            receipt = Receipt(
                self.course,
                self.assignment,
                student,
                self.timestamp,
                self.api.url,
                confirmed,
                stored,
                None if late is None else answer["due"],
                None if late is None else late.late_seconds,
            )
            self._print(receipt)
            if late is not None:
                said = late.in_words(newest.dates.zone if newest.dates is not None else UTC)
                self.log.log(logging.WARNING if late.late_seconds else logging.INFO, "%s", said)
            try:
                self.log.info("Receipt: %s", cache.keep(tree, receipt))
            except OSError as error:  # what was handed in is handed in
                self.log.warning(
                    "Your work was handed in, but your copy of it and the receipt could not be kept in %s: %s",
                    self.cache,
                    error.strerror,
                )
            pending.over()

    def _newest_release(self) -> NewestRelease:
        try:
            return self.api.newest_release(self.course, self.assignment)
        except Refused as refusal:
            if not refusal.message.startswith(BROKEN):
                raise
        self.log.warning(
            "The exchange cannot read its data of this assignment: what you hand in is not compared with the release. "
            "Tell your instructor."
        )
        return _UNKNOWN

    def _check_dates(self, dates: Dates) -> None:
        """Stop before anything is sent that would be refused, or that would be late without being meant to.

        Raises:
            ExchangeError: it is not handed in.
        """
        now = datetime.now(timezone.utc)
        if dates.state == CLOSED and dates.close is not None and not self._teaches():
            since = span(max(0.0, (now - dates.close).total_seconds()))
            self.fail(f"{self.assignment} closed at {dates.written(dates.close)}, {since} ago. {MORE_TIME}")
        # For whom an instructor hands in, other dates may count.
        if dates.state == LATE and dates.due is not None and self.student is None:
            since = span(max(0.0, (now - dates.due).total_seconds()))
            question = (
                f"{self.assignment} was due at {dates.written(dates.due)}, {since} ago. What you hand in now is late. "
                "Hand it in?"
            )
            option = "--ExchangeSubmit.confirm_late=False"
            try:
                confirm(question, not self.confirm_late, option, may_ask=not is_inside())
            except NotConfirmed as refusal:
                self.fail(str(refusal))

    def _teaches(self) -> bool:
        """Whether the server may accept work that comes after the end; where that is not known, it decides."""
        try:
            courses = self.api.listing(self.course).courses
        except ServerProblem:
            return True
        return not any(course.name == self.course and course.is_taken for course in courses)

    def _work(self, released: Mapping[str, str], expected: Sequence[str]) -> list[Found]:
        """What is to be handed in, under the names under which it was released.

        Args:
            released: checksums of the newest release's files by path.
            expected: those of its notebooks that the student can have.

        Raises:
            ExchangeError: something of the release would be missing without the student's knowing.
        """
        contents = self.contents_of(self.src_path)
        names = ReleasedNames(released)
        alike = [pair for pair in twins(file.path for file in contents.files) if not names.both_released(pair)]
        if alike:
            self.fail(look_alike(alike))
        work = [file._replace(path=names.of(file.path)) for file in contents.files]
        left_out = [each._replace(path=names.of(each.path)) for each in contents.left_out]
        complete = Completeness(expected, notebooks(file.path for file in work), left_out)
        if complete.lost:
            self.fail(
                f"{self.assignment} would lack what is left out of it:\n  "
                + "\n  ".join(map(str, complete.lost))
                + "\nMake them ordinary files that are small enough, or ask your instructor."
            )
        if not work:
            what = "; ".join(map(str, left_out[:MOST_LINES])) or "it is empty"
            self.fail(
                f"There is no work in {self.src_path} ({what}). If the assignment's files are not there, "
                "`nbgrader fetch_assignment --replace` brings them."
            )
        if complete.missing and self.strict:
            self.fail(
                f"Assignment {self.assignment} not submitted. "
                f"There are missing notebooks for the submission:\n{complete}"
            )
        if complete.missing or complete.extra:
            self.log.warning(
                "Possible missing notebooks and/or extra notebooks submitted for assignment %s:\n%s",
                self.assignment,
                complete,
            )
        return work

    def _what(self) -> tuple[str, ...]:
        return self.api.url, self.api.user, self.course, self.assignment, self.student or ""

    def _send(self, files: list[LocalFile], pending: Pending, own_newest: str | None) -> dict[str, Any]:
        # Somebody else's newest submission is not known here.
        after = own_newest if self.student is None else None
        fresh = Attempt(secrets.token_hex(16), after or "")
        attempt = pending.attempt(fresh)
        self._may_have_arrived = True
        try:
            receipt = self.api.submit(self.course, self.assignment, files, attempt.key, self.student, attempt.after)
            if attempt != fresh and str(receipt.get("timestamp")) < fresh.after:
                # It had arrived, but other work was handed in after it, elsewhere: what is here is to count again.
                pending.over()
                attempt = pending.attempt(fresh)
                receipt = self.api.submit(self.course, self.assignment, files, attempt.key, self.student, attempt.after)
        except Unreachable as problem:
            raise ServerProblem(
                f"{problem} It is not known whether your work was handed in: submit again. The same files are never "
                "handed in twice by that."
            ) from None
        except ServerProblem as problem:
            if not (isinstance(problem, Refused) and problem.status >= 500):
                pending.over()  # otherwise an earlier attempt of this call may have arrived
            self._may_have_arrived = False
            raise
        return receipt

    def _print(self, receipt: Receipt) -> None:
        self.log.info("Submitted as: %s %s %s", receipt.course, receipt.assignment, receipt.timestamp)
        said = "The server has stored" if receipt.confirmed_by_server else "This server gives no receipt; sent were"
        self.log.info("%s %d files:", said, len(receipt.files))
        for file in receipt.files[:MOST_LINES]:
            self.log.info("  %s  %10d  %s", file["checksum"], file["size"], in_one_line(file["path"]))
        if len(receipt.files) > MOST_LINES:
            self.log.info("  and %d more", len(receipt.files) - MOST_LINES)


def _checked(receipt: dict[str, Any], sent: Sequence[LocalFile]) -> list[dict[str, Any]]:
    """The files of a receipt, which have to be those that were sent."""
    if "files" not in receipt:
        return [{"path": file.path, "size": file.size, "checksum": file.md5} for file in sent]
    try:
        stored = [
            {"path": str(file["path"]), "size": int(file["size"]), "checksum": str(file["checksum"])}
            for file in receipt["files"]
        ]
    except (KeyError, TypeError, ValueError):
        stored = []
    if {file["path"]: file["checksum"] for file in stored} != {file.path: file.md5 for file in sent}:
        raise UntrustworthyAnswer(
            "The server has not stored what was sent. Submit again; if it goes on, tell your instructor."
        )
    return stored
