"""Many people at work on a server at once, and a record of every write: which were acknowledged, and when.

    workload = Workload(seed)
    workload.prepare(server.url)
    with workload.running(server.url):
        ...                                  # kill the server, take a snapshot of its disk, ...
    model = workload.history.model(before=..., after=...)

`model` says what has to be on the volume, as seen at a moment between `before` and `after` (of `time.monotonic()`):
every write that was acknowledged before `before`; writes that were under way may be there, wholly, or not; writes that
began after `after` are not. `on_disk.look` and `through_api.check` compare a volume and a server with it.

Each thing (an entry of a roster, an assignment, a student's submissions) is written by one client alone, one write
after the other, so that the record alone says what has to be there. Clients still meet: in the files of a roster, in
the folders of an assignment, in its lock, and where one deletes the assignment that another is handing in to.
"""

import base64
import hashlib
import http.client
import json
import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, quote_plus, urlencode, urlsplit

from ngshare_fs.http.refusals import INTERRUPTED
from tests.durability.calls import unless_busy
from tests.durability.record import History, Model, Person, Write, content_of

ADMIN = "root"
INSTRUCTOR = "kevin"
COURSE = "NBG 101"
FIRST_ASSIGNMENT = "ps1"
PATIENCE = 60
STUDENTS_OF_CLIENT = 3
PEOPLE_OF_CLIENT = 60
# What one client may have at a time: enough for every write to have something to work on, few enough to look through.
MOST_ASSIGNMENTS = 6
# A file above 256 KiB goes to the staging folder while it arrives; so do small ones of more than 1 MiB together.
LARGE_FILE = (260 * 1024, 2**20)


class Unanswered(Exception):
    """The connection broke before the answer was complete."""


class Connection:
    """Calls to one server, on one connection that is kept.

    Args:
        url: of the server, with the prefix.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._prefix = parts.path
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)

    def call(self, method: str, path: list[str], user: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
        """Call an endpoint; `path` in plain text by segments, `body` form-encoded.

        Raises:
            Unanswered: nobody knows what became of it.
        """
        return unless_busy(
            lambda: self._ask(method, path, {"user": user}, body), lambda answer: answer[1].get("message")
        )

    def get(self, path: list[str], user: str, **query: str) -> tuple[int, dict[str, Any]]:
        """Read something."""
        return self._ask("GET", path, {"user": user, **query}, None)

    def _ask(
        self, method: str, path: list[str], query: Mapping[str, str], body: bytes | None
    ) -> tuple[int, dict[str, Any]]:
        target = self._prefix + "/".join(quote(segment, safe="") for segment in path) + f"?{urlencode(query)}"
        headers = {} if body is None else {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            self._connection.request(method, target, body, headers)
            response = self._connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unanswered(repr(error)) from error

    def close(self) -> None:
        self._connection.close()


def form_of_tree(files: Mapping[str, bytes], **more: str) -> bytes:
    """A form with a directory tree. By hand: `urlencode` takes 0.2 s for a MiB, and the clients share a core."""
    entries = []
    for path, data in files.items():
        content = base64.b64encode(data).decode().replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
        entries.append(quote_plus(f'{{"path": {json.dumps(path)}, "content": "') + content + quote_plus('"}'))
    fields = f"{urlencode(more)}&" if more else ""
    return (fields + "files=%5B" + "%2C".join(entries) + "%5D").encode()


class Workload:
    """People at work.

    Args:
        seed: decides what they do, as far as threads can be told.
        clients: how many at a time.
        deletes: whether they also delete assignments and courses, and take people off.
    """

    def __init__(self, seed: int, clients: int = 5, deletes: bool = True) -> None:
        self.history = History()
        self.problems: list[str] = []
        self.over = threading.Event()
        self.server_is_dying = threading.Event()
        self.shared: list[tuple[str, str]] = []
        self._seed = seed
        self._clients = clients
        self.deletes = deletes
        self._runs = 0

    def prepare(self, url: str) -> None:
        """Make the course that all share. Call it once, on an empty volume."""
        client = _Client(self, 0, random.Random(self._seed), url, self.history.model())
        client.make_course(COURSE)
        client.set_people(COURSE, [name for number in range(self._clients) for name in students_of(number)])
        client.release(COURSE, FIRST_ASSIGNMENT)
        client.close()
        assert not self.problems, self.problems

    @contextmanager
    def running(self, url: str) -> Iterator[None]:
        """Let them work meanwhile; where a client's connection breaks, it stops."""
        self._runs += 1
        self.over.clear()
        self.server_is_dying.clear()
        model = self.history.model()
        self.shared = [
            (course.name, assignment.name)
            for course in model.courses.values()
            for assignment in course.assignments.values()
            if course.name == COURSE and model.is_alive(assignment)
        ]
        clients = [
            _Client(self, number, random.Random(f"{self._seed} {self._runs} {number}"), url, model)
            for number in range(self._clients)
        ]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            self.over.set()
            for client in clients:
                client.join(2 * PATIENCE)
                if client.is_alive():
                    self.problems.append(f"client {client.number} hangs")


def students_of(client: int) -> list[str]:
    """The students who hand in through one client."""
    return [f"student {client}-{number}" for number in range(STUDENTS_OF_CLIENT)]


class _Client(threading.Thread):
    """One after the other, a random write; now and then a look at what others handed in."""

    def __init__(self, workload: Workload, number: int, rng: random.Random, url: str, model: Model) -> None:
        super().__init__(name=f"client {number}", daemon=True)
        self.number = number
        self._workload = workload
        self._history = workload.history
        self._random = rng
        self._connection = Connection(url)
        self._remember(model)

    def _remember(self, model: Model) -> None:
        self._courses: list[str] = []
        self._assignments: list[str] = []
        self._submissions: list[Write] = []
        for course in model.courses.values():
            if course.name != COURSE:
                if model.is_alive(course) and course.created.client == self.number:
                    self._courses.append(course.name)
                continue
            for assignment in course.assignments.values():
                if model.is_alive(assignment):
                    if assignment.releases[0].client == self.number and assignment.name != FIRST_ASSIGNMENT:
                        self._assignments.append(assignment.name)
                    for writes in assignment.submissions.values():
                        self._submissions += [write for write in writes if write.client == self.number]

    def run(self) -> None:
        deeds = {
            self._submit: 30,
            self._submit_large: 5,
            self._give_feedback: 12,
            self._release_again: 7,
            self._release_new: 7,
            self._drop_assignment: 3,
            self._change_one: 8,
            self._take_off: 4,
            self._change_many: 3,
            self._make_course: 2,
            self._drop_course: 1,
            self._read: 12,
        }
        if not self._workload.deletes:
            del deeds[self._drop_assignment], deeds[self._drop_course], deeds[self._take_off]
        try:
            while not self._workload.over.is_set():
                self._random.choices(list(deeds), list(deeds.values()))[0]()
        except Unanswered:
            pass
        except Exception as error:
            self._workload.problems.append(f"{self.name}: {error!r}")
        finally:
            self.close()

    def close(self) -> None:
        self._connection.close()

    def _send(self, write: Write, method: str, path: list[str], user: str, body: bytes | None = None) -> bool:
        status, answer = self._connection.call(method, path, user, body)
        self._history.end(write, status, answer)
        in_assignment = write.kind in ("submission", "feedback")
        if status == 503 and answer["message"] == INTERRUPTED.message:
            if self._workload.server_is_dying.is_set():
                raise Unanswered("the process that writes was killed a moment before the one that answers")
            if in_assignment and self._workload.deletes:
                return False  # the assignment was moved to the trash between the rename and the flush of its folder
        # Somebody else may have deleted the assignment meanwhile; everything else has to succeed.
        if status != 200 and not (status == 404 and in_assignment):
            self._workload.problems.append(f"{write}: {answer}")
        return status == 200

    def _some_files(self, number: int, large: bool = False) -> dict[str, bytes]:
        # The first file is like no other, so that a tree without an answer can be told.
        files = {"problem 1.ipynb": f"{self._workload._seed} {number} {self._random.random()}".encode()}
        for index in range(self._random.randrange(3)):
            path = self._random.choice(["data/x", "deep/er/and/deeper", "ü ber", ".hidden"])
            files[f"{path}-{index}"] = self._random.randbytes(self._random.choice([0, 1, 100, 3000]))
        if large:
            files["plot/large.png"] = self._random.randbytes(self._random.randint(*LARGE_FILE))
            if self._random.random() < 0.3:
                # Each small enough to wait in memory, together too much for it.
                files |= {f"part {index}": self._random.randbytes(200 * 1024) for index in range(6)}
        return files

    def _tree_write(self, kind: str, method: str, path: list[str], user: str, **more: Any) -> Write | None:
        large = bool(more.pop("large", False))
        fields = more.pop("fields", {})
        files = self._some_files(len(self._history.writes), large)
        remembered = {name: content_of(data) for name, data in files.items()}
        body = form_of_tree(files, **fields)
        write = self._history.begin(self.number, kind, COURSE, by=user, files=remembered, **more)
        return write if self._send(write, method, path, user, body) else None

    def make_course(self, name: str) -> None:
        """Make a course with its instructor."""
        write = self._history.begin(self.number, "course", name)
        body = urlencode({"instructors": json.dumps([INSTRUCTOR])}).encode()
        if self._send(write, "POST", ["course", name], ADMIN, body):
            self._courses.append(name)

    def set_people(self, course: str, users: list[str]) -> None:
        """Make many users students, each with an entry that nobody had before."""
        people = {user: self._somebody(user) for user in users}
        write = self._history.begin(self.number, "people", course, people=people)
        entries = [{"username": user, **person._asdict()} for user, person in people.items()]
        self._send(
            write, "POST", ["students", course], INSTRUCTOR, urlencode({"students": json.dumps(entries)}).encode()
        )

    def release(self, course: str, assignment: str) -> bool:
        """Release a new assignment of the course that all share."""
        path = ["assignment", course, assignment]
        return self._tree_write("release", "POST", path, INSTRUCTOR, assignment=assignment) is not None

    def _somebody(self, user: str) -> Person:
        unique = f"{len(self._history.writes)}.{self._random.randrange(10**9)}@uni.example"
        return Person(f"first of {user}", self._random.choice(["", "no", "'", "Lovelace: #1"]), unique)

    def _submit(self, large: bool = False) -> None:
        _, assignment = self._random.choice(list(self._workload.shared))
        student = self._random.choice(students_of(self.number))
        path = ["submission", COURSE, assignment]
        write = self._tree_write(
            "submission", "POST", path, student, assignment=assignment, student=student, large=large
        )
        if write is not None:
            self._submissions.append(write)

    def _submit_large(self) -> None:
        self._submit(large=True)

    def _give_feedback(self) -> None:
        if not self._submissions:
            return
        on = self._random.choice(self._submissions[-20:])
        path = ["feedback", COURSE, on.assignment, on.student]
        about = {"assignment": on.assignment, "student": on.student, "submission": on.timestamp}
        if self._tree_write("feedback", "POST", path, INSTRUCTOR, fields={"timestamp": on.timestamp}, **about) is None:
            self._submissions.remove(on)

    def _release_again(self) -> None:
        if self._assignments:
            assignment = self._random.choice(self._assignments)
            path = ["assignment", COURSE, assignment]
            self._tree_write("release again", "PUT", path, INSTRUCTOR, assignment=assignment)

    def _release_new(self) -> None:
        if len(self._assignments) >= MOST_ASSIGNMENTS:
            return
        number = f"{self.number}.{len(self._history.writes)}"
        # The second is too long for a folder's name: the volume cuts it, and the manifests know the rest.
        name = self._random.choice([f"ps {number}", f"ö {number} " + "x" * 300, f"../{number}", f"{number}."])
        if self.release(COURSE, name):
            self._assignments.append(name)
            self._workload.shared.append((COURSE, name))

    def _drop_assignment(self) -> None:
        if len(self._assignments) < 2:
            return
        name = self._assignments.pop(self._random.randrange(len(self._assignments)))
        write = self._history.begin(self.number, "drop assignment", COURSE, assignment=name)
        # Others go on handing in to it until the answer is here.
        if self._send(write, "DELETE", ["assignment", COURSE, name], INSTRUCTOR):
            self._workload.shared.remove((COURSE, name))

    def _change_one(self) -> None:
        user = f"user {self.number}-{self._random.randrange(PEOPLE_OF_CLIENT)}"
        person = self._somebody(user)
        write = self._history.begin(self.number, "people", COURSE, people={user: person})
        self._send(write, "POST", ["student", COURSE, user], INSTRUCTOR, urlencode(person._asdict()).encode())

    def _take_off(self) -> None:
        people = self._my_people()
        if people:
            user = self._random.choice(people)
            write = self._history.begin(self.number, "people", COURSE, people={user: None})
            self._send(write, "DELETE", ["student", COURSE, user], INSTRUCTOR)

    def _my_people(self) -> list[str]:
        status, answer = self._connection.get(["students", COURSE], INSTRUCTOR)
        assert status == 200, answer
        names: list[str] = [entry["username"] for entry in answer["students"]]
        return [name for name in names if name.startswith(f"user {self.number}-")]

    def _change_many(self) -> None:
        numbers = self._random.sample(range(PEOPLE_OF_CLIENT), self._random.randint(2, 30))
        self.set_people(COURSE, [f"user {self.number}-{number}" for number in numbers])

    def _make_course(self) -> None:
        if len(self._courses) < 3:
            self.make_course(f"course {self.number}.{len(self._history.writes)}/")

    def _drop_course(self) -> None:
        if self._courses:
            name = self._courses.pop()
            write = self._history.begin(self.number, "drop course", name)
            self._send(write, "DELETE", ["course", name], ADMIN)

    def _read(self) -> None:
        _, assignment = self._random.choice(list(self._workload.shared))
        status, answer = self._connection.get(["submissions", COURSE, assignment], INSTRUCTOR)
        assert status in (200, 404), answer
        if status == 404 or not answer["submissions"]:
            return
        entry = self._random.choice(answer["submissions"])
        path = ["submission", COURSE, assignment, entry["student_id"]]
        status, answer = self._connection.get(path, INSTRUCTOR, timestamp=entry["timestamp"])
        assert status in (200, 404), answer
        for file in answer["files"] if status == 200 else ():
            assert hashlib.md5(base64.b64decode(file["content"])).hexdigest() == file["checksum"], (
                path,
                entry,
                file["path"],
            )
