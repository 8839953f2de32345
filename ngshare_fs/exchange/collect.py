"""`nbgrader collect`: get what was handed in."""

import fnmatch
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.exchange import abc
from nbgrader.utils import parse_utc

from ngshare_fs.exchange.base import DISK_IS_FULL, Exchange
from ngshare_fs.exchange.problems import ServerProblem
from ngshare_fs.exchange.receiving import (
    Received,
    aside,
    beside,
    check_component,
    check_timestamp,
    check_tree,
    is_ignored,
    sweep,
    write_tree,
)
from ngshare_fs.exchange.submission_cache import TIMESTAMP


class ExchangeCollect(Exchange, abc.ExchangeCollect):
    """Collects one submission of each student; an older copy gives way only to a whole new one."""

    def init_src(self) -> None:
        """Find out which submissions there are."""
        course, assignment = self.course, self.assignment
        check_component(assignment, "assignment")
        self.deadline = self._deadline() if self.before_duedate else None
        pattern = self.coursedir.student_id or "*"
        found: dict[str, list[str]] = {}
        for student, timestamp in self.api.submissions(course, assignment):  # oldest first
            if fnmatch.fnmatchcase(student, pattern):
                found.setdefault(student, []).append(timestamp)
        self.available = {student: self._one_of(timestamps) for student, timestamps in sorted(found.items())}

    def init_dest(self) -> None:
        """Nothing to prepare."""

    def copy_files(self) -> None:
        """Download what is wanted, and put each student's work in place when it is whole."""
        if not self.available:
            self.log.warning("No submissions of '%s' for course '%s' to collect", self.assignment, self.course)
            return
        self.log.info(
            "Processing %d submissions of '%s' for course '%s'", len(self.available), self.assignment, self.course
        )
        failures: list[str] = []
        wanted: dict[str, str] = {}
        for student, newest in self.available.items():
            try:
                check_component(student, "user name")
                if self._is_wanted(student, newest):
                    wanted[student] = newest
            except ServerProblem as problem:
                failures.append(f"{student}: {problem}")
        before = None if self.deadline is None else f"{self.deadline:%Y-%m-%d %H:%M:%S.%f} UTC"
        missing = dict(wanted)
        with beside(os.path.join(self.coursedir.root, "submitted")) as parts:
            for answer in self.api.collect(self.course, self.assignment, wanted, before, parts):
                sent = answer.get("student_id")
                if not isinstance(sent, str) or missing.pop(sent, None) is None:
                    continue  # not asked for
                try:
                    self._put_in_place(sent, answer)
                except ServerProblem as problem:
                    failures.append(f"{sent}: {problem}")
                except OSError as error:
                    if error.errno in DISK_IS_FULL:
                        raise
                    failures.append(f"{sent}: {error.filename}: {error.strerror}")
        failures += [f"{student}: the exchange did not send it" for student in missing]
        if failures:
            self.fail(
                f"{len(failures)} of {len(self.available)} submissions could not be collected; an older copy of them "
                "is as it was, the others are collected:\n  " + "\n  ".join(failures)
            )

    def _deadline(self) -> datetime | None:
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            try:
                deadline: datetime | None = gradebook.find_assignment(self.assignment).duedate
            except MissingEntry:
                return None
        return deadline

    def _one_of(self, timestamps: list[str]) -> str:
        """The one that counts, of one student's, oldest first."""
        if self.deadline is not None:
            in_time = [timestamp for timestamp in timestamps if parse_utc(timestamp) <= self.deadline]
            if in_time:
                return in_time[-1]
        return timestamps[-1]

    def _folder(self, student: str) -> str:
        path: str = self.coursedir.format_path(self.coursedir.submitted_directory, student, self.assignment)
        return path

    @staticmethod
    def _beside_timestamp(file: Received) -> Received:
        """A file under the name that it has here: a student's folder makes room for the file that holds the time."""
        start, slash, rest = file.path.partition("/")
        return replace(file, path=f"{TIMESTAMP}-folder/{rest}") if slash and start == TIMESTAMP else file

    def _is_wanted(self, student: str, timestamp: str) -> bool:
        folder = self._folder(student)
        with suppress(FileNotFoundError):
            sweep(os.path.dirname(folder))  # an earlier command may have been killed while it replaced the folder
        if not os.path.isdir(folder):
            self.log.info("Collecting submission: %s %s", student, self.assignment)
            return True
        existing = _timestamp_in(folder)
        new = parse_utc(timestamp)
        if (self.update and (existing is None or new > existing)) or (self.before_duedate and existing != new):
            self.log.info("Updating submission: %s %s", student, self.assignment)
            return True
        if self.update:
            self.log.info("No newer submission to collect: %s %s", student, self.assignment)
        else:
            self.log.info("Submission already exists, use --update to update: %s %s", student, self.assignment)
        return False

    def _put_in_place(self, student: str, answer: dict[str, Any]) -> None:
        if answer.get("success") is not True:
            raise ServerProblem(f"the exchange says: {answer.get('message')}")
        timestamp = check_timestamp(answer.get("timestamp"))
        files = list(self._wanted_of(check_tree(answer)))
        with aside(self._folder(student)) as place:
            write_tree(place.tree, files)
            with open(os.path.join(place.tree, TIMESTAMP), "w", encoding="utf-8") as file:
                file.write(timestamp)
            self.share(place.tree)

    def _wanted_of(self, files: Iterable[Received]) -> Iterable[Received]:
        directory = self.coursedir
        largest = 1000 * directory.max_file_size
        for file in map(self._beside_timestamp, files):
            name = file.path.rpartition("/")[2]
            if is_ignored(file.path, directory.ignore):
                continue
            if directory.include and not any(fnmatch.fnmatch(name, pattern) for pattern in directory.include):
                continue
            if file.size > largest:
                self.log.warning("File '%s' is too large (see CourseDirectory.max_file_size); ignored", file.path)
                continue
            yield file


def _timestamp_in(folder: str) -> datetime | None:
    """When an existing copy was handed in; None where that is not to be found out."""
    try:
        with open(os.path.join(folder, TIMESTAMP), encoding="utf-8") as file:
            found: datetime | None = parse_utc(file.read().strip())
    except (OSError, OverflowError, ValueError):
        return None
    return found
