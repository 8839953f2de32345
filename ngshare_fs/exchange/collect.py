"""`nbgrader collect`: get what was handed in."""

import fnmatch
import os
from collections.abc import Iterable
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

from nbgrader.exchange import abc
from nbgrader.utils import parse_utc
from traitlets import Bool

from ngshare_fs.exchange.base import DISK_IS_FULL, Exchange
from ngshare_fs.exchange.connection.dates import Deadlines
from ngshare_fs.exchange.connection.listing import NOTEBOOK
from ngshare_fs.exchange.dates_in_gradebook import bring_dates, due_in_gradebook
from ngshare_fs.exchange.failures.problems import Refused, ServerProblem, Unreachable
from ngshare_fs.exchange.folders.collected_copy import files_of, is_as_collected, timestamp_of
from ngshare_fs.exchange.folders.origin import ORIGIN
from ngshare_fs.exchange.folders.replacing import in_words, replacing_folder, scratch_folder_near, sweep
from ngshare_fs.exchange.folders.submission_cache import TIMESTAMP
from ngshare_fs.exchange.names_in_gradebook import bring_names
from ngshare_fs.exchange.receiving.received_tree import (
    Received,
    check_component,
    check_timestamp,
    check_tree,
    write_tree,
)
from ngshare_fs.formats.file_names import is_ignored

# Beside `submitted`, and never read by nbgrader: copies that somebody changed by hand before they were replaced.
REPLACED = "replaced"


class NoWork(Exception):
    """What came is empty, and is not to take the place of real work."""


class ExchangeCollect(Exchange, abc.ExchangeCollect):
    """Collects one submission of each student; an older copy gives way only to a whole new one."""

    include_instructors = Bool(
        False, help="Collect what instructors and graders have handed in, too, be it to try out the assignment."
    ).tag(config=True)

    def init_src(self) -> None:
        """Find out which submissions there are."""
        course, assignment = self.course, self.assignment
        check_component(assignment, "assignment")
        self.deadlines = self._deadlines()
        # The gradebook's own counts where the server has none.
        self.deadline = due_in_gradebook(self) if self.before_duedate and self.deadlines is None else None
        pattern = self.coursedir.student_id or "*"
        found: dict[str, list[str]] = {}
        for student, timestamp in self.api.submissions(course, assignment):  # oldest first
            if fnmatch.fnmatchcase(student, pattern):
                found.setdefault(student, []).append(timestamp)
        self._leave_out_instructors(found)
        # Of each student, those that count, newest last.
        self.candidates = {
            student: self._that_count(student, timestamps) for student, timestamps in sorted(found.items())
        }
        self.available = {student: timestamps[-1] for student, timestamps in self.candidates.items()}
        self.have_late_ones = {student for student in found if found[student][-1] != self.available[student]}

    def init_dest(self) -> None:
        """Nothing to prepare."""

    def copy_files(self) -> None:
        """Download what is wanted, and put each student's work in place when it is whole."""
        if not self.available:
            self.log.warning("No submissions of '%s' for course '%s' to collect", self.assignment, self.course)
            self._bring_dates([])
            return
        self.log.info(
            "Processing %d submissions of '%s' for course '%s'", len(self.available), self.assignment, self.course
        )
        self.not_collected: dict[str, str] = {}
        wanted: dict[str, str] = {}
        for student, newest in self.available.items():
            try:
                check_component(student, "user name")
                if self._is_wanted(student, newest):
                    wanted[student] = newest
            except ServerProblem as problem:
                self.not_collected[student] = str(problem)
        with scratch_folder_near(os.path.join(self.coursedir.root, "submitted")) as parts:
            self._collect(wanted, parts)
        here = [student for student in self.available if student not in self.not_collected]
        bring_names(self, here)
        self._bring_dates(here)
        if self.not_collected:
            self.fail(
                f"{len(self.not_collected)} of {len(self.available)} submissions could not be collected; an older copy "
                "of them is as it was, the others are collected:\n  "
                + "\n  ".join(f"{student}: {reason}" for student, reason in self.not_collected.items())
            )

    def _collect(self, wanted: dict[str, str], parts: str) -> None:
        before = None
        if self.before_duedate and self.deadlines is not None:
            before = "due"
        elif self.deadline is not None:
            before = f"{self.deadline:%Y-%m-%d %H:%M:%S.%f} UTC"
        missing = dict(wanted)
        empty = []
        for answer in self.api.collect(self.course, self.assignment, wanted, before, parts):
            sent = answer.get("student_id")
            if not isinstance(sent, str) or missing.pop(sent, None) is None:
                continue  # not asked for
            if not self._take(sent, answer, also_empty=not self._has_other_work(sent)):
                empty.append(sent)
        for student in missing:
            self.not_collected[student] = "the exchange did not send it, or nothing that can be understood"
        for student in empty:
            self._collect_older(student, parts)

    def _take(self, student: str, answer: dict[str, Any], also_empty: bool) -> bool:
        """Put a student's work in place.

        Args:
            also_empty: even where there is no work in it.

        Returns:
            False where there is none; whatever else goes wrong is a failure of this student's.
        """
        try:
            self._put_in_place(student, answer, also_empty)
        except NoWork:
            return False
        except ServerProblem as problem:
            self.not_collected[student] = str(problem)
        except OSError as error:
            if error.errno in DISK_IS_FULL:
                raise
            self.not_collected[student] = in_words(error)
        return True

    def _has_other_work(self, student: str) -> bool:
        is_one_of_many = len(self.candidates[student]) > 1 or student in self.have_late_ones
        return is_one_of_many or self._is_work_here(student)

    def _is_work_here(self, student: str) -> bool:
        return self._is_work(files_of(self._folder(student), self.coursedir.ignore))

    def _is_work(self, paths: Iterable[str]) -> bool:
        """Whether files are more than nothing: where notebooks were released, at least one is wanted."""
        wanted = [path for path in paths if not is_ignored(path, self.coursedir.ignore)]
        return any(path.endswith(NOTEBOOK) for path in wanted) if self._notebooks_were_released else bool(wanted)

    @cached_property
    def _notebooks_were_released(self) -> bool:
        try:
            released = self.api.newest_release(self.course, self.assignment).files
        except Refused:
            return True
        return any(path.endswith(NOTEBOOK) for path in released)

    def _collect_older(self, student: str, parts: str) -> None:
        """The newest submission is empty: the newest one that is not counts, or the copy that is here."""
        *older, newest = self.candidates[student]
        is_work_here = self._is_work_here(student)
        here = timestamp_of(self._folder(student)) if is_work_here else None
        in_time = " in time" if self._is_in_time(student, newest) else ""
        is_empty = f"{student}: the newest submission{in_time}, of {newest}, has no {self._what_it_lacks};"
        try:
            for timestamp in reversed(older):
                if here is not None and not self._is_newer(timestamp, here):
                    break
                if not self._is_work(self.api.paths_of_submission(self.course, self.assignment, student, timestamp)):
                    continue
                answer = self.api.one_submission(self.course, self.assignment, student, timestamp, parts)
                if self._take(student, answer, also_empty=False):
                    if student not in self.not_collected:
                        self.log.warning("%s that of %s is collected instead", is_empty, timestamp)
                    return
            if is_work_here:
                since = f", of {here:%Y-%m-%d %H:%M:%S.%f} UTC," if here is not None else ""
                self.log.warning("%s the copy that is here%s stays (%s)", is_empty, since, self._folder(student))
                return
            answer = self.api.one_submission(self.course, self.assignment, student, newest, parts)
        except Unreachable:
            raise
        except ServerProblem as problem:
            self.not_collected[student] = str(problem)
            return
        if self._take(student, answer, also_empty=True):
            late = "; there is a later one, which is late" if student in self.have_late_ones else ""
            self.log.warning("%s no older one has, either%s", is_empty, late)

    @property
    def _what_it_lacks(self) -> str:
        return "notebook" if self._notebooks_were_released else "files"

    def _is_newer(self, timestamp: str, existing: datetime | None) -> bool:
        """Whether a submission is to take the place of the copy that is here."""
        new = parse_utc(timestamp)
        wanted: bool = (self.update and (existing is None or new > existing)) or (
            self.before_duedate and existing != new
        )
        return wanted

    def _leave_out_instructors(self, found: dict[str, list[str]]) -> None:
        asked_for = self.coursedir.student_id or ""
        if self.include_instructors or not found or set(found) == {asked_for}:
            return
        try:
            not_students = self.api.instructors(self.course) | self.api.graders(self.course)
        except Refused as refusal:
            self.log.warning("It is not known who the instructors are: %s", refusal)
            return
        left_out = sorted(set(found) & not_students)
        for student in left_out:
            del found[student]
        if left_out:
            self.log.warning(
                "Left out, since they are instructors or graders: %s. To collect their submissions, too, name them by "
                "--student, or use --ExchangeCollect.include_instructors=True",
                ", ".join(left_out),
            )

    def _deadlines(self) -> Deadlines | None:
        try:
            return self.api.dates.deadlines(self.course, self.assignment)
        except Refused as refusal:
            if self.before_duedate or refusal.status == 404:
                raise
            said = "It is not known when %s is due; the gradebook stays as it is: %s"
            self.log.warning(said, self.assignment, refusal)
            return None

    def _is_in_time(self, student: str, timestamp: str) -> bool | None:
        """Whether work came before it was due; None where that does not matter, or nobody knows."""
        if not self.before_duedate:
            return None
        moment = parse_utc(timestamp).replace(tzinfo=timezone.utc)
        if self.deadlines is not None:
            return not self.deadlines.late_seconds(student, moment)
        return None if self.deadline is None else moment <= self.deadline

    def _that_count(self, student: str, timestamps: list[str]) -> list[str]:
        """Of one student's, oldest first."""
        return [timestamp for timestamp in timestamps if self._is_in_time(student, timestamp)] or timestamps

    def _bring_dates(self, students: Iterable[str]) -> None:
        if self.deadlines is None:
            return
        found = {student: timestamp_of(self._folder(student)) for student in students}
        here = {student: moment.replace(tzinfo=timezone.utc) for student, moment in found.items() if moment is not None}
        bring_dates(self, self.deadlines, here)

    def _folder(self, student: str) -> str:
        path: str = self.coursedir.format_path(self.coursedir.submitted_directory, student, self.assignment)
        return path

    @staticmethod
    def _beside_timestamp(files: Iterable[Received]) -> list[Received]:
        """Files under the names that they have here: a student's folder makes room for the file that holds the time."""
        there = list(files)
        taken = {file.path.partition("/")[0] for file in there}
        instead, number = f"{TIMESTAMP}-folder", 1
        while instead in taken:
            number += 1
            instead = f"{TIMESTAMP}-folder-{number}"
        inside = f"{TIMESTAMP}/"
        return [
            file._replace(path=f"{instead}/{file.path.removeprefix(inside)}") if file.path.startswith(inside) else file
            for file in there
        ]

    def _is_wanted(self, student: str, timestamp: str) -> bool:
        folder = self._folder(student)
        sweep(os.path.dirname(folder))  # an earlier command may have been killed while it replaced the folder
        if not os.path.isdir(folder):
            self.log.info("Collecting submission: %s %s", student, self.assignment)
            return True
        if self._is_newer(timestamp, timestamp_of(folder)):
            self.log.info("Updating submission: %s %s", student, self.assignment)
            return True
        if self.update:
            self.log.info("No newer submission to collect: %s %s", student, self.assignment)
        else:
            self.log.info("Submission already exists, use --update to update: %s %s", student, self.assignment)
        return False

    def _put_in_place(self, student: str, answer: dict[str, Any], also_empty: bool) -> None:
        if answer.get("success") is not True:
            raise ServerProblem(f"the exchange says: {answer.get('message')}")
        timestamp = check_timestamp(answer.get("timestamp"))
        files = list(self._wanted_of(check_tree(answer)))
        if not also_empty and not self._is_work(file.path for file in files):
            raise NoWork
        if not files:
            self.log.warning("%s: the submission of %s has no files", student, timestamp)
        folder = self._folder(student)
        with replacing_folder(folder, lambda old: self._where_to_keep(student, old)) as place:
            self.share_above(folder)
            write_tree(place.tree, files)
            self.share(place.tree)
            # The last one: what is younger was changed by hand.
            with open(os.path.join(place.tree, TIMESTAMP), "w", encoding="utf-8") as file:
                file.write(timestamp)
            self.share(file.name)

    def _where_to_keep(self, student: str, old: str) -> str | None:
        """Where the copy that is replaced goes, if somebody has put something into it."""
        if is_as_collected(old, self.coursedir.ignore):
            return None
        parent = self.coursedir.format_path(REPLACED, student, self.assignment)
        kept = os.path.join(parent, f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S.%f} UTC")
        os.makedirs(parent, exist_ok=True)
        self.share_above(kept)
        self.log.warning(
            "%s was made or changed by hand, and is replaced by what %s has handed in. It is kept at %s",
            self._folder(student),
            student,
            kept,
        )
        return kept

    def _wanted_of(self, files: Iterable[Received]) -> Iterable[Received]:
        directory = self.coursedir
        largest = 1000 * directory.max_file_size
        for file in self._beside_timestamp(files):
            name = file.path.rpartition("/")[2]
            if file.path == ORIGIN or is_ignored(file.path, directory.ignore):
                continue
            if directory.include and not any(fnmatch.fnmatch(name, pattern) for pattern in directory.include):
                continue
            if file.size > largest:
                self.log.warning("File '%s' is too large (see CourseDirectory.max_file_size); ignored", file.path)
                continue
            yield file
