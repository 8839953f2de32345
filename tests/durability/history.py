"""What was written when, and what has to be there after a crash.

Everything that a client writes is the value of a key (one person's entry, one student's submissions to one assignment),
and each key has one client that writes it, one write after the other. So at any moment it has the value that was
acknowledged last, or that of the write under way: two values at most.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from tests.durability.calls import unless_busy
from tests.trees import contents

PATIENCE = 60
COURSE, TEACHER = "course 1", "teacher"
FOR_EVER = 2**62

Key = tuple[str, ...]
Value = Any
SomeTime = "?"  # the timestamp of a submission whose answer nobody got


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]


class Client:
    """Calls one server, on a connection that it keeps."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        self._prefix = parts.path
        self._connection = HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def call(self, method: str, path: str, user: str, /, **fields: str) -> Answer:
        """Call an endpoint: `path` is below the prefix, its segments not yet encoded."""
        return unless_busy(lambda: self._ask(method, path, user, fields), lambda answer: answer.body.get("message"))

    def _ask(self, method: str, path: str, user: str, fields: Mapping[str, str]) -> Answer:
        form = urlencode({"user": user, **fields})
        path = self._prefix + quote(path)
        if method in ("GET", "DELETE"):
            self._connection.request(method, f"{path}?{form}")
        else:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            self._connection.request(method, path, form, headers)
        response = self._connection.getresponse()
        return Answer(response.status, json.loads(response.read()), dict(response.headers))

    def found(self, path: str, user: str = TEACHER, /, **fields: str) -> dict[str, Any] | None:
        """What a GET answers; None where there is no such thing."""
        answer = self.call("GET", path, user, **fields)
        assert answer.status in (200, 404), f"GET {path}: {answer}"
        return answer.body if answer.status == 200 else None


@dataclass(frozen=True)
class Write:
    """One write of a client.

    Args:
        kind: what it was, in words.
        started: when it was sent.
        acknowledged: when the answer 200 was there; None where there was none.
        values: the keys that it changes.
    """

    kind: str
    started: int
    acknowledged: int | None
    values: Mapping[Key, Value]


class History:
    """All writes.

    Args:
        now: the clock; whatever it counts.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.writes: list[Write] = []
        self.refused: list[Answer] = []
        self._guard = threading.Lock()

    @property
    def acknowledged(self) -> list[Write]:
        """The writes that were, in the order of their acknowledgement."""
        return sorted((write for write in self.writes if write.acknowledged is not None), key=_moment)

    def write(
        self, client: Client, call: tuple[str, str, str], values: Callable[[Answer], Mapping[Key, Value]], **fields: str
    ) -> Answer:
        """Let a client write.

        Args:
            call: method, path, user.
            values: the keys that it changes, given the answer.
        """
        started = self.now()
        answer = client.call(*call, **fields)
        acknowledged = self.now() if answer.status == 200 else None
        method, path, _ = call
        with self._guard:
            kind = f"{method} {path.partition('/')[0]}"
            self.writes.append(Write(kind, started, acknowledged, values(answer)))
            if acknowledged is None:
                self.refused.append(answer)
        return answer

    def lost(self, url: str, moment: int = FOR_EVER) -> list[str]:
        """What a server should have after a crash at that moment, and has not."""
        problems = []
        by_key: dict[Key, list[Write]] = {}
        for write in sorted(self.writes, key=lambda write: write.started):
            for key in write.values:
                if write.started <= moment:
                    by_key.setdefault(key, []).append(write)
        with Client(url) as client:
            for key, writes in by_key.items():
                wanted = _possible(key, writes, moment)
                found = _look(client, key)
                if not any(_same(found, value) for value in wanted):
                    problems.append(f"{key}: found {found}, not {' or '.join(map(str, wanted))}")
        return problems


def digest(files: Mapping[str, bytes]) -> str:
    """Stands for the files of a tree."""
    sums = sorted((path, hashlib.sha256(content).hexdigest()) for path, content in files.items())
    return hashlib.sha256(repr(sums).encode()).hexdigest()[:16]


def _moment(write: Write) -> int:
    assert write.acknowledged is not None
    return write.acknowledged


def _possible(key: Key, writes: list[Write], moment: int) -> list[Value]:
    value: Value = () if key[0] == "submissions" else None
    under_way: list[Value] = []
    for write in writes:
        if write.acknowledged is not None and write.acknowledged <= moment:
            value = write.values[key]
            under_way = []
        else:
            under_way.append(write.values[key])
    return [value, *under_way]


def _same(found: Value, wanted: Value) -> bool:
    if isinstance(wanted, tuple) and isinstance(found, tuple) and len(found) == len(wanted):
        return all(_same(one, other) for one, other in zip(found, wanted, strict=True))
    return bool(found == wanted or wanted == SomeTime)


def _look(client: Client, key: Key) -> Value:
    kind, *names = key
    if kind == "submissions":
        return _submissions(client, *names)
    if kind == "feedback":
        assignment, student, timestamp = names
        path = f"feedback/{COURSE}/{assignment}/{student}"
        feedback = client.found(path, timestamp=timestamp, list_only="false")
        return None if feedback is None or not feedback["files"] else digest(contents(feedback))
    if kind == "release":
        release = client.found(f"assignment/{COURSE}/{names[0]}")
        return None if release is None else digest(contents(release))
    if kind == "student":
        person = client.found(f"student/{COURSE}/{names[0]}")
        return None if person is None else person["email"]
    assert kind == "course"
    return None if client.found(f"assignments/{names[0]}", "root") is None else "there"


def _submissions(client: Client, assignment: str, student: str) -> Value:
    listed = client.found(f"submissions/{COURSE}/{assignment}/{student}")
    found = []
    for entry in [] if listed is None else listed["submissions"]:
        path = f"submission/{COURSE}/{assignment}/{student}"
        tree = client.found(path, timestamp=entry["timestamp"])
        assert tree is not None, f"{path} is listed with {entry}, and not found"
        found.append((entry["timestamp"], digest(contents(tree))))
    return tuple(found)
