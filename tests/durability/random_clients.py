"""Clients that do what comes to their minds, on several servers of one volume, and a history of what they saw."""

import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ngshare_fs.http.refusals import INTERRUPTED
from tests.durability.calls import (
    PATIENCE,
    Answer,
    NeverSent,
    ask,
    call,
    content_of,
    files_of,
    handed_in,
    moments_in,
    people_in,
)
from tests.durability.linearizability import NO_ANSWER, Operation
from tests.durability.models import DONE, Refused, Released, Work
from tests.servers import Server
from tests.trees import tree

CLIENTS = 8
COURSE = "NBG 101"
SHORT_LIVED = ("here today", "gone tomorrow")
STUDENTS = ("ada", "zoë@uni.example", "..")
ASSIGNMENTS = ("ps1", "a/b", "deleted often", "deleted, too")
DELETED = ASSIGNMENTS[2:]
PASSERS_BY = tuple(f"passer-by {number}" for number in range(6))
INSTRUCTOR = "kevin"

Key = tuple[str, ...]


@dataclass
class History:
    """All that happened, by the thing that it happened to, and the answers that must never come."""

    by_key: dict[Key, list[Operation]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    start: dict[Key, Any] = field(default_factory=dict)
    known: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, key: Key, operation: Operation) -> None:
        """Note an operation on one thing; the lists only grow, so threads need no lock."""
        self.by_key[key].append(operation)

    def __len__(self) -> int:
        return sum(map(len, self.by_key.values()))


def prepare(server: Server) -> History:
    """A volume with a course to work in."""
    history = History()
    call(server, "POST", "course", COURSE, instructors=json.dumps([INSTRUCTOR]))
    entries = [{"username": name, "first_name": "", "last_name": "", "email": "first"} for name in STUDENTS]
    call(server, "POST", "students", COURSE, students=json.dumps(entries))
    for name in ASSIGNMENTS:
        content = f"first {name}"
        call(server, "POST", "assignment", COURSE, name, user=INSTRUCTOR, files=tree(files_of(content)))
        history.start["assignment", name] = Released(content)
        history.start |= {("work", name, student): Work() for student in STUDENTS}
    history.start["people", COURSE] = frozenset((name, "first") for name in STUDENTS)
    history.start |= {("people", course): None for course in SHORT_LIVED}
    # Made here, so that no two threads make them at once.
    history.by_key.update({key: [] for key in history.start})
    return history


class Client:
    """Somebody who does one thing after the other, each on any server.

    Args:
        number: of the client.
        seed: what it does follows from it.
        servers: what may be asked; may change meanwhile.
        history: where it is written down.
    """

    def __init__(self, number: int, seed: int, servers: Sequence[Server], history: History) -> None:
        self.number = number
        self.dice = random.Random(f"{seed} {number}")
        self.servers = servers
        self.history = history
        self.count = 0
        chances: dict[Callable[[], None], int] = {
            self.submit: 16,
            self.list_submissions: 10,
            self.list_all: 8,
            self.collect_latest: 10,
            self.collect: 4,
            self.give_feedback: 6,
            self.get_feedback: 6,
            self.fetch: 10,
            self.release_again: 5,
            self.fetch_as_a_student: 4,
            self.withdraw: 3,
            self.delete_assignment: 2,
            self.release: 5,
            self.list_assignments: 4,
            self.list_open_assignments: 3,
            self.set_student: 7,
            self.set_students: 3,
            self.remove_student: 5,
            self.get_student: 4,
            self.list_students: 8,
            self.create_course: 3,
            self.delete_course: 2,
            self.list_courses: 3,
        }
        self._actions, self._weights = list(chances), list(chances.values())

    def work(self, over: threading.Event) -> None:
        """Go on until told otherwise."""
        while not over.is_set():
            self.dice.choices(self._actions, self._weights)[0]()

    # Where a choice is left out, it is drawn.

    def submit(self) -> None:
        name, student, content = self._assignment(), self._student(), self._content()
        path = ("submission", COURSE, name)
        answer = self._do(
            [("work", name, student)],
            "submit",
            content,
            ("POST", path, student, {"files": tree(files_of(content))}),
            lambda body: str(body["timestamp"]),
        )
        if isinstance(answer, str):
            self.history.known.append((name, student, answer))

    def list_submissions(self, name: str = "", student: str = "") -> None:
        name, student = name or self._assignment(), student or self._student()
        path = ("submissions", COURSE, name, student)
        self._look([("work", name, student)], "list submissions", None, path, moments_in)

    def list_all(self, name: str = "") -> None:
        name = name or self._assignment()
        keys = [("work", name, student) for student in STUDENTS]
        path = ("submissions", COURSE, name)
        each = [lambda body, of=student: moments_in(body, of) for student in STUDENTS]
        self._look(keys, "list submissions", None, path, *each)

    def collect_latest(self, name: str = "", student: str = "") -> None:
        name, student = name or self._assignment(), student or self._student()
        self._look(
            [("work", name, student)], "collect the latest", None, ("submission", COURSE, name, student), handed_in
        )

    def collect(self) -> None:
        if self.history.known:
            name, student, moment = self.dice.choice(self.history.known)
            key, path = ("work", name, student), ("submission", COURSE, name, student)
            self._look([key], "collect", moment, path, handed_in, timestamp=moment)

    def give_feedback(self) -> None:
        if self.history.known:
            name, student, moment = self.dice.choice(self.history.known[-20:])
            content = self._content()
            fields = {"timestamp": moment, "files": tree(files_of(content))}
            path = ("feedback", COURSE, name, student)
            self._do([("work", name, student)], "give feedback", (moment, content), ("POST", path, INSTRUCTOR, fields))

    def get_feedback(self) -> None:
        if self.history.known:
            name, student, moment = self.dice.choice(self.history.known[-20:])
            key, path = ("work", name, student), ("feedback", COURSE, name, student)
            self._look([key], "get feedback", moment, path, lambda body: (content_of(body),), timestamp=moment)

    def fetch(self, name: str = "") -> None:
        name = name or self._assignment()
        self._look([("assignment", name)], "fetch", None, ("assignment", COURSE, name), content_of)

    def fetch_as_a_student(self) -> None:
        name, student = self._assignment(), self._student()
        request = ("GET", ("assignment", COURSE, name), student, {})  # type: ignore[var-annotated]
        self._do([("assignment", name)], "fetch as a student", None, request, content_of)

    def release(self) -> None:
        name = self.dice.choice(DELETED)
        self._release([*_work_keys(name), ("assignment", name)], "release", "POST", name)

    def release_again(self) -> None:
        name = self._assignment()
        work = _work_keys(name) if name in DELETED else []  # only those are ever withdrawn
        self._release([*work, ("assignment", name)], "release again", "PUT", name)

    def withdraw(self) -> None:
        name = self.dice.choice(DELETED)
        keys: list[Key] = [*_work_keys(name), ("assignment", name)]
        self._do(keys, "withdraw", None, ("PUT", ("assignment", COURSE, name, "withdrawn"), INSTRUCTOR, {}))

    def delete_assignment(self) -> None:
        name = self.dice.choice(DELETED)
        keys: list[Key] = [*_work_keys(name), ("assignment", name)]
        self._do(keys, "delete assignment", None, ("DELETE", ("assignment", COURSE, name), INSTRUCTOR, {}))

    def list_assignments(self) -> None:
        keys = [("assignment", name) for name in ASSIGNMENTS]
        each = [lambda body, of=name: of in body["assignments"] for name in ASSIGNMENTS]
        self._look(keys, "list assignments", None, ("assignments", COURSE), *each)

    def list_open_assignments(self) -> None:
        keys = [("assignment", name) for name in ASSIGNMENTS]
        each = [lambda body, of=name: of in body["assignments"] for name in ASSIGNMENTS]
        request = ("GET", ("assignments", COURSE), self._student(), {})  # type: ignore[var-annotated]
        self._do(keys, "list open assignments", None, request, *each)

    def set_student(self) -> None:
        course, name, email = self._course(), self.dice.choice(PASSERS_BY), self._content()
        fields = {"first_name": "", "last_name": "", "email": email}
        self._do(
            [("people", course)], "set students", ((name, email),), ("POST", ("student", course, name), "root", fields)
        )

    def set_students(self) -> None:
        course, email = self._course(), self._content()
        names = self.dice.sample(PASSERS_BY, 3)
        entries = [{"username": name, "first_name": "", "last_name": "", "email": email} for name in names]
        fields = {"students": json.dumps(entries)}
        argument = tuple((name, email) for name in names)
        self._do([("people", course)], "set students", argument, ("POST", ("students", course), "root", fields))

    def remove_student(self) -> None:
        course, name = self._course(), self.dice.choice(PASSERS_BY)
        self._do([("people", course)], "remove student", name, ("DELETE", ("student", course, name), "root", {}))

    def get_student(self) -> None:
        course, name = self._course(), self.dice.choice(PASSERS_BY)
        self._look(
            [("people", course)], "get student", name, ("student", course, name), lambda body: str(body["email"])
        )

    def list_students(self, course: str = "") -> None:
        course = course or self._course()
        self._look([("people", course)], "list students", None, ("students", course), people_in)

    def create_course(self) -> None:
        course = self.dice.choice(SHORT_LIVED)
        self._do([("people", course)], "create course", None, ("POST", ("course", course), "root", {}))

    def delete_course(self) -> None:
        course = self.dice.choice(SHORT_LIVED)
        self._do([("people", course)], "delete course", None, ("DELETE", ("course", course), "root", {}))

    def list_courses(self) -> None:
        courses = (COURSE, *SHORT_LIVED)
        each = [lambda body, of=course: of in body["courses"] for course in courses]
        self._look([("people", course) for course in courses], "list courses", None, ("courses",), *each)

    def look_at_everything(self) -> None:
        """Read each thing once."""
        for name in ASSIGNMENTS:
            self.fetch(name)
            self.list_all(name)
            for student in STUDENTS:
                self.list_submissions(name, student)
                self.collect_latest(name, student)
        for course in (COURSE, *SHORT_LIVED):
            self.list_students(course)
        self.list_courses()
        self.list_assignments()

    def _release(self, keys: list[Key], what: str, method: str, name: str) -> None:
        content = self._content()
        fields = {"files": tree(files_of(content))}
        self._do(keys, what, content, (method, ("assignment", COURSE, name), INSTRUCTOR, fields))

    def _look(
        self,
        keys: Sequence[Key],
        name: str,
        argument: Hashable,
        path: Sequence[str],
        *understand: Callable[[dict[str, Any]], Hashable],
        **fields: str,
    ) -> None:
        self._do(keys, name, argument, ("GET", path, "root", fields), *understand)

    def _do(
        self,
        keys: Sequence[Key],
        name: str,
        argument: Hashable,
        request: tuple[str, Sequence[str], str, dict[str, str]],
        *understand: Callable[[dict[str, Any]], Hashable],
    ) -> Hashable:
        """Call an endpoint, and note what it says of each thing that it is about; gives the first of these."""
        started, answer, place = self._ask(*request)
        ended = time.monotonic() - self.history.began
        where = f"client {self.number} of server {place}"
        reads = request[0] == "GET"
        # Interrupted: what was stored in the instant in which its assignment was deleted is with it in the trash.
        if answer is None or answer[1].get("message") == INTERRUPTED.message:
            if not reads:
                for key in keys:
                    self.history.add(key, Operation(name, argument, NO_ANSWER, started, where=where))
            return NO_ANSWER
        status, body = answer
        try:
            meanings = _meanings(status, body, len(keys), understand)
        except AssertionError as problem:
            self.history.wrong.append(f"{started:.4f} {where}: {' '.join((request[0], *request[1]))}: {problem}")
            return NO_ANSWER
        for key, meaning in zip(keys, meanings, strict=True):
            changes = not (reads or isinstance(meaning, Refused))
            self.history.add(key, Operation(name, argument, meaning, started, ended, where, changes))
        return meanings[0]

    def _ask(
        self, method: str, path: Sequence[str], user: str, fields: dict[str, str]
    ) -> tuple[float, Answer | None, int]:
        deadline = time.monotonic() + PATIENCE
        while True:
            place = self.dice.randrange(len(self.servers))
            started = time.monotonic() - self.history.began
            try:
                return started, ask(self.servers[place].url, method, path, user, fields), place
            except NeverSent:
                assert time.monotonic() < deadline, "no server listens"

    def _content(self) -> str:
        self.count += 1
        return f"{self.number}.{self.count}"

    # Half of all goes to the first one: the more meet in one place, the sooner a gap shows.

    def _assignment(self) -> str:
        return self.dice.choice((*ASSIGNMENTS, *ASSIGNMENTS[:1] * 3))

    def _student(self) -> str:
        return self.dice.choice((*STUDENTS, *STUDENTS[:1] * 3))

    def _course(self) -> str:
        return self.dice.choice((COURSE, COURSE, *SHORT_LIVED))


def _work_keys(name: str) -> list[Key]:
    return [("work", name, student) for student in STUDENTS]


def _meanings(
    status: int, body: dict[str, Any], count: int, understand: Sequence[Callable[[dict[str, Any]], Hashable]]
) -> list[Hashable]:
    """What an answer says of each thing that it is about."""
    if status in (404, 409):
        if body["message"] == "Course not found" and count > 1:
            raise AssertionError("a course is gone that nobody deleted")
        return [Refused(body["message"])] * count
    assert status == 200, f"{status} {body}"
    if not understand:
        return [DONE] * count
    return [each(body) for each in understand]


@contextmanager
def busy(servers: Sequence[Server], seed: int, history: History) -> Iterator[None]:
    """Clients at work in the meantime; at the end each server is asked for everything."""
    over = threading.Event()
    failures: list[BaseException] = []

    def work(client: Client) -> None:
        try:
            client.work(over)
        except BaseException as failure:
            failures.append(failure)

    clients = [Client(number, seed, servers, history) for number in range(CLIENTS)]
    threads = [threading.Thread(target=work, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(2 * PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "a client hangs"
    assert not failures, failures
    for number, server in enumerate(servers):
        Client(CLIENTS + number, seed, [server], history).look_at_everything()
