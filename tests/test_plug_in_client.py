"""The client of nbgrader's plug-ins, without nbgrader: a pause of the server is a pause, a failure is said clearly."""

import json
import logging
import os
import random
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.connection.server import Server, find
from ngshare_fs.exchange.failures.problems import Refused, ServerProblem, Unreachable, UntrustworthyAnswer
from ngshare_fs.exchange.receiving import received_tree
from ngshare_fs.exchange.sending.request_body import CHUNK, Body, in_pieces
from ngshare_fs.store.checking.verify import verify_volume
from tests import servers
from tests.faulty_proxy import LOST_ANSWER, LOST_REQUEST, RESTARTING, Fault, FaultyProxy, faulty_proxy
from tests.local_files import checksums_of, files_in
from tests.plug_in_client import ASSIGNMENT, COURSE, api, checksum_of, folder_with, parts, proxy, work
from tests.rounds import rounds

__all__ = ["parts", "proxy", "work"]


# What arrives is what was sent.


@pytest.mark.parametrize("size", [0, 1, 2, 3, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_a_body_has_the_length_that_it_says(tmp_path: Path, size: int) -> None:
    files = files_in(folder_with(tmp_path / "t", {"a": b"x" * size, "b/ü": b"", "c": b"y"}))
    body = Body({"key": "ü", "other": ""}, files)
    for _ in range(2):  # it can be sent again
        assert len(b"".join(body)) == len(body)
    assert len(b"".join(Body({"a": "b"}))) == len(Body({"a": "b"}))


@pytest.mark.parametrize("sizes", [[], [0], [3, 0, 1, 9], [8], [7, 1], [1] * 20, [50, 3], [4, 40, 0]])
def test_what_is_sent_goes_in_pieces_of_one_size(sizes: list[int]) -> None:
    chunks = [bytes([number]) * size for number, size in enumerate(sizes)]
    *all_but_last, last = in_pieces(chunks, 8) if any(sizes) else [b""]
    assert b"".join([*all_but_last, last]) == b"".join(chunks)
    assert {len(piece) for piece in all_but_last} <= {8}
    assert len(last) <= 8
    assert list(in_pieces([b""], 8)) == []


@pytest.mark.parametrize("change", [b"", b"longer than it was"])
def test_a_file_that_changes_while_it_is_sent_is_a_problem(tmp_path: Path, change: bytes) -> None:
    files = files_in(folder_with(tmp_path / "t", {"a": b"content"}))
    (tmp_path / "t" / "a").write_bytes(change)
    with pytest.raises(ServerProblem, match="a has changed while it was being sent"):
        list(Body({}, files))


def test_work_of_any_size_and_name_arrives(proxy: FaultyProxy, work: str, parts: str) -> None:
    files = files_in(work)
    receipt = api(proxy.url, "lawrence").submit(COURSE, ASSIGNMENT, files, "k", None)
    assert {file["path"]: file["checksum"] for file in receipt["files"]} == checksums_of(files)
    chosen = {"lawrence": receipt["timestamp"]}
    (answer,) = api(proxy.url, "kevin").collect(COURSE, ASSIGNMENT, chosen, None, parts)
    collected = {file.path: checksum_of(file.place) for file in received_tree.check_tree(answer)}
    assert collected == checksums_of(files)


def test_what_is_known_of_own_work_comes_with_the_release(proxy: FaultyProxy, work: str) -> None:
    lawrence, files = api(proxy.url, "lawrence"), files_in(work)
    assert lawrence.newest_release(COURSE, ASSIGNMENT).newest_submission is None
    first = lawrence.submit(COURSE, ASSIGNMENT, files, "k", None)["timestamp"]
    assert lawrence.newest_release(COURSE, ASSIGNMENT).newest_submission == first
    assert api(proxy.url, "kevin").newest_release(COURSE, ASSIGNMENT).newest_submission is None
    proxy.faults.append(LOST_ANSWER)
    second = lawrence.submit(COURSE, ASSIGNMENT, files, "k2", None, first)["timestamp"]
    assert [moment for _, moment in lawrence.submissions(COURSE, ASSIGNMENT, "lawrence")] == [first, second]


# A pause of the server is a pause.


@pytest.mark.parametrize(
    "faults",
    [
        [LOST_REQUEST],
        [LOST_ANSWER],
        [LOST_ANSWER, LOST_ANSWER, LOST_REQUEST],
        [RESTARTING, Fault(status=502), Fault(status=504), LOST_ANSWER],
        [Fault(forward=True, send=20)],
        [Fault(forward=True, status=502, body=b"Bad Gateway")],
    ],
)
def test_a_submission_outlasts_a_restart_and_is_one(proxy: FaultyProxy, work: str, faults: list[Fault]) -> None:
    proxy.faults.extend(faults)
    receipt = api(proxy.url, "lawrence").submit(COURSE, ASSIGNMENT, files_in(work), "k", None)
    assert len(proxy.requests) == len(faults) + 1
    there = api(proxy.url, "lawrence").submissions(COURSE, ASSIGNMENT, "lawrence")
    assert there == [("lawrence", receipt["timestamp"])]


def test_the_time_that_the_server_asks_for_is_given(proxy: FaultyProxy, parts: str) -> None:
    busy = json.dumps({"success": False, "message": "Busy, try again"}).encode()
    proxy.faults.append(Fault(status=503, headers=(("Retry-After", "2"),), body=busy))
    started = time.monotonic()
    api(proxy.url, "lawrence").fetch(COURSE, ASSIGNMENT, parts)
    assert time.monotonic() - started >= 2

    proxy.faults.append(Fault(status=503, headers=(("Retry-After", "60"),), body=busy))
    started = time.monotonic()
    with pytest.raises(Refused, match="Busy, try again"):
        api(proxy.url, "lawrence", patience=5).fetch(COURSE, ASSIGNMENT, parts)
    assert time.monotonic() - started < 5


def test_a_release_whose_answer_was_lost_is_a_release(proxy: FaultyProxy, work: str) -> None:
    files = files_in(work)
    proxy.faults.append(LOST_ANSWER)
    api(proxy.url, "kevin").release(COURSE, "new", files, checksums_of(files))
    with pytest.raises(Refused, match="Assignment already exists"):
        api(proxy.url, "kevin").release(COURSE, "new", files, checksums_of(files))
    proxy.faults.append(LOST_REQUEST)
    with pytest.raises(Refused, match="Assignment already exists"):
        api(proxy.url, "kevin").release(COURSE, ASSIGNMENT, files, checksums_of(files))
    proxy.faults.append(LOST_ANSWER)
    api(proxy.url, "kevin").unrelease(COURSE, "new")
    with pytest.raises(Refused, match="Assignment not found"):
        api(proxy.url, "kevin").unrelease(COURSE, "new")


@pytest.mark.parametrize("announce", [True, False])
@pytest.mark.parametrize("cut", [0, 100, 1000, 2000])
def test_a_collection_goes_on_where_it_was_cut(
    proxy: FaultyProxy, tmp_path: Path, cut: int, announce: bool, parts: str
) -> None:
    chosen = {}
    for student in ("ann", "eric", "lawrence"):
        files = files_in(folder_with(tmp_path / student, {"p.ipynb": student.encode() * 100}))
        receipt = api(proxy.url, student).submit(COURSE, ASSIGNMENT, files, "k", None)
        chosen[student] = receipt["timestamp"]
    proxy.requests.clear()
    proxy.faults.append(Fault(forward=True, send=cut, announce=announce))
    came = []
    for answer in api(proxy.url, "kevin").collect(COURSE, ASSIGNMENT, chosen, None, parts):
        (file,) = received_tree.check_tree(answer)
        assert Path(file.place).read_bytes() == answer["student_id"].encode() * 100
        came.append(answer["student_id"])
    assert came == ["ann", "eric", "lawrence"]
    assert len(proxy.requests) == 2


def test_an_unchanged_listing_is_not_sent_again(proxy: FaultyProxy) -> None:
    listed = [api(proxy.url, "lawrence").listing() for _ in range(2)]
    assert listed[0] == listed[1]
    assert listed[0].courses[0].assignments[ASSIGNMENT].notebooks == ("p",)
    assert (listed[0].user, listed[0].courses[0].role) == ("lawrence", "student")


# Every failure is said.


def test_a_server_that_is_down_is_said_to_be(work: str) -> None:
    with faulty_proxy("http://127.0.0.1:1/api/") as gone:
        url = gone.url
    started = time.monotonic()
    with pytest.raises(Unreachable, match=r"cannot be reached: nobody is listening there .*Try again in some minutes"):
        api(url, "lawrence", patience=1.5).submit(COURSE, ASSIGNMENT, files_in(work), "k", None)
    assert 0.3 < time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(status=302, headers=(("Location", "/hub/login"),)), "You are not signed in"),
        (Fault(status=401, body=b"no"), "You are not signed in"),
        (Fault(status=200, body=b"<h1>Welcome</h1>"), "answers HTTP 200, and not as an exchange"),
        (Fault(status=200, body=b"[]"), "answers HTTP 200, and not as an exchange"),
        (Fault(status=404, body=b"<h1>404</h1>"), "There is no exchange at this address"),
        (Fault(status=413, body=b"<h1>too large</h1>"), "remove large data files"),
        (Fault(status=500, body=b"oops"), "The server failed"),
        (Fault(status=403, body=b'{"success": false, "message": "Please sign in"}'), "You are not signed in"),
    ],
)
def test_answers_of_others_are_understood(proxy: FaultyProxy, fault: Fault, said: str, parts: str) -> None:
    proxy.faults.append(fault)
    with pytest.raises(Refused, match=said):
        api(proxy.url, "lawrence").fetch(COURSE, ASSIGNMENT, parts)


def test_refusals_say_what_to_do(proxy: FaultyProxy, work: str) -> None:
    files = files_in(work)
    for user, course, assignment, said in (
        ("stranger", COURSE, ASSIGNMENT, "Permission denied.* ask your instructor to add you"),
        ("lawrence", "no such", ASSIGNMENT, "Course not found.* spelling"),
        ("lawrence", COURSE, "no such", "Assignment not found.* taken back"),
    ):
        with pytest.raises(Refused, match=said):
            api(proxy.url, user).submit(course, assignment, files, "k", None)
    with pytest.raises(Refused, match=r"Student not found.* roster"):
        api(proxy.url, "kevin").submit(COURSE, ASSIGNMENT, files, "k", "nobody")
    client = Client(Server(proxy.url, "of a hub", "kevin", standalone=False), 5, logging.getLogger("test"))
    with pytest.raises(Refused, match=r"Please supply user\. It runs without a JupyterHub"):
        client.call("GET", "courses")


def test_what_is_too_large_is_said_to_be(tmp_path: Path) -> None:
    with servers.running(tmp_path / "volume", "--max-request", "1MiB") as server:
        files = files_in(folder_with(tmp_path / "t", {"large": os.urandom(3 * 2**20)}))
        root = Client(Server(server.url, "user:root", "root", standalone=True), 5, logging.getLogger("test"))
        root.call("POST", "course", COURSE)
        with pytest.raises(ServerProblem, match=r"At most 1\.0 MB are taken at once: remove large data files"):
            api(server.url, "root").release(COURSE, ASSIGNMENT, files, {})


def test_the_token_is_the_one_of_the_hub(
    proxy: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: str
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    api(proxy.url, "lawrence").fetch(COURSE, ASSIGNMENT, parts)
    assert proxy.tokens == ["token user:lawrence"]


@pytest.mark.parametrize(
    ("configured", "environment", "url"),
    [
        ("http://a/x", {"NGSHARE_URL": "http://b/"}, "http://a/x/"),
        ("", {"NGSHARE_URL": "https://b/y/"}, "https://b/y/"),
        (
            "",
            {"PROXY_PUBLIC_SERVICE_HOST": "10.0.0.7", "PROXY_PUBLIC_SERVICE_PORT": "80", "JUPYTERHUB_BASE_URL": "/jh/"},
            "http://10.0.0.7:80/jh/services/ngshare/",
        ),
        (
            "",
            {"PROXY_PUBLIC_SERVICE_HOST": "fd00::7", "PROXY_PUBLIC_SERVICE_PORT": "443"},
            "https://[fd00::7]:443/services/ngshare/",
        ),
        (
            "",
            {
                "PROXY_PUBLIC_SERVICE_HOST": "10.0.0.7",
                "PROXY_PUBLIC_SERVICE_PORT": "443",
                "JUPYTERHUB_PUBLIC_HUB_URL": "https://hub.example/hub/",
            },
            "https://hub.example/services/ngshare/",
        ),
        ("", {"JUPYTERHUB_PUBLIC_HUB_URL": "https://hub.example/jh/hub/"}, "https://hub.example/jh/services/ngshare/"),
        (
            "",
            {"JUPYTERHUB_API_URL": "http://127.0.0.1:8081/jh/hub/api", "JUPYTERHUB_BASE_URL": "/jh/"},
            "http://127.0.0.1:8000/jh/services/ngshare/",
        ),
    ],
)
def test_the_server_is_found(configured: str, environment: dict[str, str], url: str) -> None:
    found = find(configured, {"USER": "me", **environment})
    assert (found.url, found.token, found.standalone) == (url, "user:me", True)
    found = find(configured, {"JUPYTERHUB_USER": "zoë", "JUPYTERHUB_API_TOKEN": "secret", **environment})
    assert (found.user, found.token, found.standalone) == ("zoë", "secret", False)


@pytest.mark.parametrize("url", ["", "ngshare", "ftp://host/", "http://", "/services/ngshare/"])
def test_a_server_that_cannot_be_found_is_said_to_be(url: str) -> None:
    with pytest.raises(ServerProblem, match=r"services/ngshare/"):
        find(url, {})


@pytest.mark.parametrize("announce", [True, False])
@pytest.mark.parametrize("cut", [0, 1, 40, 100])
def test_a_download_that_is_cut_begins_anew(proxy: FaultyProxy, parts: str, cut: int, announce: bool) -> None:
    proxy.faults.extend([Fault(forward=True, send=cut, announce=announce)] * 2)
    (file,) = received_tree.check_tree(api(proxy.url, "lawrence").fetch(COURSE, ASSIGNMENT, parts))
    assert (file.path, Path(file.place).read_bytes()) == ("p.ipynb", b"{}")
    assert len(os.listdir(parts)) == 1
    assert len(proxy.requests) == 3
    proxy.faults.extend([Fault(forward=True, send=cut, announce=announce)] * 9)
    with pytest.raises(Unreachable, match="cannot be reached"):
        api(proxy.url, "lawrence", patience=0).fetch(COURSE, ASSIGNMENT, parts)


# The server is killed at any moment.


@pytest.mark.durability
def test_a_killed_server_costs_nobody_anything(tmp_path: Path, work: str, parts: str) -> None:
    volume = tmp_path / "volume"
    files = files_in(work)
    kills = rounds(6)
    server = servers.start(volume, tmp_path / "log", own_group=True)
    port = str(urlsplit(server.url).port)
    url = server.url
    enough, finished = threading.Event(), threading.Event()
    problems: list[BaseException] = []
    receipts: list[str] = []

    def students_day() -> None:
        try:
            while not enough.is_set():
                receipt = api(url, "root").submit(COURSE, ASSIGNMENT, files, f"k{len(receipts)}", None)
                receipts.append(receipt["timestamp"])
                release = api(url, "root").fetch(COURSE, ASSIGNMENT, parts)
                fetched = {file.path for file in received_tree.check_tree(release)}
                assert fetched == checksums_of(files).keys()
                chosen = {"root": receipt["timestamp"]}
                (answer,) = api(url, "root").collect(COURSE, ASSIGNMENT, chosen, None, parts)
                collected = {file.path: checksum_of(file.place) for file in received_tree.check_tree(answer)}
                assert collected == checksums_of(files)
        except BaseException as problem:
            problems.append(problem)
        finally:
            finished.set()

    try:
        root = Client(Server(url, "user:root", "root", standalone=True), 20, logging.getLogger("test"))
        root.call("POST", "course", COURSE, body=Body({"instructors": '["root"]'}))
        api(url, "root").release(COURSE, ASSIGNMENT, files, {})
        day = threading.Thread(target=students_day)
        day.start()
        for number in range(kills):
            finished.wait(random.uniform(0.05, 0.4))
            server.kill()
            server = servers.start(volume, tmp_path / f"log{number}", "--port", port, own_group=True)
        enough.set()
        day.join()
        assert problems == []
        assert [moment for _, moment in api(url, "root").submissions(COURSE, ASSIGNMENT, "root")] == receipts
        assert list(verify_volume(volume)) == []
    finally:
        enough.set()
        server.kill()


def test_graders_are_known_where_the_server_has_some(proxy: FaultyProxy) -> None:
    kevin = api(proxy.url, "kevin")
    two = {"success": True, "graders": [{"username": "gina"}, {"username": "gino"}]}
    proxy.faults.append(Fault(status=200, body=json.dumps(two).encode()))
    assert kevin.graders(COURSE) == {"gina", "gino"}
    proxy.faults.append(Fault(status=404, body=b'{"success": false, "message": "Not Found"}'))
    assert kevin.graders(COURSE) == set()
    proxy.faults.append(Fault(status=200, body=b'{"success": true}'))
    with pytest.raises(UntrustworthyAnswer, match="not as an exchange does"):
        kevin.graders(COURSE)


def test_data_that_cannot_be_read_is_said_at_once(proxy: FaultyProxy) -> None:
    lawrence = api(proxy.url, "lawrence")
    body = json.dumps({"success": False, "message": "Course data cannot be read; ask your administrator"}).encode()
    proxy.faults.append(Fault(status=503, headers=(("Retry-After", "60"),), body=body))
    before = len(proxy.requests)
    with pytest.raises(Refused, match="Course data cannot be read"):
        lawrence.newest_release(COURSE, ASSIGNMENT)
    assert len(proxy.requests) == before + 1
