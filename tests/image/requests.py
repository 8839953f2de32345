"""What clients of a containerised server send."""

import base64
import json
import os
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode, urlsplit

PATIENCE = 120  # seconds
SMALL = '[{"path": "p.ipynb", "content": "e30K"}]'


def call(url: str, path: str, user: str, **fields: str) -> tuple[int, str]:
    """GET, or POST where there are fields; gives the status and the answer."""
    body = urlencode({"user": user, **fields}).encode() if fields else None
    try:
        with urllib.request.urlopen(f"{url}{path}" + ("" if body else f"?user={user}"), body, PATIENCE) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def make_course(url: str, files: str = SMALL) -> None:
    """A course `c` with the assignment `a`, and the instructor `kevin`."""
    for path, user, fields in [
        ("course/c", "root", {"instructors": '["kevin"]'}),
        ("assignment/c/a", "kevin", {"files": files}),
    ]:
        status, answer = call(url, path, user, **fields)
        assert status == 200, answer


def enrol(url: str, students: int) -> None:
    """Students `s0`, `s1` ... on the roster."""
    listed = [{"username": f"s{n}", "first_name": "", "last_name": "", "email": ""} for n in range(students)]
    status, answer = call(url, "students/c", "kevin", students=json.dumps(listed))
    assert status == 200, answer


def one_file(size: int) -> str:
    """The field `files` of a tree with a file of this many random bytes."""
    return json.dumps([{"path": "p.ipynb", "content": base64.b64encode(os.urandom(size)).decode()}])


def rush(url: str, students: int, size: int) -> list[int]:
    """All students hand in, and then all fetch, each at the same moment; gives the statuses."""
    files = one_file(size)

    def submit(student: int) -> int:
        return call(url, "submission/c/a", f"s{student}", files=files)[0]

    def fetch(student: int) -> int:
        status, answer = call(url, "assignment/c/a", f"s{student}")
        return status if len(answer) > size else -1

    with ThreadPoolExecutor(students) as clients:
        return [*clients.map(submit, range(students)), *clients.map(fetch, range(students))]


class Submissions:
    """Students who hand in without a pause until nobody listens, each time on a connection of their own."""

    def __init__(self, url: str, students: int) -> None:
        self.answered = 0
        self.lost: list[str] = []
        self._guard = threading.Lock()
        self._url = url
        self._clients = [threading.Thread(target=self._hand_in, args=(f"s{n}",)) for n in range(students)]
        for client in self._clients:
            client.start()

    def end(self) -> None:
        """Wait until every student has been refused a connection."""
        for client in self._clients:
            client.join()

    def _hand_in(self, student: str) -> None:
        parts = urlsplit(self._url)
        body = urlencode({"user": student, "files": SMALL})
        while True:
            connection = HTTPConnection(str(parts.hostname), parts.port or 80, timeout=PATIENCE)
            try:
                connection.connect()
            except (ConnectionRefusedError, ConnectionResetError):
                return  # the second: the socket was closed while the kernel was at it; nothing has been sent
            try:
                headers = {"Content-Type": "application/x-www-form-urlencoded", "Connection": "close"}
                connection.request("POST", f"{parts.path}submission/c/a", body, headers)
                status = connection.getresponse().status
                with self._guard:
                    self.answered += 1
                    self.lost += [] if status == 200 else [str(status)]
            except (OSError, HTTPException) as error:
                with self._guard:
                    self.lost.append(repr(error))
            finally:
                connection.close()
