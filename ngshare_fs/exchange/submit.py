"""`nbgrader submit`: hand in, and keep the receipt."""

import glob
import json
import os
import secrets
from typing import Any

from nbgrader.exchange import abc
from nbgrader.utils import find_all_notebooks
from rapidfuzz import fuzz
from traitlets import Bool

from ngshare_fs.exchange.base import Exchange
from ngshare_fs.exchange.problems import Refused, ServerProblem, Unreachable, UntrustworthyAnswer
from ngshare_fs.exchange.receiving import beside, check_timestamp
from ngshare_fs.exchange.sending import LocalFile, files_in
from ngshare_fs.exchange.submission_cache import RECEIPT, TIMESTAMP, Pending, SubmissionCache, checksums_of

# Files of a receipt that are printed; the whole receipt is in the cache.
MOST_LINES = 20


class ExchangeSubmit(Exchange, abc.ExchangeSubmit):
    """Submits what is in the assignment's folder."""

    add_random_string = Bool(
        True, help="Of nbgrader's own exchange. Not used: nobody else can see a submission on the server."
    ).tag(config=True)

    def init_src(self) -> None:
        """Find the work."""
        folder = self.assignment_folder(self.coursedir.course_id, self.coursedir.assignment_id)
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
        self._compare_notebooks()
        cache = SubmissionCache(self.cache)
        with beside(cache.folder_of_course(self.course)) as folder:
            tree = os.path.join(folder, "tree")
            self.copy_wanted(self.src_path, tree)
            files = files_in(tree)
            checksums = checksums_of(files)
            pending = Pending(self.cache, self._what(), checksums)
            receipt = self._send(files, pending)
            try:
                self.timestamp = check_timestamp(receipt.get("timestamp"))
                stored = _checked(receipt, checksums)
            except ServerProblem:
                pending.over()  # with the same key, the same would come again
                raise
            student = str(receipt.get("student_id") or self.student or self.api.user)
            with open(os.path.join(tree, TIMESTAMP), "w", encoding="utf-8") as file:
                file.write(self.timestamp)
            with open(os.path.join(tree, RECEIPT), "w", encoding="utf-8") as file:
                kept = {
                    "course": self.course,
                    "assignment": self.assignment,
                    "student": student,
                    "timestamp": self.timestamp,
                    "server": self.api.url,
                    "confirmed_by_server": "files" in receipt,
                    "files": stored,
                }
                json.dump(kept, file, indent=1, ensure_ascii=False)
            target = cache.folder(self.course, student, self.assignment, self.timestamp)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if not os.path.exists(target):  # a repetition may have left it there
                os.rename(tree, target)
            pending.over()
        self._print(stored, target, "files" in receipt)

    def _what(self) -> tuple[str, ...]:
        return self.api.url, self.api.user, self.course, self.assignment, self.student or ""

    def _send(self, files: list[LocalFile], pending: Pending) -> dict[str, Any]:
        key = pending.key(secrets.token_hex(16))
        try:
            receipt = self.api.submit(self.course, self.assignment, files, key, self.student)
        except Unreachable as problem:
            raise ServerProblem(
                f"{problem} It is not known whether your work was handed in: submit again. The same files are never "
                "handed in twice by that."
            ) from None
        except ServerProblem as problem:
            if not (isinstance(problem, Refused) and problem.status >= 500):
                pending.over()  # otherwise an earlier attempt of this call may have arrived
            raise ServerProblem(f"Your work was NOT handed in. {problem}") from None
        return receipt

    def _compare_notebooks(self) -> None:
        released = [
            file["path"]
            for file in self.api.notebooks(self.course, self.assignment)
            if os.path.splitext(file["path"])[1] == ".ipynb"
        ]
        submitted = find_all_notebooks(self.src_path)
        missing = [path for path in released if path not in submitted]
        extra = [path for path in submitted if path not in released]
        if not missing and not extra:
            return
        lines = [
            "Expected:",
            *(f"\t{path}: {'MISSING' if path in missing else 'FOUND'}" for path in sorted(released)),
            "Submitted:",
            *(f"\t{path}: {'EXTRA' if path in extra else 'OK'}" for path in submitted),
        ]
        difference = "\n".join(lines)
        if missing and self.strict:
            self.fail(
                f"Assignment {self.assignment} not submitted. "
                f"There are missing notebooks for the submission:\n{difference}"
            )
        self.log.warning(
            "Possible missing notebooks and/or extra notebooks submitted for assignment %s:\n%s",
            self.assignment,
            difference,
        )

    def _print(self, stored: list[dict[str, Any]], folder: str, confirmed: bool) -> None:
        self.log.info("Submitted as: %s %s %s", self.course, self.assignment, self.timestamp)
        said = "The server has stored" if confirmed else "This server gives no receipt; sent were"
        self.log.info("%s %d files:", said, len(stored))
        for file in stored[:MOST_LINES]:
            self.log.info("  %s  %10d  %s", file["checksum"], file["size"], file["path"])
        if len(stored) > MOST_LINES:
            self.log.info("  and %d more", len(stored) - MOST_LINES)
        self.log.info("Receipt: %s", os.path.join(folder, RECEIPT))


def _checked(receipt: dict[str, Any], sent: dict[str, str]) -> list[dict[str, Any]]:
    """The files of a receipt, which have to be those that were sent."""
    if "files" not in receipt:
        return [{"path": path, "size": 0, "checksum": checksum} for path, checksum in sent.items()]
    try:
        stored = [
            {"path": str(file["path"]), "size": int(file["size"]), "checksum": str(file["checksum"])}
            for file in receipt["files"]
        ]
    except (KeyError, TypeError, ValueError):
        stored = []
    if {file["path"]: file["checksum"] for file in stored} != sent:
        raise UntrustworthyAnswer(
            "The server has not stored what was sent. Submit again; if it goes on, tell your instructor."
        )
    return stored
