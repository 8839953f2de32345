"""`nbgrader release_assignment`: hand out an assignment."""

import os
import tempfile

from nbgrader.exchange import abc

from ngshare_fs.exchange.base import Exchange
from ngshare_fs.exchange.problems import ASSIGNMENT_EXISTS, ASSIGNMENT_NOT_FOUND, Refused
from ngshare_fs.exchange.sending import files_in
from ngshare_fs.exchange.submission_cache import checksums_of


class ExchangeReleaseAssignment(Exchange, abc.ExchangeReleaseAssignment):
    """Releases; with `force`, makes a new release and keeps what was handed in."""

    def init_src(self) -> None:
        """Find the students' version."""
        course, assignment = self.course, self.assignment
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
        with tempfile.TemporaryDirectory(prefix="ngshare-fs-") as folder:
            tree = os.path.join(folder, "tree")
            self.copy_wanted(self.src_path, tree)
            files = files_in(tree)
            checksums = checksums_of(files)
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
