"""`nbgrader release_assignment`: hand out an assignment."""

import os
import tempfile
from collections.abc import Sequence

from nbgrader.exchange import abc

from ngshare_fs.exchange.base import Exchange
from ngshare_fs.exchange.failures.problems import ASSIGNMENT_EXISTS, ASSIGNMENT_NOT_FOUND, Refused, ServerProblem
from ngshare_fs.exchange.receiving.received_tree import check_component
from ngshare_fs.exchange.sending.completeness import notebooks
from ngshare_fs.exchange.sending.released_names import look_alike, twins
from ngshare_fs.exchange.sending.snapshot import TOO_LARGE, Found, check_size, take_snapshot

# Students' copies are called STUDENT+ASSIGNMENT+TIME, and file systems store names of 255 bytes.
LONGEST_NAME = 128


class ExchangeReleaseAssignment(Exchange, abc.ExchangeReleaseAssignment):
    """Releases; with `force`, makes a new release and keeps what was handed in."""

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
        with tempfile.TemporaryDirectory(prefix="ngshare-fs-") as folder:
            files = take_snapshot(work, os.path.join(folder, "tree"))
            check_size(files, self.rules())
            checksums = {file.path: file.md5 for file in files}
            try:
                self.api.release(course, assignment, files, checksums)
            except Refused as refusal:
                if not refusal.says(ASSIGNMENT_EXISTS):
                    raise
                if not self.force:
                    self.fail(f"Destination already exists, add --force to overwrite: {self.dest_path}")
                self.log.info("Overwriting files: %s; what was handed in stays", self.dest_path)
                try:
                    self.api.release_again(course, assignment, files)
                except Refused as second:
                    if not second.says(ASSIGNMENT_NOT_FOUND):
                        raise
                    self.api.release(course, assignment, files, checksums)  # taken back in between
        self.log.info("Released as: %s", self.dest_path)

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
