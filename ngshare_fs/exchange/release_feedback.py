"""`nbgrader release_feedback`: return feedback to the students."""

import glob
import os
import re

from nbgrader.exchange import abc

from ngshare_fs.exchange.base import Exchange
from ngshare_fs.exchange.failures.problems import ServerProblem, Unreachable, UntrustworthyAnswer
from ngshare_fs.exchange.folders.moving import kind_of
from ngshare_fs.exchange.folders.replacing import in_words
from ngshare_fs.exchange.folders.submission_cache import TIMESTAMP
from ngshare_fs.exchange.receiving.received_tree import check_timestamp
from ngshare_fs.exchange.sending.request_body import LocalFile


class ExchangeReleaseFeedback(Exchange, abc.ExchangeReleaseFeedback):
    """Returns the generated pages; what fails for one student does not keep the others from theirs."""

    def init_src(self) -> None:
        """Find the feedback."""
        directory = self.coursedir
        assert self.course
        pattern = directory.format_path(directory.feedback_directory, directory.student_id or "*", self.assignment)
        self.src_path = pattern
        expression = re.escape(os.path.sep).join(
            [
                directory.format_path(directory.feedback_directory, "(?P<student>.*)", self.assignment, escape=True),
                "",
            ]
        )
        excluded = set((directory.student_id_exclude or "").split(","))
        self.folders: dict[str, str] = {}
        for folder in sorted(glob.glob(pattern)):
            match = re.fullmatch(expression, os.path.join(folder, ""))
            if match is None:
                self.log.error("Could not match '%s' with regexp '%s'", folder, expression)
            elif match["student"] in excluded:
                self.log.debug("Skipping student '%s'", match["student"])
            else:
                self.folders[match["student"]] = folder

    def init_dest(self) -> None:
        """Nothing to prepare."""

    def copy_files(self) -> None:
        """Send each student's."""
        failures = []
        for student, folder in self.folders.items():
            try:
                self._give(student, folder)
            except Unreachable:
                raise
            except ServerProblem as problem:
                failures.append(f"{student}: {problem}")
            except OSError as error:
                failures.append(f"{student}: {in_words(error)}")
        if failures:
            self.fail(
                f"Feedback for {len(failures)} of {len(self.folders)} students was not released; the others have "
                "theirs:\n  " + "\n  ".join(failures)
            )
        if not self.folders:
            self.log.warning("No feedback found at: %s", self.src_path)

    def _give(self, student: str, folder: str) -> None:
        pages = []
        for page in sorted(glob.glob(os.path.join(glob.escape(folder), "*.html"))):
            if os.path.isfile(page):
                pages.append(page)
            else:
                self.log.warning("%s is %s: it is left out", page, kind_of(page))
        if not pages:
            return
        timestamp = _timestamp_of(folder)
        self.log.info(
            "Releasing feedback for student '%s' on assignment '%s/%s' (%s)",
            student,
            self.course,
            self.assignment,
            timestamp,
        )
        files = [LocalFile(os.path.basename(page), page, os.path.getsize(page)) for page in pages]
        self.api.give_feedback(self.course, self.assignment, student, timestamp, files)


def _timestamp_of(folder: str) -> str:
    place = os.path.join(folder, TIMESTAMP)
    try:
        if os.path.isfile(place):  # who opens a pipe waits for ever
            with open(place, encoding="utf-8") as file:
                return check_timestamp(file.read().strip())
    except (UnicodeDecodeError, UntrustworthyAnswer):
        raise ServerProblem(f"{place} has no time in it: generate the feedback again") from None
    raise ServerProblem(f"{folder} has no {TIMESTAMP}: generate the feedback again")
