"""Compares what a running server says with what has to be there. Every open question has to be settled before."""

import base64
import random
from collections.abc import Iterable, Iterator
from typing import Any

from tests.durability.record import ExpectedAssignment, ExpectedCourse, Model, Person, Write, content_of
from tests.durability.workload import ADMIN, INSTRUCTOR, Connection

Download = tuple[Write, list[str], dict[str, str]]


def check(url: str, model: Model, already: set[int], rng: random.Random, sample: int = 60) -> list[str]:
    """What the server says differently.

    Args:
        url: of the server.
        model: what it has to say; nothing unsure in it.
        already: the numbers of trees that were downloaded before; of these a few are downloaded again. Extended.
        rng: decides which.
        sample: how many; all where it is negative.
    """
    assert not model.unsure, "look at the volume first, and settle what you find"
    return list(_Questions(Connection(url), model, already, rng, sample).all())


class _Questions:
    def __init__(
        self, connection: Connection, model: Model, already: set[int], rng: random.Random, sample: int
    ) -> None:
        self._connection = connection
        self._model = model
        self._already = already
        self._random = rng
        self._sample = sample

    def all(self) -> Iterator[str]:
        alive = sorted(course.name for course in self._model.courses.values() if course.dropped is None)
        yield from self._expect(alive, ["courses"], "courses", ADMIN)
        downloads: list[Download] = []
        for course in self._model.courses.values():
            if course.dropped is None:
                yield from self._course(course, downloads)
            else:
                yield from self._is_gone(["assignments", course.name])
        yield from self._download(downloads)
        self._connection.close()

    def _get(self, path: list[str], user: str = INSTRUCTOR, **query: str) -> tuple[int, dict[str, Any]]:
        return self._connection.get(path, user, **query)

    def _expect(self, wanted: Any, path: list[str], key: str, user: str = INSTRUCTOR) -> Iterator[str]:
        status, answer = self._get(path, user)
        if status != 200 or answer.get(key) != wanted:
            yield f"GET {path}: {status} {str(answer)[:2000]}, not {str(wanted)[:2000]}"

    def _is_gone(self, path: list[str]) -> Iterator[str]:
        status, answer = self._get(path, ADMIN)
        if status != 404:
            yield f"GET {path}: {status} {str(answer)[:300]}, and it was deleted"

    def _course(self, course: ExpectedCourse, downloads: list[Download]) -> Iterator[str]:
        status, answer = self._get(["students", course.name])
        present = {entry.pop("username"): Person(**entry) for entry in answer.get("students", ())}
        wanted = {user: writes[-1].people[user] for user, writes in course.people.items()}
        wanted = {user: person for user, person in wanted.items() if person is not None}
        if status != 200 or present != wanted:
            different = {user for user in {**present, **wanted} if present.get(user) != wanted.get(user)}
            yield f"students of {course.name}: {status}, different for {different}"
        status, answer = self._get(["assignments", course.name])
        names = sorted(name for name, assignment in course.assignments.items() if assignment.dropped is None)
        if status != 200 or sorted(answer["assignments"]) != names:
            yield f"assignments of {course.name}: {status} {answer}, not {names}"
        for assignment in course.assignments.values():
            if assignment.dropped is not None:
                yield from self._is_gone(["assignment", course.name, assignment.name])
            else:
                yield from self._assignment(course, assignment, downloads)

    def _assignment(
        self, course: ExpectedCourse, assignment: ExpectedAssignment, downloads: list[Download]
    ) -> Iterator[str]:
        names = [course.name, assignment.name]
        downloads.append((assignment.releases[-1], ["assignment", *names], {}))
        wanted = []
        for student, writes in assignment.submissions.items():
            for write in writes:
                wanted.append({"student_id": student, "timestamp": write.timestamp})
                at = {"timestamp": write.timestamp}
                downloads.append((write, ["submission", *names, student], at))
                given = assignment.feedback.get((student, write.timestamp))
                if given:
                    downloads.append((given[-1], ["feedback", *names, student], at))
        wanted.sort(key=lambda entry: entry["timestamp"])
        yield from self._expect(wanted, ["submissions", *names], "submissions")

    def _download(self, downloads: Iterable[Download]) -> Iterator[str]:
        new: list[Download] = []
        old: list[Download] = []
        for download in downloads:
            (old if download[0].number in self._already else new).append(download)
        if 0 <= self._sample < len(old):
            old = self._random.sample(old, self._sample)
        for write, path, query in new + old:
            self._already.add(write.number)
            status, answer = self._get(path, **query)
            if status != 200:
                yield f"GET {path} {query}: {status} {answer}; {write}"
                continue
            present = {file["path"]: content_of(base64.b64decode(file["content"])) for file in answer["files"]}
            if present != dict(write.files):
                yield f"GET {path} {query}: not the bytes that were handed in; {write}"
            for file in answer["files"]:
                if present[file["path"]].md5 != file["checksum"]:
                    yield f"GET {path} {query}: {file['path']} is not of its checksum"
