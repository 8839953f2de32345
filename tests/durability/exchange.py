"""A server with one of each thing on its volume, and what every kind of write answers where the volume fails."""

import errno
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from ngshare_fs.store.checking.verify import verify_volume
from tests.durability.history import COURSE, TEACHER, Answer, Client
from tests.servers import Server
from tests.trees import tree

STUDENT, ASSIGNMENT = "lawrence", "ps1"
WORK = {"p.ipynb": b"{}", "folder/x": b"x" * 5000}
PERSON = {"first_name": "L", "last_name": "", "email": "l@x"}
AT_ONCE = 24
FULL = (507, "Insufficient storage", None)
READ_ONLY = (503, "Storage is read-only", "30")
FAILURE = (503, "Storage failure", "30")


class Exchange:
    """A server with one of each thing on its volume.

    Args:
        server: the server.
        data: its volume.
    """

    def __init__(self, server: Server, data: Path) -> None:
        self.server = server
        self.data = data
        assert self.ask("POST", f"course/{COURSE}", "root", instructors=json.dumps([TEACHER])).status == 200
        for user in (STUDENT, "leaver"):
            assert self.ask("POST", f"student/{COURSE}/{user}", TEACHER, **PERSON).status == 200
        for assignment in (ASSIGNMENT, "old"):
            assert self.ask("POST", f"assignment/{COURSE}/{assignment}", TEACHER, files=tree(WORK)).status == 200
        assert self.ask("PATCH", f"assignment/{COURSE}/{ASSIGNMENT}", TEACHER, due="2090-01-01").status == 200
        self.timestamp = self.hand_in()
        assert self.ask("POST", "course/course 2", "root").status == 200
        self.readable = self.everything_readable()

    def ask(self, method: str, path: str, user: str = TEACHER, /, **fields: str) -> Answer:
        """Call an endpoint on a new connection."""
        with Client(self.server.url) as client:
            return client.call(method, path, user, **fields)

    def hand_in(self, files: dict[str, bytes] | None = None) -> str:
        """Hand in; gives the timestamp."""
        path = f"submission/{COURSE}/{ASSIGNMENT}"
        answer = self.ask("POST", path, STUDENT, files=tree(WORK if files is None else files))
        assert answer.status == 200, answer
        return str(answer.body["timestamp"])

    def hand_in_at_once(self) -> list[int]:
        """Hand in many times at the same time; gives the statuses."""
        path = f"submission/{COURSE}/{ASSIGNMENT}"
        with ThreadPoolExecutor(AT_ONCE) as threads:
            futures = [threads.submit(self.ask, "POST", path, STUDENT, files=tree(WORK)) for _ in range(AT_ONCE)]
        return [future.result().status for future in futures]

    def every_write(self) -> Iterator[tuple[str, Answer]]:
        """Try every kind of write; gives what it was and the answer. They can all succeed one after the other, once."""
        files = tree(WORK)
        on = f"{COURSE}/{ASSIGNMENT}"
        people = json.dumps([{"username": "new 2", **PERSON}])
        for method, path, user, fields in (
            ("POST", f"student/{COURSE}/new", TEACHER, PERSON),
            ("POST", f"students/{COURSE}", TEACHER, {"students": people}),
            ("POST", f"instructor/{COURSE}/assistant", "root", PERSON),
            ("POST", f"submission/{on}", STUDENT, {"files": files}),
            ("POST", f"submission/{on}", STUDENT, {"files": tree({"large": bytes(700_000)})}),
            ("POST", f"feedback/{on}/{STUDENT}", TEACHER, {"timestamp": self.timestamp, "files": files}),
            ("PUT", f"assignment/{on}", TEACHER, {"files": files}),
            ("PATCH", f"assignment/{on}", TEACHER, {"due": "2091-01-01"}),
            ("PUT", f"extension/{on}/{STUDENT}", TEACHER, {"due": "2092-01-01"}),
            ("POST", f"assignment/{COURSE}/new", TEACHER, {"files": files, "release": "2090-01-01"}),
            ("POST", "course/new", "root", {}),
            ("DELETE", f"student/{COURSE}/leaver", TEACHER, {}),
            ("DELETE", f"assignment/{COURSE}/old", TEACHER, {}),
            ("DELETE", "course/course 2", "root", {}),
        ):
            yield f"{method} {path}", self.ask(method, path, user, **fields)

    def check_that_writes_are_refused(self, *expected: tuple[int, str, str | None]) -> None:
        """Every write gets one of the expected answers, and nothing at all happens."""
        before = stored(self.data)
        for what, answer in self.every_write():
            assert said(answer) in expected, f"{what}: {answer}"
        assert stored(self.data) == before
        assert list(verify_volume(self.data)) == []

    def check_that_all_is_well(self) -> None:
        """The volume can be read, every write works, and nothing is left in staging."""
        assert self.ask("GET", "readyz").status == 200
        assert self.everything_readable() == self.readable
        for what, answer in self.every_write():
            assert answer.status == 200, f"{what}: {answer}"
        assert list(verify_volume(self.data)) == []

    def check_health(self, says: str) -> None:
        """The server is alive, and its volume is not usable for that reason."""
        assert self.ask("GET", "healthz").status == 200
        ready = self.ask("GET", "readyz")
        assert ready.status == 503
        assert says in ready.body["message"]
        assert str(self.data) not in ready.body["message"]

    def everything_readable(self) -> list[object]:
        """What the server answers to readers."""
        on = f"{COURSE}/{ASSIGNMENT}"
        answers = [
            self.ask("GET", path)
            for path in ("courses", f"assignments/{COURSE}", f"students/{COURSE}", f"instructors/{COURSE}",
                         f"assignment/{on}", f"submissions/{on}", f"submission/{on}/{STUDENT}")
        ]  # fmt: skip
        assert [answer.status for answer in answers] == [200] * len(answers), answers
        return [answer.body for answer in answers]

    def left_in_staging(self) -> list[str]:
        return [str(path) for path in (self.data / ".ngshare/staging").glob("*/*")]


def said(answer: Answer) -> tuple[int, str | None, str | None]:
    """What counts of a refusal."""
    return answer.status, answer.body.get("message"), answer.headers.get("Retry-After")


def stored(data: Path) -> dict[str, bytes | None]:
    """Everything on a volume but what is the server's own; of folders that they are there.

    Files are opened by their folders' descriptors: where machines share a volume, each folder of a path may cost as
    much as the file.
    """
    found: dict[str, bytes | None] = {}
    for folder, below, names, descriptor in os.fwalk(data):
        if Path(folder) == data:
            below[:], names = [name for name in below if name in ("courses", "trash")], []
        place = Path(folder).relative_to(data)
        found |= {str(place / name): None for name in below}
        for name in names:
            try:
                with open(name, "rb", opener=partial(os.open, dir_fd=descriptor)) as file:
                    found[str(place / name)] = file.read()
            except OSError as error:  # a mount with the wrong options may list what it then does not find
                if error.errno not in (errno.ENOENT, errno.ESTALE):
                    raise
    return found
