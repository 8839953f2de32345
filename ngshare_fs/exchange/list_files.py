"""`nbgrader list`: assignments, submissions and feedback, from one request."""

import fnmatch
import glob
import json
import os
from datetime import datetime, timezone
from typing import Any

from nbgrader.exchange import ExchangeError, abc
from traitlets import Bool

from ngshare_fs.exchange.base import Exchange
from ngshare_fs.exchange.connection import older_server
from ngshare_fs.exchange.connection.dates import span
from ngshare_fs.exchange.connection.listing import Course, Listing, Submission
from ngshare_fs.exchange.failures.problems import YES, Refused
from ngshare_fs.exchange.failures.shown_failure import not_done, not_listed
from ngshare_fs.exchange.folders.checksum import checksum_of
from ngshare_fs.exchange.folders.submission_cache import SubmissionCache
from ngshare_fs.exchange.folders.working_folder import look_at
from ngshare_fs.exchange.jupyter.formgrader import forget_other_gradebook
from ngshare_fs.exchange.jupyter.inside_jupyter import is_inside
from ngshare_fs.terminal.confirmation import NotConfirmed, confirm
from ngshare_fs.terminal.saying import counted

Entry = dict[str, Any]
WITHDRAWN = "withdrawn"


class ExchangeList(abc.ExchangeList, Exchange):
    """Lists in the form that nbgrader's extensions expect, and removes what is listed."""

    as_json = Bool(False, help="Print the list as JSON.").tag(config=True)

    yes = Bool(
        False,
        help="With --remove: do not ask before submissions are removed. An older server also removes those to an "
        "assignment that is taken back.",
    ).tag(config=True)

    def start(self) -> Any:
        """List, or remove.

        Returns:
            what is listed; assignments that were taken back are left out, as formgrader would call them released.
        """
        forget_other_gradebook(self.coursedir, self.log)
        turn = self.assignment_lists_turn()
        if turn is not None and turn.failure:
            raise not_listed(f"{turn.failure}\nTo have the list back, click the round arrow at the top.")
        try:
            with self.failures():
                entries = super().start()
            return entries if turn is None else [_as_shown(entry) for entry in entries]
        except ExchangeError as error:
            problem = str(error)
        raise not_done(problem) if turn is None else not_listed(problem)

    def init_src(self) -> None:
        """Ask the server."""
        course = self._only(self.coursedir.course_id)
        self.listing: Listing = self.api.listing(course, everybody=self.inbound)

    def init_dest(self) -> None:
        """Nothing to prepare."""

    def copy_files(self) -> None:
        """Nothing to copy."""

    def list_files(self) -> list[Entry]:
        """List."""
        entries = self._entries("Submitted assignments:", "Released assignments:")
        if self.as_json:
            print(json.dumps(entries, indent=1))
        return [entry for entry in entries if entry["status"] != WITHDRAWN]

    def remove_files(self) -> list[Entry]:
        """List and remove: releases, submissions, or one's own copies of submissions.

        A release is taken back, and what was handed in stays. Submissions are in the server's trash afterwards, from
        where the operator can bring them back.

        Raises:
            ExchangeError: the user does not teach the course, too little was said, or nobody has said yes.
        """
        if not self.cached:
            self._check_may_remove()
        entries = self._entries("Removing submitted assignments:", "Removing released assignments:")
        if self.cached:
            cache = SubmissionCache(self.cache)
            for entry in entries:
                for one in entry["submissions"]:
                    cache.forget(one["course_id"], one["student_id"], one["assignment_id"], one["timestamp"])
        elif self.inbound:
            self._confirm_removal(entries)
            for entry in entries:
                for one in entry["submissions"]:
                    self.api.remove_submission(
                        one["course_id"], one["assignment_id"], one["student_id"], one["timestamp"]
                    )
        else:
            for entry in entries:
                self._withdraw(entry["course_id"], entry["assignment_id"])
        return entries

    def _confirm_removal(self, entries: list[Entry]) -> None:
        count = sum(len(entry["submissions"]) for entry in entries)
        if not count:
            return
        students = len({(entry["course_id"], entry["student_id"]) for entry in entries})
        question = (
            f"Remove {counted(count, 'submission')} of {counted(students, 'student')} from the exchange, with the "
            "feedback on them?"
        )
        try:
            confirm(question, self.yes, YES, may_ask=not is_inside())
        except NotConfirmed as refusal:
            self.fail(str(refusal))

    def _withdraw(self, course: str, assignment: str) -> None:
        try:
            self.api.withdraw(course, assignment)
        except Refused as refusal:
            if not refusal.knows_no_such_call:
                raise
            # Without its name, the command would take all the course's assignments, and for ever.
            if not self.yes or not self._only(self.coursedir.assignment_id):
                self.fail(older_server.no_taking_back(course, assignment))
            self.api.unrelease(course, assignment)
            self.log.warning("%s %s was removed, with all that was handed in", course, assignment)
            return
        self.log.info(
            "%s %s is taken back: students do not see it any more. What was handed in stays, and a new release brings "
            "it back.",
            course,
            assignment,
        )

    def _check_may_remove(self) -> None:
        if not self._only(self.coursedir.course_id) and not self._only(self.coursedir.assignment_id):
            self.fail("Name the assignment or the course whose assignments are to be removed.")
        for course in self.listing.courses:
            if course.is_taken and self._assignments_of(course):
                self.fail(f"Only instructors may remove what is in the course {course.name}.")

    def _entries(self, submitted: str, released: str) -> list[Entry]:
        if not self.inbound and not self.cached:
            entries = [
                self._released(course, assignment)
                for course in self._courses()
                for assignment in self._assignments_of(course)
                if not (self.remove and course.assignments[assignment].withdrawn)
            ]
            self.log.info(released)
            for entry in entries:
                remark, dates = entry.pop("remark"), entry.pop("dates_in_words")
                said = (f" ({remark})" if remark else "") + (f", {dates}" if dates else "")
                self.log.info("%s %s%s", entry["course_id"], entry["assignment_id"], said)
            return entries
        found = self._cached() if self.cached else self._inbound()
        self.log.info(submitted)
        for one in found:
            self.log.info("%s", _line(one))
        return _by_assignment(found)

    @staticmethod
    def _only(name: str) -> str:
        return "" if name in ("", "*") else name

    def _courses(self) -> list[Course]:
        allowed = None
        if self.coursedir.student_id and self.authenticator:
            allowed = self.authenticator.get_student_courses(self.coursedir.student_id)
        only = self._only(self.coursedir.course_id)
        return [
            course
            for course in self.listing.courses
            if only in ("", course.name) and (allowed is None or course.name in allowed)
        ]

    def _is_asked_for(self, assignment: str, student: str | None = None) -> bool:
        if self._only(self.coursedir.assignment_id) not in ("", assignment):
            return False
        return student is None or fnmatch.fnmatchcase(student, self.coursedir.student_id or "*")

    def _assignments_of(self, course: Course) -> list[str]:
        return sorted(name for name in course.assignments if self._is_asked_for(name))

    def _released(self, course: Course, assignment: str) -> Entry:
        release = course.assignments[assignment]
        folder = self.assignment_folder(course.name, assignment)
        found = look_at(folder, course.name, assignment, release.timestamp, self.coursedir.ignore)
        dates = release.dates
        entry: Entry = {
            "course_id": course.name,
            "assignment_id": assignment,
            "remark": found.remark,
            "dates": None if dates is None else dates.as_json(),
            "dates_in_words": "" if dates is None else dates.in_words(datetime.now(timezone.utc)),
        }
        if found.is_fetched:
            entry["status"] = "fetched"
            entry["path"] = os.path.abspath(folder)
            entry["notebooks"] = _notebooks_in(folder)
        else:
            entry["status"] = "released"
            entry["path"] = ""
            entry["notebooks"] = [{"notebook_id": name, "path": ""} for name in sorted(release.notebooks)]
        if release.withdrawn:
            entry["status"] = WITHDRAWN
            entry["remark"] = "taken back: students do not see it until it is released again"
        if self.remove:
            entry["status"] = "removed"
        return entry

    def _inbound(self) -> list[Entry]:
        found = [
            self._submitted(course.name, submission, "")
            for course in self._courses()
            for submission in course.submissions
            if self._is_asked_for(submission.assignment, submission.student)
        ]
        return sorted(found, key=_order)

    def _cached(self) -> list[Entry]:
        """What is in the cache, and what only the server has: the cache may be lost, or on another machine."""
        cache = SubmissionCache(self.cache)
        removed = {(*which, older_server.without_zone(timestamp)) for *which, timestamp in cache.removed()}
        allowed = {course.name: course for course in self._courses()}
        known = {
            # What was handed in to an older server, and moved since, has no zone in the cache.
            (course.name, each.student, each.assignment, older_server.without_zone(each.timestamp)): each
            for course in allowed.values()
            for each in course.submissions
            if each.student == self.listing.user
        }
        found: dict[tuple[str, str, str, str], Entry] = {}
        only = self._only(self.coursedir.course_id)
        for course in cache.courses():
            for each in cache.submissions(course) if only in ("", course) else ():
                key = (course, each.student, each.assignment, older_server.without_zone(each.timestamp))
                submission = known.get(key)
                notebooks = tuple(entry["notebook_id"] for entry in _notebooks_in(each.folder))
                if submission is None:
                    submission = Submission(each.assignment, each.student, each.timestamp, notebooks, False, {})
                elif submission.notebooks is None:
                    submission = submission._replace(notebooks=notebooks)
                found[key] = self._submitted(course, submission, each.folder)
        for key, submission in known.items():
            if key not in found and key not in removed:
                found[key] = self._submitted(key[0], submission, "")
        asked_for = [one for one in found.values() if self._is_asked_for(one["assignment_id"], one["student_id"])]
        return sorted(asked_for, key=_order)

    def _submitted(self, course: str, submission: Submission, folder: str) -> Entry:
        feedback = os.path.join(self.assignment_folder(course, submission.assignment), "feedback", submission.timestamp)
        notebooks = [self._notebook(name, submission, folder, feedback) for name in submission.notebooks or ()]
        has_local = bool(notebooks) and all(notebook["has_local_feedback"] for notebook in notebooks)
        if notebooks:
            has_remote = all(notebook["has_exchange_feedback"] for notebook in notebooks)
        else:
            has_remote = submission.has_feedback
        return {
            "course_id": course,
            "student_id": submission.student,
            "assignment_id": submission.assignment,
            "timestamp": submission.timestamp,
            "status": "removed" if self.remove else "submitted",
            "path": folder,
            "notebooks": notebooks,
            "has_local_feedback": has_local,
            "has_exchange_feedback": has_remote,
            "feedback_updated": any(notebook["feedback_updated"] for notebook in notebooks),
            "local_feedback_path": os.path.abspath(feedback) if has_local else None,
            "late_seconds": submission.late_seconds,
        }

    @staticmethod
    def _notebook(name: str, submission: Submission, folder: str, feedback: str) -> Entry:
        page = f"{name}.html"
        place = os.path.join(feedback, page)
        local = checksum_of(place)
        if submission.feedback is None:
            remote, has_remote = None, submission.has_feedback
        else:
            remote = submission.feedback.get(page)
            has_remote = remote is not None
        return {
            "notebook_id": name,
            "path": os.path.join(folder, f"{name}.ipynb") if folder else "",
            "has_local_feedback": local is not None,
            "has_exchange_feedback": has_remote,
            "local_feedback_path": place if local is not None else None,
            "feedback_updated": local is not None and remote is not None and local != remote,
        }


def _notebooks_in(folder: str) -> list[Entry]:
    places = sorted(glob.glob(os.path.join(glob.escape(folder), "*.ipynb")))
    return [
        {"notebook_id": os.path.splitext(os.path.basename(place))[0], "path": os.path.abspath(place)}
        for place in places
    ]


def _line(one: Entry) -> str:
    said = "{course_id} {student_id} {assignment_id} {timestamp}".format(**one) + _lateness(one)
    if one["status"] == "submitted":
        if one["has_local_feedback"] and not one["feedback_updated"]:
            return said + " (feedback already fetched)"
        if one["has_exchange_feedback"]:
            return said + " (feedback ready to be fetched)"
        return said + " (no feedback available)"
    return said


def _lateness(one: Entry) -> str:
    return f" (late by {span(one['late_seconds'])})" if one["late_seconds"] else ""


def _as_shown(entry: Entry) -> Entry:
    """What the Assignment List is given: of a submission it shows the timestamp, and does nothing else with it."""
    if "submissions" not in entry:
        return entry
    submissions = [{**one, "timestamp": one["timestamp"] + _lateness(one)} for one in entry["submissions"]]
    return {**entry, "submissions": submissions}


def _order(one: Entry) -> tuple[str, ...]:
    return one["course_id"], one["student_id"], one["assignment_id"], one["timestamp"]


def _by_assignment(found: list[Entry]) -> list[Entry]:
    groups: dict[tuple[str, str, str], list[Entry]] = {}
    for one in found:
        groups.setdefault((one["course_id"], one["student_id"], one["assignment_id"]), []).append(one)
    return [
        {
            "course_id": course,
            "student_id": student,
            "assignment_id": assignment,
            "status": submissions[0]["status"],
            "submissions": submissions,
        }
        for (course, student, assignment), submissions in groups.items()
    ]
