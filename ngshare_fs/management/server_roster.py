"""The roster on the server: read as a whole, changed in few requests whatever its size."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.failures.problems import STUDENT_NOT_FOUND, Refused, ServerProblem
from ngshare_fs.exchange.sending.request_body import Body

# The server takes 4 MiB of arguments at once. Each call writes the whole roster, so that they should be few.
LARGEST_BATCH = 2 * 2**20

Item = TypeVar("Item")


class ServerRoster:
    """A course's roster, and what was done to it.

    Args:
        client: calls the server.
        course: whose roster it is.
    """

    def __init__(self, client: Client, course: str) -> None:
        self._client = client
        self._course = course
        # Done for certain, whatever failed afterwards.
        self.added: list[str] = []
        self.removed: list[str] = []

    def students(self) -> dict[str, dict[str, Any]]:
        """The students' entries by user name."""
        return {each["username"]: each for each in self._client.call("GET", "students", self._course)["students"]}

    def instructors(self) -> dict[str, dict[str, Any]]:
        """The instructors' entries by user name."""
        people = self._client.call("GET", "instructors", self._course)["instructors"]
        return {each["username"]: each for each in people}

    def graders(self) -> dict[str, dict[str, Any]] | None:
        """The graders' entries by user name; None where the server is older than graders are."""
        try:
            return {each["username"]: each for each in self._client.call("GET", "graders", self._course)["graders"]}
        except Refused as refusal:
            if not refusal.knows_no_such_call:
                raise
            return None

    def post(self, students: Sequence[dict[str, str]]) -> None:
        """Add or change students.

        Args:
            students: as the API has them.

        Raises:
            ServerProblem: some or all were not added; `added` has those who were.
        """
        failed = []
        for batch in _batches(students):
            body = Body({"students": _json(batch)})
            for each in self._client.call("POST", "students", self._course, body=body)["status"]:
                if each["success"]:
                    self.added.append(each["username"])
                else:
                    failed.append(f"{each['username']}: {each.get('message')}")
        if failed:
            raise ServerProblem("Some students were not added, the others were:\n  " + "\n  ".join(failed))

    def remove(self, users: Sequence[str]) -> None:
        """Remove students.

        Raises:
            ServerProblem: some or all were not removed; `removed` has those who were.
        """
        missing: list[str] = []
        try:
            for batch in _batches(users):
                missing += self._remove_at_once(batch)
        except Refused as refusal:
            if not refusal.knows_no_such_call:
                raise
            missing = self._remove_one_by_one(users)
        if missing:
            raise ServerProblem(f"Not on the roster of {self._course}: {', '.join(missing)}")

    def _remove_at_once(self, users: Sequence[str]) -> list[str]:
        body = Body({"students": _json(users)})
        missing = []
        for each in self._client.call("POST", "removal", self._course, body=body)["status"]:
            if each["success"] or self._client.repeated:
                self.removed.append(each["username"])  # maybe by an earlier attempt, whose answer was lost
            else:
                missing.append(each["username"])
        return missing

    def _remove_one_by_one(self, users: Sequence[str]) -> list[str]:
        # An older server.
        missing = []
        for user in users:
            try:
                self._client.call("DELETE", "student", self._course, user)
                self.removed.append(user)
            except Refused as refusal:
                if not refusal.says(STUDENT_NOT_FOUND):
                    raise
                if self._client.repeated:
                    self.removed.append(user)
                else:
                    missing.append(user)
        return missing


def _batches(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Parts of a sequence that are small enough for a request each."""
    batch: list[Item] = []
    size = 0
    for item in items:
        length = len(_json(item).encode())
        if batch and size + length > LARGEST_BATCH:
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += length + 2
    if batch:
        yield batch


def _json(value: object) -> str:
    # A name in Chinese takes a third of its escapes.
    return json.dumps(value, ensure_ascii=False)
