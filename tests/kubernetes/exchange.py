"""Calls to a served exchange, and a rush of submissions to it."""

import base64
import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from tests.kubernetes.node import Namespace

PORT = 8080
PREFIX = "/services/ngshare/"
TIMEOUT_SECONDS = 30
# Everybody is who they say they are, so that no hub is needed where the hub does not matter.
STANDALONE = {
    "image": {"repository": "localhost/ngshare-fs"},
    "admins": ["root"],
    "config": {"standalone": True},
}
BETWEEN_SECONDS = 0.02


class Refused(Exception):
    """The server answered with something else than success."""


@dataclass
class Exchange:
    """An exchange without a hub.

    Args:
        address: of its Service or pod.
    """

    address: str

    def call(self, method: str, path: str, user: str, /, **fields: str) -> dict[str, Any]:
        """Make a call on a connection of its own, once, and return the answer.

        Raises:
            OSError: no answer was had.
            http.client.HTTPException: likewise.
            Refused: see there.
        """
        connection = http.client.HTTPConnection(self.address, PORT, timeout=TIMEOUT_SECONDS)
        try:
            arguments = urlencode({**fields, "user": user})
            target = PREFIX + "/".join(quote(segment, safe="") for segment in path.split("/"))
            in_query = method in ("GET", "DELETE")
            connection.request(
                method,
                f"{target}?{arguments}" if in_query else target,
                None if in_query else arguments,
                {} if in_query else {"Content-Type": "application/x-www-form-urlencoded"},
            )
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise Refused(f"{method} {path}: {response.status} {body.decode(errors='replace')}")
        answer: dict[str, Any] = json.loads(body)
        return answer

    def answers(self) -> bool:
        """Return whether the server answers now."""
        try:
            self.call("GET", "courses", "root")
        except (OSError, http.client.HTTPException):
            return False
        return True

    def make_course(self) -> None:
        """Make the course `c` with the instructor `kevin`, the student `lawrence` and the assignment `a`."""
        self.call("POST", "course/c", "root", instructors='["kevin"]')
        self.call("POST", "student/c/lawrence", "kevin", first_name="", last_name="", email="")
        self.call("POST", "assignment/c/a", "kevin", files=files_of("an assignment"))

    def submit(self, text: str) -> str:
        """Hand in as `lawrence`, and return the time that the server gave it."""
        return str(self.call("POST", "submission/c/a", "lawrence", files=files_of(text))["timestamp"])

    def submitted(self) -> list[str]:
        """Return the times of all submissions."""
        return [one["timestamp"] for one in self.call("GET", "submissions/c/a", "kevin")["submissions"]]

    def content(self, timestamp: str) -> str:
        """Return what was handed in at that time."""
        answer = self.call("GET", "submission/c/a/lawrence", "kevin", timestamp=timestamp)
        return base64.b64decode(answer["files"][0]["content"]).decode()


@dataclass
class Rush:
    """What became of a rush of submissions.

    Args:
        acknowledged: what was handed in, by the time that the server gave it.
        lost: requests that had no answer, or another than success, by when they began (`time.monotonic()`).
        slowest: how long a request took at most, in seconds.
    """

    acknowledged: dict[str, str] = field(default_factory=dict)
    lost: list[tuple[float, str]] = field(default_factory=list)
    slowest: float = 0.0

    def __str__(self) -> str:
        counts = f"{len(self.acknowledged)} submissions acknowledged, {len(self.lost)} without"
        return f"{counts}, the slowest answer after {self.slowest:.2f} s"

    def wait_for_more(self, namespace: Namespace, count: int) -> None:
        """Wait until so many more are acknowledged."""
        enough = len(self.acknowledged) + count
        namespace.wait_until(lambda: len(self.acknowledged) >= enough, f"{count} more submissions arrive")

    def expect_kept(self, exchange: Exchange, volume: Path) -> None:
        """Check that all that was acknowledged is listed, on the volume, and some of it the same as was sent.

        Raises:
            AssertionError: something is missing.
        """
        missing = self.acknowledged.keys() - set(exchange.submitted())
        assert not missing, f"acknowledged, and not listed: {sorted(missing)}"
        on_volume = {
            file.read_text() for file in volume.glob("courses/c/assignments/a/submissions/lawrence/*/files/p.ipynb")
        }
        lost = set(self.acknowledged.values()) - on_volume
        assert not lost, f"acknowledged, and not on the volume: {sorted(lost)}"


def files_of(text: str) -> str:
    """Return the argument `files` with one file."""
    return json.dumps([{"path": "p.ipynb", "content": base64.b64encode(text.encode()).decode()}])


def exchange_in(namespace: Namespace) -> Exchange:
    """Return the exchange that a Service `ngshare` leads to, once it does: helm waits for pods only."""
    exchange = Exchange(namespace.address())
    namespace.wait_until(exchange.answers, "the Service leads to the server")
    return exchange


@contextmanager
def rush(exchange: Exchange, threads: int = 3) -> Iterator[Rush]:
    """Have submissions handed in all the time, each on a connection of its own, and none of them a second time."""
    seen = Rush()
    stopped = threading.Event()
    guard = threading.Lock()

    def submit(number: int) -> None:
        count = 0
        while not stopped.wait(BETWEEN_SECONDS):
            text = f"{number}-{count}"
            count += 1
            began = time.monotonic()
            try:
                timestamp = exchange.submit(text)
            except (OSError, http.client.HTTPException, Refused) as error:
                with guard:
                    seen.lost.append((began, repr(error)))
            else:
                with guard:
                    seen.acknowledged[timestamp] = text
            with guard:
                seen.slowest = max(seen.slowest, time.monotonic() - began)

    # They are in the network of the thread that starts them.
    running = [threading.Thread(target=submit, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    try:
        yield seen
    finally:
        stopped.set()
        for thread in running:
            thread.join()
