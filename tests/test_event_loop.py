"""Nothing blocks the event loop of the real server: whatever is asked, while the disk is full, and at the end."""

import asyncio
import base64
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
import requests

from ngshare_fs.api.endpoint import Endpoint
from ngshare_fs.api.endpoints.table import ENDPOINTS
from ngshare_fs.api.request.form import SMALL_BODY
from tests import event_loop, servers
from tests.durability.disks import EXT4, MIB, fill_space, mounted, skip_unless_possible
from tests.zips import zipped

FORM = "application/x-www-form-urlencoded"
SECONDS = 60
SMALL = json.dumps([{"path": "p.ipynb", "content": "e30K"}])
LARGE = json.dumps(
    [
        {"path": f"{name}.bin", "content": base64.b64encode(os.urandom(2 * SMALL_BODY)).decode()}
        for name in ("one", "two", "three")
    ]
)
# Each after what it needs.
ORDER = (
    "course", "courses", "instructor", "instructors", "grader", "graders", "student", "students", "assignment",
    "assignments", "extension", "extensions", "submission", "submissions", "collection", "feedback", "listing",
)  # fmt: skip
NAMES = {"first_name": "L", "last_name": "", "email": "l@x"}
# What a call needs beside its user. All others need nothing.
FIELDS = {
    "POST course/{course}": {"instructors": '["kevin"]'},
    "POST instructor/{course}/{user}": NAMES,
    "POST grader/{course}/{user}": NAMES,
    "POST student/{course}/{user}": NAMES,
    "POST students/{course}": {"students": '[{"username": "meg", "first_name": "", "last_name": "", "email": ""}]'},
    "POST removal/{course}": {"students": '["meg"]'},
    "POST assignment/{course}/{assignment}": {"files": SMALL},
    "PUT assignment/{course}/{assignment}": {"files": LARGE},
    "PATCH assignment/{course}/{assignment}": {"due": "2090-01-01 Europe/Vienna"},
    "PUT extension/{course}/{assignment}/{user}": {"due": "2091-01-01", "reason": "ill"},
    "PUT assignment/{course}/{assignment}/withdrawn": {"withdrawn": "false"},
    "POST submission/{course}/{assignment}": {"files": LARGE},
    "POST feedback/{course}/{assignment}/{user}": {"files": SMALL},
    "GET initialize-Data6ase": {"action": "dump", "human-readable": "true"},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    with servers.watched(tmp_path_factory.mktemp("watched") / "volume", "--debug") as server:
        yield server


def call(server: servers.Server, method: str, path: str, user: str, **fields: str) -> requests.Response:
    """Call an endpoint; a form goes in the query or the body, as its method has it."""
    fields["user"] = user
    in_query = method in ("GET", "DELETE", "HEAD")
    return requests.request(
        method,
        server.url + path,
        params=fields if in_query else None,
        data=None if in_query else fields,
        timeout=SECONDS,
    )


def in_order() -> list[Endpoint]:
    """All endpoints: first what makes something, at last what deletes it, from the inside out."""

    def place(endpoint: Endpoint) -> tuple[bool, int, bool]:
        takes_away = endpoint.method == "DELETE" or endpoint.path.startswith(("removal/", "initialize"))
        takes_away = takes_away or endpoint.path.endswith("/withdrawn")
        after = -len(endpoint.path) if takes_away else ORDER.index(endpoint.path.partition("/")[0])
        return takes_away, after, endpoint.method == "GET"

    return sorted(ENDPOINTS, key=place)


def test_every_endpoint_with_what_it_needs_and_without(server: servers.Server) -> None:
    succeeded, handed_in = set(), ""
    for endpoint in in_order():
        name = f"{endpoint.method} {endpoint.path}"
        person = {"instructor": "kevin", "grader": "gina"}.get(endpoint.path.partition("/")[0], "lawrence")
        path = endpoint.path.format(course="c", assignment="a", user=person)
        allowed = "lawrence" if endpoint.path.startswith("submission/") and endpoint.method == "POST" else "root"
        needed = {**FIELDS.get(name, {}), **({"timestamp": handed_in} if handed_in else {})}
        for user, fields in (("stranger", {}), (allowed, {}), (allowed, needed)):
            answer = call(server, endpoint.method, path, user, **fields)
            assert answer.status_code < 500, (name, answer.text)
            if answer.ok:
                succeeded.add(name)
            if answer.ok and name == "POST submission/{course}/{assignment}":
                handed_in = answer.json()["timestamp"]
    assert succeeded == {f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS}


def test_bodies_that_are_refused_cut_off_or_sent_otherwise(server: servers.Server) -> None:
    assert call(server, "POST", "course/refused", "root", instructors='["kevin"]').ok
    assert call(server, "POST", "assignment/refused/a", "kevin", files=SMALL).ok
    path = "submission/refused/a"
    for files in ("{", "[1]", '[{"path": "../x", "content": ""}]', '[{"path": "x", "content": "?"}]', LARGE[:-1]):
        assert call(server, "POST", path, "kevin", files=files).status_code == 400
    url = server.url + path
    assert requests.post(url, files={"user": (None, "kevin"), "files": (None, LARGE)}, timeout=SECONDS).ok
    encoded = urlencode({"user": "kevin", "files": SMALL}).encode()
    in_pieces = iter([encoded[:30], encoded[30:]])
    assert requests.post(url, data=in_pieces, headers={"Content-Type": FORM}, timeout=SECONDS).ok
    parts = urlsplit(url)
    assert parts.hostname
    head = f"POST {parts.path} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 9000000\r\n\r\n"
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=SECONDS) as connection:
        connection.sendall(f"{head}user=kevin&files={LARGE[:600_000]}".encode())
    # Whoever has left is looked after before the server ends, and it is watched to its end.


def test_pages_and_what_else_it_answers(server: servers.Server) -> None:
    page = call(server, "GET", "", "kevin")
    assert page.ok
    for path, status in (
        ("healthz", 200), ("openapi.json", 200), (re.findall(r'href="([^"]+\.css[^"]*)"', page.text)[0], 200),
        ("nothing/here", 404), ("course/%ff", 400),
    ):  # fmt: skip
        assert requests.get(urljoin(server.url, path), timeout=SECONDS).status_code == status, path
    # It comes from memory the second time, and as a file where it is large; and not at all where it has not changed.
    for _ in range(2):
        assert call(server, "POST", "course/pages", "root", instructors='["kevin"]').status_code in (200, 409)
        assert call(server, "POST", "assignment/pages/a", "kevin", files=LARGE).status_code in (200, 409)
        assert call(server, "GET", "assignment/pages/a", "kevin").ok
    chosen = {"files": ("large", bytes(600_000)), "zip": ("z.zip", zipped({"in it": bytes(3_000_000), "small": b"1"}))}
    for zip_file, status in ((chosen["zip"], 303), (("z.zip", b"none"), 400)):
        form = server.url + "pages/hand-in/pages/a?user=kevin"
        files = {**chosen, "zip": zip_file}
        sent = requests.post(form, {"key": "k"}, files=files, timeout=SECONDS, allow_redirects=False)
        assert sent.status_code == status


def test_doctor_looks_without_blocking(server: servers.Server) -> None:
    data = server.log_file.with_name("volume")
    port = str(urlsplit(server.url).port)
    command = [sys.executable, "-m", "tests.watched_server", "doctor", "--standalone", "--data", str(data)]
    command += ["--port", port]
    done = subprocess.run(command, cwd=servers.REPOSITORY, capture_output=True, text=True, timeout=SECONDS)
    assert "service URL" in done.stdout
    assert servers.BLOCKED not in done.stderr, done.stderr


@pytest.mark.durability
def test_a_full_disk(tmp_path: Path) -> None:
    skip_unless_possible(EXT4)
    image = tmp_path / "image"
    EXT4.make(image, 32 * MIB)
    with mounted(image, tmp_path / "disk") as disk, servers.watched(disk / "volume", "--debug") as server:
        assert call(server, "POST", "course/c", "root", instructors='["kevin"]').ok
        assert call(server, "POST", "assignment/c/a", "kevin", files=SMALL).ok
        (disk / "ballast").mkdir()
        fill_space(disk / "ballast")
        for files in (SMALL, LARGE):
            assert call(server, "POST", "submission/c/a", "kevin", files=files).status_code == 507
        assert call(server, "GET", "assignment/c/a", "kevin").ok


def test_what_blocks_is_found_in_the_real_server(tmp_path: Path) -> None:
    with (
        pytest.raises(AssertionError, match=f"{servers.BLOCKED} os.stat"),
        servers.watched(tmp_path / "volume", module="tests.clumsy_server") as server,
    ):
        assert call(server, "GET", "courses", "root").status_code == 500


def test_several_processes(tmp_path: Path) -> None:
    with servers.watched(tmp_path / "volume", "--workers", "2") as server:
        assert call(server, "POST", "course/c", "root", instructors='["kevin"]').ok
        assert call(server, "POST", "assignment/c/a", "kevin", files=LARGE).ok


async def test_what_blocks_is_found_in_the_tests_process() -> None:
    blocked: list[str] = []
    loop = asyncio.get_running_loop()
    with event_loop.watched(blocked.append):
        # Not below a test's function, as nothing of the product is.
        task = loop.run_in_executor(None, os.stat, ".")
        await task
        assert not blocked
        loop.call_soon(os.stat, ".")
        await asyncio.sleep(0)
    assert "os.stat" in blocked[0]
