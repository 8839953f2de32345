"""A record of every write, and what follows from it: what has to be on the volume at a given moment."""

import hashlib
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Person(NamedTuple):
    """An entry of a roster."""

    first_name: str
    last_name: str
    email: str


class Content(NamedTuple):
    """What is remembered of a file."""

    size: int
    md5: str
    sha256: str


Files = Mapping[str, Content]


def content_of(data: bytes) -> Content:
    """What is remembered of these bytes."""
    return Content(len(data), hashlib.md5(data).hexdigest(), hashlib.sha256(data).hexdigest())


@dataclass
class Write:
    """One request that changes something, and what became of it.

    Args:
        number: counts all writes.
        client: who sent it.
        kind: a key of `KINDS`.
        submission: the timestamp of the submission that a piece of feedback is on.
        files: of a tree.
        people: entries of a roster; None for one that is taken off.
        started, answered: by `time.monotonic()`.
        status: of the answer; None while there is none, and where there never was one.
        timestamp: of a submission, from the answer or from the volume.
        landed: what a look at the volume showed, where there was no answer.
    """

    number: int
    client: int
    kind: str
    course: str
    assignment: str = ""
    student: str = ""
    submission: str = ""
    by: str = ""
    files: Files = field(default_factory=dict)
    people: Mapping[str, Person | None] = field(default_factory=dict)
    started: float = 0.0
    answered: float = math.inf
    status: int | None = None
    timestamp: str = ""
    landed: bool | None = None

    def __str__(self) -> str:
        names = " / ".join(filter(None, (self.course[:30], self.assignment[:30], self.student, self.submission)))
        return f"write {self.number} of client {self.client}: {self.kind} {names} -> {self.status} {self.timestamp}"

    def is_done(self, before: float) -> bool:
        """Whether it was acknowledged before that moment (or found on the volume later)."""
        if self.landed is not None:
            return self.landed
        return self.status == 200 and self.answered <= before

    def may_be_done(self, after: float) -> bool:
        """Whether it may be on the volume at that moment.

        A refusal by a 4xx says that it is not; but 404 is also the answer where the assignment was deleted between the
        rename that publishes and the flush after it. Then the tree went into the trash with its assignment.
        """
        if self.landed is not None:
            return self.landed
        return self.started <= after and (self.status in (None, 200, 404) or (self.status or 0) >= 500)


@dataclass
class ExpectedAssignment:
    """What has to be found of one assignment, the first release being what made it."""

    name: str
    releases: list[Write] = field(default_factory=list)
    submissions: dict[str, list[Write]] = field(default_factory=dict)
    feedback: dict[tuple[str, str], list[Write]] = field(default_factory=dict)
    dropped: Write | None = None


@dataclass
class ExpectedCourse:
    """What has to be found of one course.

    Args:
        people: for each user who was ever on the roster, the writes that may have the last word, the oldest first.
    """

    name: str
    created: Write
    people: dict[str, list[Write]] = field(default_factory=dict)
    assignments: dict[str, ExpectedAssignment] = field(default_factory=dict)
    dropped: Write | None = None


class Model:
    """What has to be on the volume.

    Args:
        writes: all that may be on it, in the order in which they began.
        unsure: the numbers of those that may be there or not.
    """

    def __init__(self, writes: list[Write], unsure: set[int]) -> None:
        self.unsure = unsure
        self.courses: dict[str, ExpectedCourse] = {}
        for write in writes:
            KINDS[write.kind](self, write)

    def is_sure(self, write: Write) -> bool:
        """Whether it has to be there."""
        return write.number not in self.unsure

    def is_alive(self, thing: ExpectedCourse | ExpectedAssignment) -> bool:
        """Whether it has to be served: made for sure, and nobody tried to delete it."""
        made = self.what_made(thing)
        return made is not None and self.is_sure(made) and thing.dropped is None

    def what_made(self, thing: ExpectedCourse | ExpectedAssignment) -> Write | None:
        """The write without which it would not be there."""
        if isinstance(thing, ExpectedCourse):
            return thing.created
        return thing.releases[0] if thing.releases else None

    def _made_course(self, write: Write) -> None:
        self.courses[write.course] = ExpectedCourse(write.course, write)

    def _dropped_course(self, write: Write) -> None:
        self.courses[write.course].dropped = write

    def _changed_people(self, write: Write) -> None:
        people = self.courses[write.course].people
        for user in write.people:
            people[user] = [write] if self.is_sure(write) else [*people.get(user, ()), write]

    def _released(self, write: Write) -> None:
        assignments = self.courses[write.course].assignments
        assignments.setdefault(write.assignment, ExpectedAssignment(write.assignment)).releases.append(write)

    def _dropped_assignment(self, write: Write) -> None:
        self.courses[write.course].assignments[write.assignment].dropped = write

    def _submitted(self, write: Write) -> None:
        # Somebody may hand in to an assignment that he saw listed before its instructor had an answer.
        assignments = self.courses[write.course].assignments
        assignment = assignments.setdefault(write.assignment, ExpectedAssignment(write.assignment))
        assignment.submissions.setdefault(write.student, []).append(write)

    def _returned(self, write: Write) -> None:
        feedback = self.courses[write.course].assignments[write.assignment].feedback
        feedback.setdefault((write.student, write.submission), []).append(write)


KINDS: dict[str, Callable[[Model, Write], None]] = {
    "course": Model._made_course,
    "drop course": Model._dropped_course,
    "people": Model._changed_people,
    "release": Model._released,
    "release again": Model._released,
    "drop assignment": Model._dropped_assignment,
    "submission": Model._submitted,
    "feedback": Model._returned,
}


class History:
    """Every write that was ever begun."""

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self._guard = threading.Lock()

    def begin(self, client: int, kind: str, course: str, **more: Any) -> Write:
        """A write is about to be sent."""
        with self._guard:
            write = Write(len(self.writes), client, kind, course, **more)
            self.writes.append(write)
        write.started = time.monotonic()
        return write

    def end(self, write: Write, status: int, answer: Mapping[str, Any]) -> None:
        """Its answer is here, whole."""
        write.timestamp = str(answer.get("timestamp", ""))
        # The moment before the status: whoever reads meanwhile takes it for unanswered.
        write.answered = time.monotonic()
        write.status = status

    def acknowledged(self) -> int:
        """How many writes were acknowledged until now."""
        return sum(write.status == 200 for write in list(self.writes))

    def model(self, before: float = math.inf, after: float = math.inf) -> Model:
        """What has to be on the volume at a moment between the two."""
        with self._guard:
            writes = [write for write in self.writes if write.may_be_done(after)]
        return Model(writes, {write.number for write in writes if not write.is_done(before)})

    def settle(self, landed: Mapping[int, str]) -> None:
        """Remember which of the writes without an answer a look has found; from now on they have to stay.

        Args:
            landed: their numbers, and the timestamps of trees.
        """
        for write in self.writes:
            if write.landed is None and write.status != 200:
                write.landed = write.number in landed
                write.timestamp = landed.get(write.number, "")
