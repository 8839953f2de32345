"""`nbgrader fetch_feedback`: get the feedback on one's own work."""

import hashlib
import os

from nbgrader.exchange import abc

from ngshare_fs.exchange.base import Exchange
from ngshare_fs.exchange.listing import Submission
from ngshare_fs.exchange.receiving import aside, check_component, check_timestamp, check_tree, write_tree
from ngshare_fs.exchange.sending import CHUNK


class ExchangeFetchFeedback(Exchange, abc.ExchangeFetchFeedback):
    """Fetches what is there and not here yet, for each submission a folder named after its time."""

    def init_src(self) -> None:
        """Find out on which submissions there is feedback."""
        course = self.course
        if self.path_includes_course:
            check_component(course, "course")
        student = self.coursedir.student_id
        if student != "*" and ("*" in student or "+" in student):
            self.fail(f"The student ID should contain no '*' nor '+'; got {student}")
        listing = self.api.listing(course, everybody=student != "*")
        found = [each for each in listing.courses if each.name == course]
        if not found:
            self.fail(f"You are not in the course {course}: look at its spelling, or ask your instructor to add you.")
        student = listing.user if student == "*" else student
        assignment = self.coursedir.assignment_id
        self.submissions = [
            each
            for each in found[0].submissions
            if each.student == student and assignment in ("", "*", each.assignment)
        ]

    def init_dest(self) -> None:
        """Nothing to prepare."""

    def copy_files(self) -> None:
        """Download what is new."""
        self.log.info("Source: %s", self.api.url)
        if not self.submissions:
            self.log.warning("Nothing was submitted to '%s/%s'", self.course, self.coursedir.assignment_id)
        for submission in self.submissions:
            said = f"'{self.course}/{submission.assignment}' submitted at {submission.timestamp}"
            if not submission.has_feedback:
                self.log.warning("Could not find feedback for %s", said)
                continue
            check_component(submission.assignment, "assignment")
            folder = os.path.join(
                os.path.abspath(self.assignment_folder(self.course, submission.assignment)),
                "feedback",
                check_timestamp(submission.timestamp),
            )
            if has_all(folder, submission.feedback):
                self.log.info("Feedback already fetched for %s", said)
                continue
            self.log.info("Found feedback for %s", said)
            self._fetch(submission, folder)

    def _fetch(self, submission: Submission, folder: str) -> None:
        with aside(folder) as place:
            answer = self.api.feedback(
                self.course, submission.assignment, submission.student, submission.timestamp, place.parts
            )
            files = list(check_tree(answer))
            write_tree(place.tree, files)
        for file in files:
            self.log.info("Fetched feedback: %s", os.path.join(folder, file.path))


def has_all(folder: str, checksums: dict[str, str] | None) -> bool:
    """Whether a folder has just these files; false where nobody knows their checksums."""
    return checksums is not None and all(
        checksum_of(os.path.join(folder, path)) == checksum for path, checksum in checksums.items()
    )


def checksum_of(place: str) -> str | None:
    """MD5 of a file; None where there is none."""
    try:
        with open(place, "rb") as file:
            digest = hashlib.md5(usedforsecurity=False)
            while chunk := file.read(CHUNK):
                digest.update(chunk)
            return digest.hexdigest()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
