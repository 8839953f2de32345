"""`nbgrader fetch_feedback`: get the feedback on one's own work."""

import os

from nbgrader.exchange import abc

from ngshare_fs.exchange.base import DISK_IS_FULL, Exchange
from ngshare_fs.exchange.connection.listing import Submission
from ngshare_fs.exchange.failures.problems import ServerProblem, Unreachable
from ngshare_fs.exchange.folders.checksum import has_all
from ngshare_fs.exchange.folders.moving import InTheWay
from ngshare_fs.exchange.folders.replacing import in_words, replacing_folder, scratch_folder_near
from ngshare_fs.exchange.folders.working_folder import FEEDBACK
from ngshare_fs.exchange.receiving.received_tree import (
    Received,
    check_component,
    check_timestamp,
    check_tree,
    write_tree,
)


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
        listing = self.api.listing(course, everybody=student != "*", patience=None)
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
        """Download what is new; what fails for one submission does not keep the feedback on the others away."""
        self.log.info("Source: %s", self.api.url)
        if not self.submissions:
            self.log.warning("Nothing was submitted to '%s/%s'", self.course, self.coursedir.assignment_id)
        failures = []
        for submission in self.submissions:
            said = f"'{self.course}/{submission.assignment}' submitted at {submission.timestamp}"
            if not submission.has_feedback:
                self.log.warning("Could not find feedback for %s", said)
                continue
            try:
                self._fetch(submission, said)
            except Unreachable:
                raise
            except ServerProblem as problem:
                failures.append(f"{said}: {problem}")
            except OSError as error:
                if error.errno in DISK_IS_FULL:
                    raise
                failures.append(f"{said}: {in_words(error)}")
        if failures:
            self.fail("Feedback could not be fetched for\n  " + "\n  ".join(failures))

    def _fetch(self, submission: Submission, said: str) -> None:
        check_component(submission.assignment, "assignment")
        folder = os.path.join(
            os.path.abspath(self.assignment_folder(self.course, submission.assignment)),
            FEEDBACK,
            check_timestamp(submission.timestamp),
        )
        if has_all(folder, submission.feedback):
            self.log.info("Feedback already fetched for %s", said)
            return
        self.log.info("Found feedback for %s", said)
        if os.path.isdir(folder):
            # Beside the pages may be what the student has made: notes, a copy with marks.
            with scratch_folder_near(folder) as parts:
                files = self._download(submission, parts)
                for file in files:
                    _replace_page(file, folder)
        else:
            with replacing_folder(folder) as place:
                files = self._download(submission, place.parts)
                write_tree(place.tree, files)
        for file in files:
            self.log.info("Fetched feedback: %s", os.path.join(folder, file.path))

    def _download(self, submission: Submission, parts: str) -> list[Received]:
        answer = self.api.feedback(self.course, submission.assignment, submission.student, submission.timestamp, parts)
        return list(check_tree(answer))


def _replace_page(file: Received, folder: str) -> None:
    place = os.path.join(folder, file.path)
    if os.path.islink(place) or (os.path.lexists(place) and not os.path.isfile(place)):
        raise InTheWay(place)
    write_tree(folder, [file])
