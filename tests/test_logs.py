"""Logs: one line for each request, JSON that parses, and never a secret."""

import base64
import json
import logging
import re
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import pytest

from ngshare_fs.store.reading.fingerprint import RACY_NANOSECONDS
from ngshare_fs.terminal.logs import JsonLines, TextLines
from tests.servers import Server, running

SECRET = "s3cr3t-t0ken"


def access_lines(server: Server) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, server.log.splitlines()) if line["logger"] == "ngshare_fs.access"]


def wait_for_lines(server: Server, number: int) -> list[dict[str, Any]]:
    """The lines of that many requests: a line is written after the answer, so that it may come a little later."""
    deadline = time.monotonic() + 30
    while len(found := access_lines(server)) < number:
        assert time.monotonic() < deadline, server.log
        time.sleep(0.01)
    return found


def send(server: Server, raw: bytes, read: bool = True) -> bytes:
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as connection:
        connection.sendall(raw)
        answer = b""
        while read and (part := connection.recv(65536)):
            answer += part
    return answer


def ask(server: Server, path: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(server.url + path, headers=headers), timeout=30) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_one_json_line_for_each_request_and_never_a_secret(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--log-format", "json", "--debug") as server:
        headers = {"Authorization": f"token {SECRET}", "Cookie": f"session={SECRET}"}
        assert ask(server, f"initialize-Data6ase?action=init&user=root&token={SECRET}", **headers) == 200
        assert ask(server, f"assignment/course1/challenge?user=lawrence&x={SECRET}", **headers) == 200
        assert ask(server, f"assignment/course1/nothing?user=lawrence&x={SECRET}", **headers) == 404
        assert ask(server, f"nowhere?token={SECRET}", **headers) == 404
        assert b" 400 Bad Request" in send(server, f"GET /?token={SECRET}\r\nbroken {SECRET}\r\n\r\n".encode())
        host = f"http://user:{SECRET}@127.0.0.1/healthz?token={SECRET}"
        assert b"HTTP/1.1 200" in send(server, f"GET {host} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        lines = wait_for_lines(server, 6)
        assert server.stop() == 0
        assert SECRET not in server.log
        assert len(access_lines(server)) == 6
    prefix = urlsplit(server.url).path
    assert [(line["status"], line["method"], line["user"]) for line in lines[:4]] == [
        (200, "GET", "root"), (200, "GET", "lawrence"), (404, "GET", "lawrence"), (404, "GET", None),
    ]  # fmt: skip
    assert lines[1]["path"] == f"{prefix}assignment/course1/challenge"
    assert lines[4]["status"] == 400
    assert lines[5]["path"] == "/healthz"
    for line in lines:
        assert line["seconds"] >= 0
        assert line["bytes"] > 0
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])


def test_probes_are_in_the_log_where_something_is_wrong_only(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--log-format", "json") as server:
        probes = [urljoin(server.url, place + probe) for place in ("", "/") for probe in ("healthz", "readyz")]
        for probe in probes:
            with urllib.request.urlopen(probe, timeout=30) as answer:
                assert answer.status == 200
        # Not a folder that the server makes anew: whoever looks for work in the background may do so at any moment.
        (tmp_path / "data/courses").rename(tmp_path / "away")
        assert ask(server, "readyz") == 503
        lines = wait_for_lines(server, 1)
        (tmp_path / "away").rename(tmp_path / "data/courses")
    assert [(line["status"], line["path"]) for line in lines] == [(503, urlsplit(server.url).path + "readyz")]


def test_the_start_and_the_stop_are_json_too(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--log-format", "json", "--workers", "2") as server:
        pass
    lines = [json.loads(line) for line in server.log.splitlines()]
    start = next(line for line in lines if "url" in line)
    assert start["url"] == server.url
    assert start["data"] == str(tmp_path / "data")
    assert any("NOT FOR PRODUCTION" in line["message"] for line in lines)
    assert lines[-1]["message"] == "stopped"


def test_a_client_that_leaves_is_a_line_and_not_an_error(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--log-format", "json", "--debug") as server:
        assert ask(server, "initialize-Data6ase?action=init&user=root") == 200
        path = urlsplit(server.url).path + "submission/course1/challenge"
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        send(server, f"{head}Content-Length: 1000\r\n\r\nuser=lawrence&files=".encode(), read=False)
        line = wait_for_lines(server, 2)[1]
        assert (line["status"], line["path"]) == (499, path)
        assert server.stop() == 0
        assert all("exception" not in json.loads(line) for line in server.log.splitlines())


def test_a_body_that_cannot_be_unpacked_is_not_an_error(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--log-format", "json") as server:
        path = urlsplit(server.url).path + "submission/c/a?user=lawrence"
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        body = "Content-Encoding: gzip\r\nContent-Length: 12\r\nConnection: close\r\n\r\nnot gzip...."
        assert b" 400 Bad Request" in send(server, (head + body).encode())
        wait_for_lines(server, 1)
        assert server.stop() == 0
        lines = [json.loads(line) for line in server.log.splitlines()]
        assert all("exception" not in line and line["level"] != "ERROR" for line in lines), lines


def test_a_download_that_the_kernel_copies_is_counted(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--log-format", "json", "--debug") as server:
        assert ask(server, "initialize-Data6ase?action=init&user=root") == 200
        files = base64.b64encode(bytes(10**6)).decode()
        form = urlencode({"user": "kevin", "files": json.dumps([{"path": "f", "content": files}])}).encode()
        urllib.request.urlopen(server.url + "assignment/course1/big", form, timeout=30).close()
        released = time.monotonic()
        sizes = []
        while True:
            with urllib.request.urlopen(server.url + "assignment/course1/big?user=lawrence", timeout=30) as answer:
                sizes.append(len(answer.read()))
            if time.monotonic() > released + RACY_NANOSECONDS / 1e9 + 0.5:
                break
            time.sleep(0.5)
        lines = wait_for_lines(server, 2 + len(sizes))
        assert [line["bytes"] for line in lines[2:]] == [pytest.approx(size, rel=0.01) for size in sizes]


def test_a_line_on_a_terminal_can_be_read(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        assert ask(server, "courses?user=zo%C3%AB%0Aroot%1B%5B2J") == 200
        assert server.stop() == 0
    line = next(line for line in server.log.splitlines() if "GET" in line)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INFO    GET \S+/courses 200 "
        r"\d+\.\d{3}s \d+B 127\.0\.0\.1 zoë\\nroot\\x1b\[2J",
        line,
    )


def record(message: str, **more: Any) -> logging.LogRecord:
    return logging.makeLogRecord({"name": "x", "levelname": "INFO", "msg": message, **more})


@pytest.mark.parametrize("name", ["a\nb", "a\r\nb", "a\x1b[2Jb", "a\u2028b", "a\u0085b", "a\x7fb", "\ud800"])
def test_a_name_cannot_forge_a_line(name: str) -> None:
    line = TextLines().format(record("hello %s", args=(name,)))
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    line = JsonLines().format(record("hello %s", args=(name,), fields={"user": name}))
    assert len(line.splitlines()) == 1
    assert line.isascii()
    assert json.loads(line)["user"] == name


def test_an_error_keeps_its_traceback() -> None:
    try:
        raise ValueError("why")
    except ValueError:
        failed = record("failed", exc_info=sys.exc_info())
    text = TextLines().format(failed).splitlines()
    assert text[0].endswith("failed")
    assert text[-1] == "ValueError: why"
    assert json.loads(JsonLines().format(failed))["exception"].endswith("ValueError: why")
