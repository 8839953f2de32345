"""`nbgrader release_assignment`: hand out an assignment."""

import os
import tempfile
from collections.abc import Sequence
from datetime import datetime, timezone

from nbgrader.exchange import abc
from traitlets import Unicode

from ngshare_fs.exchange.base import Exchange
from ngshare_fs.exchange.connection.dates import SCHEDULED, UTC, written
from ngshare_fs.exchange.dates_in_gradebook import due_in_gradebook
from ngshare_fs.exchange.failures.problems import ASSIGNMENT_EXISTS, ASSIGNMENT_NOT_FOUND, Refused, ServerProblem
from ngshare_fs.exchange.receiving.received_tree import check_component
from ngshare_fs.exchange.sending.snapshot import TOO_LARGE, Found, check_size, take_snapshot
from ngshare_fs.formats.file_names import notebooks
from ngshare_fs.formats.released_names import look_alike, twins

# Students' copies are called STUDENT+ASSIGNMENT+TIME, and file systems store names of 255 bytes.
LONGEST_NAME = 128


class ExchangeReleaseAssignment(Exchange, abc.ExchangeReleaseAssignment):
    """Releases; with `force`, makes a new release and keeps what was handed in."""

    release_date = Unicode(
        "",
        help="From when on students see the assignment, such as '2026-11-02 08:00' (in the course's time zone) or "
        "'2026-11-02 08:00 Europe/Vienna'. Left empty, it is at once, or when it was set before.",
    ).tag(config=True)

    def init_src(self) -> None:
        """Find the students' version."""
        course, assignment = self.course, self.assignment
        _check_name(assignment)
        directory = self.coursedir
        self.src_path = directory.format_path(directory.release_directory, ".", assignment)
        if not os.path.isdir(self.src_path):
            source = directory.format_path(directory.source_directory, ".", assignment)
            if os.path.isdir(source):
                self.fail(
                    f"Assignment found in '{source}' but not '{self.src_path}', "
                    "run `nbgrader generate_assignment` first."
                )
            self.fail(f"Assignment not found at: {self.src_path}")
        self.dest_path = f"{course} {assignment}"

    def init_dest(self) -> None:
        """Nothing to prepare."""

    def copy_files(self) -> None:
        """Send it."""
        course, assignment = self.course, self.assignment
        self.log.info("Source: %s", self.src_path)
        self.log.info("Destination: %s", self.api.url)
        work = self._work()
        if self.release_date:
            self.api.dates.check_heeded(course, assignment)
        with tempfile.TemporaryDirectory(prefix="ngshare-fs-") as folder:
            files = take_snapshot(work, os.path.join(folder, "tree"))
            check_size(files, self.rules())
            checksums = {file.path: file.md5 for file in files}
            try:
                self.api.release(course, assignment, files, checksums, self.release_date)
            except Refused as refusal:
                if not refusal.says(ASSIGNMENT_EXISTS):
                    raise
                if not self.force:
                    self.fail(f"Destination already exists, add --force to overwrite: {self.dest_path}")
                self.log.info("Overwriting files: %s; what was handed in stays", self.dest_path)
                try:
                    self.api.release_again(course, assignment, files, self.release_date)
                except Refused as second:
                    if not second.says(ASSIGNMENT_NOT_FOUND):
                        raise
                    self.api.release(course, assignment, files, checksums, self.release_date)  # taken back in between
        self.log.info("Released as: %s", self.dest_path)
        try:
            self._bring_due_date()
        except Exception as error:  # a gradebook that is locked or damaged, too
            self.log.warning("It is released, but its due date was not compared with the gradebook's: %s", error)

    def _bring_due_date(self) -> None:
        """Give the server the gradebook's due date, if it has none."""
        course, assignment = self.course, self.assignment
        there, here = self.api.newest_release(course, assignment).dates, due_in_gradebook(self)
        if here is not None and (there is None or there.due is None):
            try:
                there = self.api.dates.set_due(course, assignment, f"{here:%Y-%m-%d %H:%M:%S} UTC")
            except Refused as refusal:
                if refusal.knows_no_such_call:
                    return  # an older server, which has no dates
                self.log.warning(
                    "The due date in the gradebook, %s, is not on the server: %s",
                    written(here, UTC if there is None else there.zone),
                    refusal,
                )
            else:
                is_seen = there is not None and there.state != SCHEDULED
                self.log.info("The due date is that of the gradebook%s", "; students see it now." if is_seen else ".")
        if there is None:
            return
        self.log.info("%s: %s", self.dest_path, there.in_words(datetime.now(timezone.utc)))
        if here is not None and there.due is not None and here != there.due:
            self.log.warning(
                "The gradebook has another due date, %s. That of the server counts; `nbgrader collect` writes it into "
                "the gradebook.",
                there.written(here),
            )

    def _work(self) -> Sequence[Found]:
        """What is to be released.

        Raises:
            ExchangeError: students would lack something without the instructor's knowing.
        """
        contents = self.contents_of(self.src_path)
        alike = twins(file.path for file in contents.files)
        if alike:
            self.fail(look_alike(alike))
        if contents.files:
            lost = [each for each in contents.left_out if each.kind == TOO_LARGE and notebooks([each.path])]
        else:
            lost = [each for each in contents.left_out if not each.by_option]
        if lost:
            self.fail(
                f"{self.assignment} was not released, since students would not get what is left out of it:\n  "
                + "\n  ".join(map(str, lost))
            )
        return contents.files


def _check_name(assignment: str) -> None:
    """Heed what students' machines can store, who work in a folder of this name.

    Raises:
        ServerProblem: no folder can have it, or none of a submission to it.
    """
    check_component(assignment, "assignment")
    if len(assignment.encode()) > LONGEST_NAME:
        raise ServerProblem(
            f"The name of the assignment has {len(assignment.encode())} bytes, and may have {LONGEST_NAME}: shorten it."
        )
