"""A server under load: what it says, how it is asked, an upload that takes its time, clients without a pause."""

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from tests import waiting
from tests.servers import Server, running

PATIENCE = waiting.PATIENCE
BODY = urlencode({"user": "lawrence", "files": '[{"path": "p.ipynb", "content": "e30K"}]'}).encode()
LAST_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
one_and_several = pytest.mark.parametrize("workers", [1, 2])
# Where what differs between the two is shown by another test already.
several_in_the_long_check = pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.long)])


def until(condition: Callable[[], object], what: str, server: Server) -> None:
    """Wait for something that happens in another process."""
    waiting.until(condition, what, lambda: server.log)


def said(server: Server, text: str, times: int = 1) -> None:
    """Wait until the server has logged it."""
    until(lambda: server.log.count(text) >= times, text, server)


def address(server: Server) -> tuple[str, int]:
    parts = urlsplit(server.url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


def get(server: Server, path: str) -> int:
    """The status of a GET on a connection of its own."""
    connection = HTTPConnection(*address(server), timeout=PATIENCE)
    try:
        connection.request("GET", urlsplit(server.url).path + path)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def refused(server: Server) -> bool:
    try:
        socket.create_connection(address(server), timeout=PATIENCE).close()
    except ConnectionRefusedError:
        return True
    return False


def serving(server: Server) -> list[int]:
    """The ids of the workers that said that they serve, the oldest first."""
    return [int(pid) for pid in re.findall(r"worker (\d+) serves", server.log)]


@contextmanager
def exchange(
    tmp_path: Path, workers: int, *arguments: str, module: str = "ngshare_fs", **environment: str
) -> Iterator[Server]:
    """A server with known data, all its workers serving."""
    words = ("--workers", str(workers), "--debug", *arguments)
    with running(tmp_path / "data", *words, module=module, **environment) as server:
        if workers > 1:
            until(lambda: len(serving(server)) >= workers, "the start of all workers", server)
        assert get(server, "initialize-Data6ase?action=init&user=root") == 200
        yield server


class SlowUpload:
    """A submission whose second half is sent when the test wants it."""

    def __init__(self, server: Server) -> None:
        self.socket = socket.create_connection(address(server), timeout=PATIENCE)
        path = urlsplit(server.url).path + "submission/course1/challenge"
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        # The server's answer to `Expect` says that the request is under way in a handler.
        head += f"Expect: 100-continue\r\nContent-Length: {len(BODY)}\r\n\r\n"
        self.socket.sendall(head.encode())
        assert self.socket.recv(25, socket.MSG_WAITALL) == b"HTTP/1.1 100 Continue\r\n\r\n"
        self.socket.sendall(BODY[:20])

    def finish(self) -> tuple[int, str]:
        """Send the rest. Gives the status and the whole answer."""
        self.socket.sendall(BODY[20:])
        answer = b""
        while part := self.socket.recv(65536):
            answer += part
        self.socket.close()
        return int(answer.split()[1]), answer.decode()


class Load:
    """Clients that ask without a pause, some on a new connection each time, some on one that is kept."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.answered = [0] * 6
        self.lost: list[str] = []
        self.over = threading.Event()
        self.clients = [threading.Thread(target=self._ask, args=(number,)) for number in range(6)]

    def _ask(self, number: int) -> None:
        path = urlsplit(self.server.url).path
        connection = HTTPConnection(*address(self.server), timeout=PATIENCE)
        while not self.over.is_set():
            try:
                if number % 3 == 0:
                    headers = {"Content-Type": "application/x-www-form-urlencoded"}
                    connection.request("POST", path + "submission/course1/challenge", BODY, headers)
                else:
                    connection.request("GET", path + "assignment/course1/challenge?user=lawrence")
                response = connection.getresponse()
                content = json.loads(response.read())
                if response.status != 200 or not content["success"]:
                    self.lost.append(f"{response.status} {content}")
            except Exception as error:
                self.lost.append(f"client {number}: {error!r}")
                connection.close()
            self.answered[number] += 1
            if number % 2 == 0:
                connection.close()
        connection.close()

    def __enter__(self) -> "Load":
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for client in self.clients:
            client.join()

    def progress(self, requests: int = 5) -> None:
        """Wait until every client has had that many more answers."""
        before = list(self.answered)
        until(
            lambda: all(now >= then + requests for now, then in zip(self.answered, before, strict=True)),
            f"an answer to every client {self.lost}",
            self.server,
        )
