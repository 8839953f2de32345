"""What the commands do."""

import argparse
import json
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from ngshare_fs.confirmation import NotConfirmed, confirm
from ngshare_fs.course_management import gradebook, roster_file
from ngshare_fs.course_management.arguments import old_parser
from ngshare_fs.course_management.difference import difference
from ngshare_fs.course_management.roster_file import NAMES, Student, WrongRoster
from ngshare_fs.exchange import server
from ngshare_fs.exchange.client import Client
from ngshare_fs.exchange.problems import Refused, ServerProblem
from ngshare_fs.exchange.sending import Body
from ngshare_fs.logs import CONTROLS

PATIENCE_SECONDS = 30.0


class Management:
    """The actions; each is named after its command.

    Args:
        given: the parsed words.
    """

    def __init__(self, given: argparse.Namespace) -> None:
        self._given = given
        self._removed: list[str] = []
        self._here = gradebook.configuration()
        url = given.url or (self._here.url if self._here else "")
        self._client = Client(server.find(url), PATIENCE_SECONDS, logging.getLogger("ngshare_fs.course"))

    def create(self) -> None:
        """Make a course."""
        instructors = self._given.instructors
        _warn_of_capitals(instructors)
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
        confirm(f"Delete {self._course} with all that was handed in?", self._given.yes)
        with self._done_before("Course not found"):
            self._client.call("DELETE", "course", self._course)
        say(f"Successfully deleted {self._course}; the operator can bring it back")

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
        """Show a course."""
        people = {title: self._client.call("GET", title, self._course)[title] for title in ("instructors", "students")}
        assignments = self._client.call("GET", "assignments", self._course)["assignments"]
        if self._given.json:
            print(json.dumps({**people, "assignments": assignments}))
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

    def add_student(self) -> None:
        """Add a student."""
        student = self._add_person("student")
        say(f"Successfully added/updated {student.user} on {self._course}")
        self._in_step([student], [])

    def add_students(self) -> None:
        """Add the students in a file."""
        wanted = self._file()
        there = self._students()
        self._refuse_instructors(wanted)
        self._post([_with_names(student, there) for student in wanted])
        for student in wanted:
            say(f"{student.user} was successfully added to {self._course}")
        self._in_step(wanted, [])

    def remove_students(self) -> None:
        """Remove students."""
        try:
            self._remove(self._given.users)
        finally:
            # Whoever was not on the roster must not keep the others in the gradebook.
            self._in_step([], self._removed)

    def sync(self) -> None:
        """Make the roster the one in a file."""
        wanted = self._file()
        there = self._students()
        self._refuse_instructors(wanted)
        found = difference(wanted, there)
        for line in found.lines():
            say(line)
        added, changed, removed = found.added, [each.student for each in found.changed], found.removed
        counts = f"{len(added)} to add, {len(changed)} to change, {len(removed)} to remove"
        if self._given.dry_run:
            say(f"{counts}; nothing was changed")
            return
        if removed:
            confirm(f"Remove {len(removed)} students from {self._course}?", self._given.yes)
        posted: Sequence[Student] = []
        try:
            if added or changed:
                self._post([_with_names(student, there) for student in (*added, *changed)])
            posted = wanted
            self._remove(removed)
            say(counts.replace(" to add", " added").replace(" to change", " changed").replace(" to remove", " removed"))
        finally:
            # What is done on the server is no difference any more: the next run would not bring it to the gradebook.
            self._in_step(posted, self._removed)

    @property
    def _course(self) -> str:
        name: str = self._given.course
        return name

    def _file(self) -> Sequence[Student]:
        roster = roster_file.read(self._given.file)
        if roster.unknown_columns:
            say(f"These columns mean nothing here: {', '.join(roster.unknown_columns)}", sys.stderr)
        return roster.students

    def _students(self) -> dict[str, dict[str, Any]]:
        return {each["username"]: each for each in self._client.call("GET", "students", self._course)["students"]}

    def _refuse_instructors(self, wanted: Iterable[Student]) -> None:
        teachers = {each["username"] for each in self._client.call("GET", "instructors", self._course)["instructors"]}
        both = [student.user for student in wanted if student.user in teachers]
        if both:
            raise WrongRoster(f"nothing was changed: {', '.join(both)} cannot be a student, being an instructor")

    def _add_person(self, role: str) -> Student:
        given = self._given
        _warn_of_capitals([given.user])
        names = {name: getattr(given, name) for name in NAMES if getattr(given, name) is not None}
        student = Student(given.user, names)
        there: dict[str, dict[str, Any]] = {}
        if len(names) < len(NAMES):
            try:
                there[given.user] = self._client.call("GET", role, self._course, given.user)
            except Refused as refusal:
                if not refusal.says("Student not found", "Instructor not found"):
                    raise
        fields = _with_names(student, there)
        del fields["username"]
        self._client.call("POST", role, self._course, given.user, body=Body(fields))
        return student

    def _post(self, students: Sequence[dict[str, str]]) -> None:
        _warn_of_capitals(student["username"] for student in students)
        answer = self._client.call("POST", "students", self._course, body=Body({"students": json.dumps(students)}))
        failed = [f"{each['username']}: {each.get('message')}" for each in answer["status"] if not each["success"]]
        if failed:
            raise ServerProblem("Some students were not added, the others were:\n  " + "\n  ".join(failed))

    def _remove(self, users: Iterable[str]) -> None:
        missing = []
        for user in users:
            try:
                self._client.call("DELETE", "student", self._course, user)
                self._removed.append(user)
                say(f"Successfully deleted {user} from {self._course}")
            except Refused as refusal:
                if not refusal.says("Student not found"):
                    raise
                if self._client.repeated:
                    self._removed.append(user)  # by the first attempt, whose answer was lost
                else:
                    missing.append(user)
        if missing:
            raise ServerProblem(f"Not on the roster of {self._course}: {', '.join(missing)}")

    def _in_step(self, added: Sequence[Student], removed: Sequence[str]) -> None:
        if not self._given.gradebook or not (added or removed):
            return
        reason = gradebook.why_not(self._here, self._course)
        if reason is not None:
            say(f"nbgrader's gradebook was left as it is: {reason}", sys.stderr)
            return
        assert self._here is not None
        gradebook.add(self._here, added)
        kept = gradebook.remove(self._here, removed, self._given.force)
        if kept:
            say(f"Still in the gradebook, since they have grades: {', '.join(kept)} (--force)", sys.stderr)


def run(given: argparse.Namespace) -> int:
    """Do what `ngshare-fs course` was told.

    Returns:
        the exit code: 0, or 1 where it was not done.
    """
    action = given.action.removesuffix("_course").replace("-", "_")
    try:
        getattr(Management(given), action)()
    except WrongRoster as problem:
        say("ngshare-fs: " + problem.lines[0], sys.stderr)
        for line in problem.lines[1:]:
            say(line, sys.stderr)
        return 1
    except (ServerProblem, NotConfirmed) as problem:
        say(f"ngshare-fs: {problem}", sys.stderr)
        return 1
    return 0


def old_main(arguments: Sequence[str] | None = None) -> int:
    """The command `ngshare-course-management`."""
    return run(old_parser().parse_args(arguments))


def _with_names(student: Student, there: dict[str, dict[str, Any]]) -> dict[str, str]:
    """What the server is sent: what is not given stays as it is."""
    present = there.get(student.user, {})
    names = {name: student.names.get(name, present.get(name) or "") for name in NAMES}
    return {"username": student.user, **names}


def say(text: str, stream: TextIO | None = None) -> None:
    """Print a line; a name in it neither breaks it off nor acts on the terminal."""
    print(text.translate(CONTROLS), file=stream)


def _line(*parts: str) -> str:
    return "  ".join(part for part in parts if part)


def _warn_of_capitals(users: Iterable[str]) -> None:
    capital = [user for user in users if user != user.lower()]
    if capital:
        say(
            f"JupyterHub makes user names lower-case, so that these may be nobody's: {', '.join(capital)}",
            sys.stderr,
        )
