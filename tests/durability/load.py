"""Clients that write whatever can be written, and keep a history of it."""

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.durability.history import COURSE, TEACHER, Answer, Client, History, Key, SomeTime, Value, digest
from tests.trees import tree

MARKED, HANDOUT = "ps1", "handout"
SIZES = (0, 100, 5_000, 60_000)
LARGE = 700_000  # waits on the disk while it arrives
# A client whose write was refused goes on with a fresh name, so that each name has one uncertain write at most.
NAMES = 6


class Writer:
    """One client.

    Args:
        url: the server.
        history: takes down what it does.
        name: its own; the names of the students it plays begin with it.
    """

    def __init__(self, url: str, history: History, name: str) -> None:
        self.client = Client(url)
        self.history = history
        self.name = name
        self.chance = random.Random(name)
        self.refusals = 0
        self._handed_in: dict[Key, tuple[Value, ...]] = {}

    @property
    def student(self) -> str:
        return f"{self.name}-{self.refusals}"

    @property
    def worn_out(self) -> bool:
        """Whether it has been refused so often that it has no fresh name left."""
        return self.refusals >= NAMES

    def write(self, method: str, path: str, user: str, values: dict[Key, Value], **fields: str) -> bool:
        """Write something whose effect does not hang on the answer; gives whether it was accepted."""
        return self._accepted(self.history.write(self.client, (method, path, user), lambda _: values, **fields))

    def hand_in(self, assignment: str, files: dict[str, bytes]) -> str | None:
        """Hand in; gives the timestamp."""
        key = ("submissions", assignment, self.student)
        before = self._handed_in.get(key, ())

        def values(answer: Answer) -> dict[Key, Value]:
            self._handed_in[key] = (*before, (answer.body.get("timestamp", SomeTime), digest(files)))
            return {key: self._handed_in[key]}

        call = ("POST", f"submission/{COURSE}/{assignment}", self.student)
        answer = self.history.write(self.client, call, values, files=tree(files))
        return str(answer.body["timestamp"]) if self._accepted(answer) else None

    def mark(self, assignment: str, student: str, timestamp: str, files: dict[str, bytes]) -> bool:
        """Give feedback."""
        path = f"feedback/{COURSE}/{assignment}/{student}"
        values: dict[Key, Value] = {("feedback", assignment, student, timestamp): digest(files)}
        return self.write("POST", path, TEACHER, values, timestamp=timestamp, files=tree(files))

    def release(self, assignment: str, files: dict[str, bytes], method: str = "POST") -> bool:
        """Release an assignment, with PUT one more time."""
        path = f"assignment/{COURSE}/{assignment}"
        return self.write(method, path, TEACHER, {("release", assignment): digest(files)}, files=tree(files))

    def delete(self, assignment: str) -> bool:
        """Delete an assignment."""
        values: dict[Key, Value] = {("release", assignment): None}
        for key in [key for key in self._handed_in if key[1] == assignment]:
            values[key] = self._handed_in[key] = ()
        return self.write("DELETE", f"assignment/{COURSE}/{assignment}", TEACHER, values)

    def enrol(self, *students: str) -> bool:
        """Add or change students by one write; their addresses are always new."""
        emails = {student: f"{self.chance.getrandbits(64):016x}@uni.example" for student in students}
        values: dict[Key, Value] = {("student", student): email for student, email in emails.items()}
        names = {"first_name": "Zoë", "last_name": ""}
        if len(students) == 1:
            fields = {**names, "email": emails[students[0]]}
            return self.write("POST", f"student/{COURSE}/{students[0]}", TEACHER, values, **fields)
        people = [{"username": student, "email": email, **names} for student, email in emails.items()]
        return self.write("POST", f"students/{COURSE}", TEACHER, values, students=json.dumps(people))

    def dismiss(self, student: str) -> bool:
        """Take a student off the roster."""
        return self.write("DELETE", f"student/{COURSE}/{student}", TEACHER, {("student", student): None})

    def make_course(self, course: str) -> bool:
        """Make a course; the one that the others need, with its teacher."""
        instructors = json.dumps([TEACHER])
        return self.write("POST", f"course/{course}", "root", {("course", course): "there"}, instructors=instructors)

    def delete_course(self, course: str) -> bool:
        return self.write("DELETE", f"course/{course}", "root", {("course", course): None})

    def files(self) -> dict[str, bytes]:
        """Some files that nobody handed in before."""
        number = self.chance.randint(1, 3)
        made = {
            f"folder {i}/f" if i % 2 else f"f{i}": self.chance.randbytes(self.chance.choice(SIZES))
            for i in range(number)
        }
        if self.chance.random() < 0.05:
            made["large"] = self.chance.randbytes(LARGE)
        return {**made, "which": self.chance.randbytes(8)}

    def _accepted(self, answer: Answer) -> bool:
        if answer.status != 200:
            self.refusals += 1
        return answer.status == 200


def prepare(url: str, history: History) -> None:
    """What the writers need: a course with its students, and two assignments."""
    writer = Writer(url, history, "dean")
    with writer.client:
        writer.make_course(COURSE)
        writer.enrol(*(f"{name}-{number}" for name in PARTS for number in range(NAMES)))
        writer.release(MARKED, {"p.ipynb": b"{}"})
        writer.release(HANDOUT, {"p.ipynb": b"{}"})
    assert history.refused == []


def one_of_each(url: str, history: History) -> None:
    """Every kind of write once or twice, by nobody else interrupted."""
    writer = Writer(url, history, "a student")
    with writer.client:
        writer.enrol("somebody")
        writer.enrol("somebody", "somebody else")
        writer.dismiss("somebody")
        writer.make_course("course 2")
        writer.delete_course("course 2")
        timestamp = writer.hand_in(MARKED, {"f": b"1"})
        assert timestamp is not None
        writer.hand_in(MARKED, {"f": b"2", "folder/below/f": b"3", "large": bytes(LARGE)})
        writer.mark(MARKED, writer.student, timestamp, {"f.html": b"4"})
        writer.mark(MARKED, writer.student, timestamp, {"f.html": b"5"})
        writer.release(HANDOUT, {"f": b"6"}, "PUT")
        writer.release("short", {"f": b"7"})
        writer.hand_in("short", {"f": b"8"})
        writer.delete("short")
    assert history.refused == []


def _hand_in(writer: Writer) -> None:
    writer.hand_in(MARKED, writer.files())


def _mark(writer: Writer) -> None:
    student = writer.student
    timestamp = writer.hand_in(MARKED, writer.files())
    for _ in range(2):
        if timestamp is not None:
            writer.mark(MARKED, student, timestamp, writer.files())
    writer.release(HANDOUT, writer.files(), "PUT")


def _enrol(writer: Writer) -> None:
    some = [f"extra {writer.chance.randrange(30)}" for _ in range(writer.chance.randint(1, 4))]
    if writer.enrol(*dict.fromkeys(some)) and writer.chance.random() < 0.5:
        writer.dismiss(some[0])


def _release_and_delete(writer: Writer) -> None:
    # A refused release may have happened or not: another name then.
    assignment = f"short {writer.chance.randrange(3)} {writer.refusals}"
    if writer.release(assignment, writer.files()):
        writer.hand_in(assignment, writer.files())
        writer.delete(assignment)


PARTS: dict[str, Callable[[Writer], None]] = {
    "student 1": _hand_in,
    "student 2": _hand_in,
    "student 3": _hand_in,
    "marker": _mark,
    "registrar": _enrol,
    "releaser": _release_and_delete,
    "a student": _hand_in,
}


class Load:
    """All parts at the same time, each on a thread of its own, until it is over.

    Args:
        pause: seconds for which each rests before it goes on.
    """

    def __init__(self, url: str, history: History, pause: float = 0) -> None:
        self._pause = pause
        self.over = threading.Event()
        self.failures: list[BaseException] = []
        self._writers = [Writer(url, history, name) for name in PARTS]
        self._threads = [threading.Thread(target=self._play, args=(writer,)) for writer in self._writers]

    def _play(self, writer: Writer) -> None:
        try:
            with writer.client:
                while not self.over.is_set() and not writer.worn_out:
                    PARTS[writer.name](writer)
                    self.over.wait(self._pause)
        except BaseException as failure:
            self.failures.append(failure)

    def start(self) -> None:
        """Let them begin."""
        for thread in self._threads:
            thread.start()

    def wait_until_worn_out(self, seconds: float) -> None:
        """Wait until every client has been refused often enough."""
        for thread in self._threads:
            thread.join(seconds)
            assert not thread.is_alive(), "a client still waits for an answer, or still gets a good one"

    def end(self) -> None:
        """Let them finish what is under way."""
        self.over.set()
        for thread in self._threads:
            thread.join()


@contextmanager
def load(url: str, history: History, pause: float = 0) -> Iterator[Load]:
    """Have the server under load meanwhile; afterwards nothing is under way."""
    running = Load(url, history, pause)
    running.start()
    try:
        yield running
    finally:
        running.end()
    assert running.failures == []
