"""What the commands do."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.failures.problems import Refused, ServerProblem
from ngshare_fs.exchange.sending.request_body import Body
from ngshare_fs.management import acting_user, advice, assignment_dates, extensions, gradebook
from ngshare_fs.management.server_roster import ServerRoster
from ngshare_fs.roster_files import look_alikes, roster_file
from ngshare_fs.roster_files.characters import how_they_differ, wrong_in_user_name
from ngshare_fs.roster_files.columns import NAMES, WrongColumns, mapping_in
from ngshare_fs.roster_files.difference import difference
from ngshare_fs.roster_files.roster_file import Roster, Student, WrongRoster
from ngshare_fs.terminal.confirmation import NotConfirmed, confirm
from ngshare_fs.terminal.saying import counted, say

PATIENCE_SECONDS = 30.0


class Management:
    """The actions; each is named after its command.

    Args:
        given: the parsed words.
    """

    def __init__(self, given: argparse.Namespace) -> None:
        self._given = given
        self._here = gradebook.configuration()
        url = given.url or (self._here.url if self._here else "")
        server = acting_user.find(url, given.acting_user, os.environ)
        self._client = Client(server, PATIENCE_SECONDS, logging.getLogger("ngshare_fs.course"))
        self._roster = ServerRoster(self._client, getattr(given, "course", ""))

    def run(self, action: str) -> None:
        """Do what a command is for.

        Raises:
            WrongRoster, NotConfirmed: nothing was changed.
            ServerProblem: some or all was not done.
        """
        try:
            getattr(self, action)()
        except Refused as refusal:
            raise ServerProblem(advice.text_of(refusal, action, self._client.server)) from None

    def create(self) -> None:
        """Make a course."""
        instructors = self._given.instructors
        _check_user_names(instructors)
        with self._done_before("Course already exists"):
            self._client.call("POST", "course", self._course, body=Body({"instructors": json.dumps(instructors)}))
        say(f"Successfully created {self._course}")

    @contextmanager
    def _done_before(self, message: str) -> Iterator[None]:
        """Where an answer was lost, the repeated call says that it is done already."""
        try:
            yield
        except Refused as refusal:
            if not (self._client.repeated and refusal.says(message)):
                raise

    def delete(self) -> None:
        """Move a course to the trash."""
        fate = self._fate()
        confirm(f"Delete {self._course} with all that was handed in ({fate})?", self._given.yes)
        with self._done_before("Course not found"):
            self._client.call("DELETE", "course", self._course)
        say(f"Successfully deleted {self._course}; {fate}")

    def delete_assignment(self) -> None:
        """Move an assignment to the trash, with what was handed in."""
        assignment = self._given.assignment
        submissions = self._client.call("GET", "submissions", self._course, assignment)["submissions"]
        students = len({each["student_id"] for each in submissions})
        fate = self._fate()
        confirm(
            f"Delete {assignment} of {self._course} with {counted(len(submissions), 'submission')} of "
            f"{counted(students, 'student')}, and the feedback on them ({fate})? (To take only the release back: "
            "nbgrader list --remove)",
            self._given.yes,
        )
        with self._done_before("Assignment not found"):
            self._client.call("DELETE", "assignment", self._course, assignment)
        say(f"Successfully deleted {assignment} of {self._course}; {fate}")

    def _fate(self) -> str:
        """What becomes of what is deleted: older servers have no trash, nor this call."""
        try:
            self._client.call("GET", "listing", query={"course": self._course})
        except Refused as refusal:
            if not refusal.knows_no_such_call:
                raise
            return "this is an older server, from which nobody can bring it back"
        return "the operator can bring it back"

    def list(self) -> None:
        """Show the courses."""
        try:
            courses = self._client.call("GET", "listing")["courses"]
        except Refused as refusal:
            if not refusal.knows_no_such_call:
                raise
            courses = [{"course_id": name, "role": ""} for name in self._client.call("GET", "courses")["courses"]]
        if self._given.json:
            print(json.dumps([{"course_id": course["course_id"], "role": course["role"]} for course in courses]))
            return
        for course in courses:
            say(_line(course["course_id"], course["role"]))

    def show(self) -> None:
        """Show a course, and say what of it cannot be read."""
        problem = self._problem()
        if problem is not None:
            say(f"Cannot be read: {problem}. Until that is mended, what was there before counts.", sys.stderr)
        people: dict[str, list[dict[str, Any]]] = {"instructors": list(self._roster.instructors().values())}
        graders = self._roster.graders()
        if graders is not None:
            people["graders"] = list(graders.values())
        people["students"] = list(self._roster.students().values())
        assignments = self._client.call("GET", "assignments", self._course)["assignments"]
        if self._given.json:
            print(json.dumps({**people, "assignments": assignments, "problem": problem}))
            return
        for title, persons in people.items():
            say(f"{title}: {len(persons)}")
            for person in persons:
                names = " ".join(person[name] for name in ("first_name", "last_name") if person[name])
                say(_line(f"  {person['username']}", names, person["email"] or ""))
        say(f"assignments: {len(assignments)}")
        for assignment in assignments:
            say(f"  {assignment}")

    def add_instructor(self) -> None:
        """Add an instructor."""
        self._add_person("instructor")
        say(f"Successfully added {self._given.user} as an instructor to {self._course}")

    def remove_instructor(self) -> None:
        """Remove an instructor."""
        self._client.call("DELETE", "instructor", self._course, self._given.user)
        say(f"Successfully deleted instructor {self._given.user} from {self._course}")

    def add_grader(self) -> None:
        """Add a grader."""
        with advice.known_to_the_server("graders"):
            self._add_person("grader")
        say(f"Successfully added {self._given.user} as a grader to {self._course}")

    def remove_grader(self) -> None:
        """Remove a grader."""
        with advice.known_to_the_server("graders"):
            self._client.call("DELETE", "grader", self._course, self._given.user)
        say(f"Successfully deleted grader {self._given.user} from {self._course}")

    def dates(self) -> None:
        """Show or set dates of assignments."""
        assignment_dates.run(self._client, self._given)

    def extend(self) -> None:
        """Give more time, or take it back."""
        if self._given.user is not None:
            _check_user_names([self._given.user])
        extensions.run(self._client, self._given, lambda: {**self._roster.students(), **(self._roster.graders() or {})})

    def add_student(self) -> None:
        """Add a student."""
        there = self._roster.students()
        (wanted,) = look_alikes.spelled_as_there([Student(self._given.user)], there)
        for user, other in look_alikes.in_other_capitals([wanted], there):
            differ = how_they_differ(user, other)
            raise WrongRoster(
                f"nothing was changed: {user} is on the roster as {other}: {differ}. Use that user name, or remove it "
                "first with `ngshare-fs course remove-students`"
            )
        self._given.user = wanted.user
        student = self._add_person("student")
        say(f"Successfully added/updated {student.user} on {self._course}")
        self._in_step([student], [])

    def add_students(self) -> None:
        """Add the students in a file."""
        file = self._file()
        there = self._roster.students()
        wanted = look_alikes.spelled_as_there(file.students, there)
        self._refuse_those_above(wanted)
        self._refuse_other_capitals(wanted, there, file.rows)
        _warn_of_capitals(student.user for student in wanted)
        try:
            self._roster.post([_with_names(student, there) for student in wanted])
        finally:
            added = set(self._roster.added)
            for user in self._roster.added:
                say(f"{user} was successfully added to {self._course}")
            self._in_step([student for student in wanted if student.user in added], [])

    def remove_students(self) -> None:
        """Remove students."""
        try:
            self._remove(self._given.users)
        finally:
            # Whoever was not on the roster must not keep the others in the gradebook.
            self._in_step([], self._roster.removed)

    def sync(self) -> None:
        """Make the roster the one in a file."""
        file = self._file()
        there = self._roster.students()
        wanted = look_alikes.spelled_as_there(file.students, there)
        self._refuse_those_above(wanted)
        found = difference(wanted, there)
        for line in found.lines():
            say(line)
        posted, removed = [*found.added, *(each.student for each in found.changed)], found.removed
        _warn_of_capitals(student.user for student in posted)
        for user, other in look_alikes.in_other_capitals(found.added, there):
            differ = how_they_differ(user, other)
            say(f"{user} takes the place of {other}, whose work stays under that name: {differ}", sys.stderr)
        counts = f"{len(found.added)} to add, {len(found.changed)} to change, {len(removed)} to remove"
        if self._given.dry_run:
            self._say_what_stays_in_the_gradebook(wanted, removed)
            say(f"{counts}; nothing was changed")
            return
        if removed:
            confirm(f"Remove {len(removed)} students from {self._course}?", self._given.yes)
        try:
            self._roster.post([_with_names(student, there) for student in posted])
            self._remove(removed)
            say(counts.replace(" to add", " added").replace(" to change", " changed").replace(" to remove", " removed"))
        finally:
            # What is done on the server is no difference any more: the next run would not bring it to the gradebook.
            missing = {student.user for student in posted}.difference(self._roster.added)
            self._in_step([student for student in wanted if student.user not in missing], self._roster.removed)

    @property
    def _course(self) -> str:
        name: str = self._given.course
        return name

    def _file(self) -> Roster:
        try:
            said = mapping_in(self._given.columns)
        except WrongColumns as problem:
            raise WrongRoster(str(problem)) from None
        roster = roster_file.read(self._given.file, said)
        for note in roster.notes:
            say(note, sys.stderr)
        return roster

    def _problem(self) -> str | None:
        """What of the course's files cannot be read, to those who teach it; older servers do not say it."""
        try:
            courses = self._client.call("GET", "listing", query={"course": self._course})["courses"]
        except Refused as refusal:
            if not refusal.knows_no_such_call:
                raise
            return None
        return next((each.get("problem") for each in courses if each["course_id"] == self._course), None)

    def _refuse_those_above(self, wanted: Sequence[Student]) -> None:
        above = {"an instructor": self._roster.instructors(), "a grader": self._roster.graders() or {}}
        for role, people in above.items():
            both = [student.user for student in wanted if student.user in people]
            both += [f"{user} ({other})" for user, other in look_alikes.in_other_capitals(wanted, people)]
            if both:
                raise WrongRoster(f"nothing was changed: {', '.join(both)} cannot be a student, being {role}")

    def _refuse_other_capitals(self, wanted: Sequence[Student], there: Iterable[str], rows: Mapping[str, int]) -> None:
        mistakes = [
            f"row {rows[user]}: {user} is on the roster as {other}: {how_they_differ(user, other)}"
            for user, other in look_alikes.in_other_capitals(wanted, there)
        ]
        if mistakes:
            mistakes.append("(use that user name, or remove it first with `ngshare-fs course remove-students`)")
            raise WrongRoster(f"{self._given.file}: nothing was changed, because of", mistakes)

    def _add_person(self, role: str) -> Student:
        given = self._given
        _check_user_names([given.user])
        names = {name: getattr(given, name) for name in NAMES if getattr(given, name) is not None}
        student = Student(given.user, names)
        there: dict[str, dict[str, Any]] = {}
        if len(names) < len(NAMES):
            try:
                there[given.user] = self._client.call("GET", role, self._course, given.user)
            except Refused as refusal:
                if not refusal.says("Student not found", "Grader not found", "Instructor not found"):
                    raise
        fields = _with_names(student, there)
        del fields["username"]
        self._client.call("POST", role, self._course, given.user, body=Body(fields))
        return student

    def _remove(self, users: Sequence[str]) -> None:
        try:
            self._roster.remove(users)
        finally:
            for user in self._roster.removed:
                say(f"Successfully deleted {user} from {self._course}")

    def _in_step(self, added: Sequence[Student], removed: Sequence[str]) -> None:
        if not self._keeps_gradebook(added, removed):
            return
        assert self._here is not None
        gradebook.add(self._here, added)
        _say_who_has_grades(gradebook.remove(self._here, removed, self._given.force))

    def _say_what_stays_in_the_gradebook(self, added: Sequence[Student], removed: Sequence[str]) -> None:
        if self._keeps_gradebook(added, removed) and not self._given.force:
            assert self._here is not None
            _say_who_has_grades(gradebook.would_stay(self._here, removed))

    def _keeps_gradebook(self, added: Sequence[Student], removed: Sequence[str]) -> bool:
        if not self._given.gradebook or not (added or removed):
            return False
        reason = gradebook.why_not(self._here, self._course)
        if reason is not None:
            say(f"nbgrader's gradebook was left as it is: {reason}", sys.stderr)
        return reason is None


def run(given: argparse.Namespace) -> int:
    """Do what `ngshare-fs course` was told.

    Returns:
        the exit code: 0, or 1 where it was not done.
    """
    action = given.action.removesuffix("_course").replace("-", "_")
    try:
        Management(given).run(action)
    except WrongRoster as problem:
        say("ngshare-fs: " + problem.lines[0], sys.stderr)
        for line in problem.lines[1:]:
            say(line, sys.stderr)
        return 1
    except (ServerProblem, NotConfirmed) as problem:
        say(f"ngshare-fs: {problem}", sys.stderr)
        return 1
    return 0


def _with_names(student: Student, there: dict[str, dict[str, Any]]) -> dict[str, str]:
    """What the server is sent: what is not given stays as it is."""
    present = there.get(student.user, {})
    names = {name: student.names.get(name, present.get(name) or "") for name in NAMES}
    return {"username": student.user, **names}


def _say_who_has_grades(users: Sequence[str]) -> None:
    if users:
        say(f"Still in the gradebook, since they have grades: {', '.join(users)} (--force)", sys.stderr)


def _line(*parts: str) -> str:
    return "  ".join(part for part in parts if part)


def _warn_of_capitals(users: Iterable[str]) -> None:
    capital = [user for user in users if user != user.lower()]
    if capital:
        say(
            f"JupyterHub makes user names lower-case, so that these may be nobody's: {', '.join(capital)}",
            sys.stderr,
        )


def _check_user_names(users: Sequence[str]) -> None:
    for user in users:
        wrong = wrong_in_user_name(user)
        if wrong is not None:
            raise WrongRoster(f"the user name {user!a} has the character {wrong} in it, which nobody sees: remove it")
    _warn_of_capitals(users)
