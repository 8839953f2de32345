"""Small requests that would take much memory: of one student, and of whoever has no token."""

import http.client
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.servers import Server, running, writing_processes

MIB = 2**20
PATIENCE = 120
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
AT_ONCE = 8


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path / "volume", "--debug") as started:
        assert _call(started, "GET", "initialize-Data6ase?action=init&user=root")[0] == 200
        yield started


def _call(server: Server, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
    try:
        connection.request(method, "/api/" + path, body, FORM if body else {})
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()
    finally:
        connection.close()


def _peak(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024


def _open(server: Server, closing: ExitStack) -> socket.socket:
    parts = urlsplit(server.url)
    assert parts.port
    connection = socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE)
    closing.callback(connection.close)
    return connection


def test_many_empty_files(server: Server) -> None:
    files = json.dumps([{"path": f"{number:x}", "content": ""} for number in range(10_000)], separators=(",", ":"))
    body = b"user=lawrence&files=" + files.encode()
    before = _peak(server.process.pid)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        path = "submission/course1/challenge"
        answers = list(threads.map(lambda _: _call(server, "POST", path, body), range(AT_ONCE)))
    grown = _peak(server.process.pid) - before + sum(map(_peak, writing_processes(server.process.pid)))
    assert {status for status, _, _ in answers} <= {200, 503}
    assert 200 in {status for status, _, _ in answers}
    assert all("Retry-After" in headers for status, headers, _ in answers if status == 503)
    assert grown <= 128 * MIB  # a process to write in, beside this one, has 40 of it
    assert _call(server, "POST", path, b"user=lawrence&files=[]")[0] == 200


def test_heads_without_end(server: Server) -> None:
    before = _peak(server.process.pid)
    head = b"GET /api/courses HTTP/1.1\r\nHost: x\r\n" + b"".join(
        b"X-%d: %s\r\n" % (n, b"x" * 8000) for n in range(120)
    )
    with ExitStack() as closing:
        connections = [_open(server, closing) for _ in range(80)]
        for connection in connections:
            try:
                connection.sendall(head)
            except ConnectionError:
                continue  # refused by now
        for connection in connections:
            try:
                while connection.recv(65536):
                    pass
            except ConnectionError:
                pass
        assert _call(server, "GET", "healthz")[0] == 200
        assert _peak(server.process.pid) - before <= 32 * MIB


@pytest.mark.long
def test_arguments_that_nobody_asked_for(server: Server) -> None:
    before = _peak(server.process.pid)
    length = 4 * MIB
    head = f"GET /api/courses?user=kevin HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM['Content-Type']}\r\n"
    with ExitStack() as closing:
        for number in range(26):
            connection = _open(server, closing)
            connection.sendall(f"{head}Content-Length: {length}\r\n\r\nunasked{number}=".encode())
            connection.sendall(b"x" * (length - 2**17))
        assert _call(server, "GET", "courses?user=kevin")[0] == 200
        assert _peak(server.process.pid) - before <= 32 * MIB
