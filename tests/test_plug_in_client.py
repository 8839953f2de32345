"""The client of nbgrader's plug-ins, without nbgrader: a pause of the server is a pause, a failure is said clearly."""

import base64
import errno
import hashlib
import json
import logging
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.connection.exchange_api import ExchangeApi
from ngshare_fs.exchange.connection.server import Server, find
from ngshare_fs.exchange.failures.problems import Refused, ServerProblem, Unreachable, UntrustworthyAnswer
from ngshare_fs.exchange.folders import replacing
from ngshare_fs.exchange.folders.submission_cache import Pending, SubmissionCache
from ngshare_fs.exchange.receiving import received_tree
from ngshare_fs.exchange.receiving.tree_in_answer import LONGEST_TEXT, TreeInAnswer
from ngshare_fs.exchange.sending.request_body import CHUNK, Body
from ngshare_fs.formats.json_stream import NotJson
from ngshare_fs.store.checking.verify import verify_volume
from tests import servers
from tests.faulty_proxy import LOST_ANSWER, LOST_REQUEST, RESTARTING, Fault, FaultyProxy, faulty_proxy
from tests.local_files import checksums_of, files_in
from tests.rounds import rounds

COURSE, ASSIGNMENT = "NBG 101+ü", "ps1/…"


def api(url: str, user: str, patience: float = 30.0) -> ExchangeApi:
    return ExchangeApi(Client(Server(url, f"user:{user}", user, standalone=True), patience, logging.getLogger("test")))


def no_matter(old: str) -> str | None:
    """What is replaced is not to be kept."""
    return None


def folder_with(place: Path, files: dict[str, bytes]) -> str:
    for path, content in files.items():
        file = place / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return str(place)


@pytest.fixture
def proxy(served: servers.Server, tmp_path: Path) -> Iterator[FaultyProxy]:
    """A proxy before a server with a course: `kevin` teaches, `lawrence` and `eric` take it."""
    root = Client(Server(served.url, "user:root", "root", standalone=True), 5, logging.getLogger("test"))
    root.call("GET", "initialize-Data6ase", query={"action": "clear"})
    root.call("POST", "course", COURSE, body=Body({"instructors": '["kevin"]'}))
    people = [
        {"username": name, "first_name": "", "last_name": "", "email": ""} for name in ("lawrence", "eric", "ann")
    ]
    root.call("POST", "students", COURSE, body=Body({"students": json.dumps(people)}))
    files = files_in(folder_with(tmp_path / "release", {"p.ipynb": b"{}"}))
    api(served.url, "kevin").release(COURSE, ASSIGNMENT, files, checksums_of(files))
    with faulty_proxy(served.url) as made:
        yield made


@pytest.fixture
def work(tmp_path: Path) -> str:
    return folder_with(tmp_path / "work", {"p.ipynb": b'{"cells": []}', "data/größe m².csv": b"1;2\n" * 70_000})


@pytest.fixture
def parts(tmp_path: Path) -> str:
    """Where contents arrive."""
    return folder_with(tmp_path / "parts", {"left over": b"of an attempt that failed"})


def checksum_of(place: str) -> str:
    return hashlib.md5(Path(place).read_bytes()).hexdigest()


def arrived(text: bytes | str, parts: str, size: int = 2**20) -> dict[str, Any]:
    """What the client makes of an answer that arrives in chunks."""
    data = text.encode() if isinstance(text, str) else text
    tree = TreeInAnswer(parts)
    for start in range(0, len(data), size):
        tree.feed(data[start : start + size])
    answer: dict[str, Any] = tree.finish()
    return answer


# What arrives is what was sent.


@pytest.mark.parametrize("size", [0, 1, 2, 3, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_a_body_has_the_length_that_it_says(tmp_path: Path, size: int) -> None:
    files = files_in(folder_with(tmp_path / "t", {"a": b"x" * size, "b/ü": b"", "c": b"y"}))
    body = Body({"key": "ü", "other": ""}, files)
    for _ in range(2):  # it can be sent again
        assert len(b"".join(body)) == len(body)
    assert len(b"".join(Body({"a": "b"}))) == len(Body({"a": "b"}))


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


# What comes from the server is checked before it is written.


def entry(path: Any, content: Any = "YWI=", **more: Any) -> dict[str, Any]:
    return {"path": path, "content": content, **more}


@pytest.mark.parametrize(
    "files",
    [
        None,
        "text",
        [1],
        [{"path": "a"}],
        [entry("../a")],
        [entry("/a")],
        [entry("")],
        [entry("a//b")],
        [entry("a/./b")],
        [entry("a/..")],
        [entry("a\0")],
        [entry(1)],
        [entry("a\ud800")],
        [entry("a", "YWI")],
        [entry("a", "YW=I")],
        [entry("a", "YWI=YWI=")],
        [entry("a", "YW-I")],
        [entry("a", "YW\ud800I")],
        [entry("a", "\0")],
        [entry("a", None)],
        [entry("a", ["YWI="])],
        [entry("a", {"content": "YWI="})],
        [entry("a", checksum="0" * 32)],
        [entry("a", checksum=1)],
        [entry("a"), entry("b", checksum="0" * 32)],
        {"a": entry("a")},
    ],
)
def test_answers_that_would_do_harm_are_refused(files: Any, parts: str) -> None:
    answer = arrived(json.dumps({"files": files}), parts)
    with pytest.raises(UntrustworthyAnswer):
        list(received_tree.check_tree(answer))


def test_damage_is_said_to_be_damage(parts: str) -> None:
    for damaged in (entry("data/a", "YW-I"), entry("data/a", checksum="0" * 32)):
        with pytest.raises(UntrustworthyAnswer, match=r"data/a was damaged on the way: .* Try again\."):
            list(received_tree.check_tree(arrived(json.dumps({"files": [damaged]}), parts)))


@pytest.mark.parametrize("size", [1, 3, 7, 2**20])
def test_an_answer_is_understood_as_json_is(size: int, parts: str) -> None:
    content = bytes(range(256)) * 3
    wrapped = base64.encodebytes(content).decode()  # as ngshare does, with line breaks
    files = [entry("größe/m²😀", checksum=hashlib.md5(b"ab").hexdigest()), entry("", ""), entry("c", wrapped)]
    answer = {
        "success": True,
        "timestamp": "2020-01-01 00:00:00 UTC",
        "files": files,
        "content": "no content", "more": [{"content": [1, -2.5e3, None, True, {}, []]}, "\\\"/\b\n\ud83d"],
    }  # fmt: skip
    for text in (json.dumps(answer), json.dumps(answer, ensure_ascii=False).replace("\ud83d", "\\ud83d")):
        found = arrived(text.encode(), parts, size)
        came = [file.pop("content") for file in found["files"]]
        assert [Path(part.place).read_bytes() for part in came] == [b"ab", b"", content]
        assert [part.size for part in came] == [2, 0, len(content)]
        assert [part.md5 for part in came] == [hashlib.md5(each).hexdigest() for each in (b"ab", b"", content)]
        rest = [{key: value for key, value in file.items() if key != "content"} for file in files]
        assert found == {**answer, "files": rest}
        assert len(os.listdir(parts)) == 3


@pytest.mark.parametrize(
    "text", ["", "{", '{"files": [{"content": "YW', '{"a": "\\x"}', '{"files": [{"content": "\\q"}]}', "{}{}", "<p>"]
)
def test_what_is_no_answer_is_said_to_be_none(text: str, parts: str) -> None:
    with pytest.raises(NotJson):
        arrived(text, parts)


def test_a_text_without_an_end_is_not_held(parts: str) -> None:
    with pytest.raises(NotJson, match="a text is too long"):
        arrived('{"message": "' + "x" * (LONGEST_TEXT + 1) + '"}', parts)


@pytest.mark.parametrize(
    "paths",
    [
        ["a", "a/b"],
        ["a/b", "a"],
        ["a" * 256],
        ["x/" + "a" * 256 + "/b"],
        ["x/" * 1000 + "b"],
        [("x" * 30 + "/") * 200 + "b"],
    ],
)
def test_paths_that_cannot_be_stored_here_are_a_problem(paths: list[str], parts: str, tmp_path: Path) -> None:
    target = tmp_path / "above" / "target"
    answer = arrived(json.dumps({"files": [entry(path) for path in paths]}), parts)
    with (
        pytest.raises(UntrustworthyAnswer, match="cannot be stored here"),
        replacing.replacing_folder(str(target), no_matter) as place,
    ):
        received_tree.write_tree(place.tree, received_tree.check_tree(answer))
    assert not target.parent.exists()


def test_a_tree_goes_from_one_disk_to_another(parts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace

    def replace_on_a_disk(source: str, target: str) -> None:
        if os.path.dirname(source) == parts:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        replace(source, target)

    files = list(received_tree.check_tree(arrived(json.dumps({"files": [entry("a/b")]}), parts)))
    monkeypatch.setattr(os, "replace", replace_on_a_disk)
    received_tree.write_tree(str(tmp_path / "tree"), files)
    assert (tmp_path / "tree/a/b").read_bytes() == b"ab"
    assert os.listdir(tmp_path / "tree/a") == ["b"]
    assert os.listdir(parts) == []


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


def test_a_line_that_is_none_is_said_to_be(proxy: FaultyProxy, parts: str) -> None:
    for body in (b"<p>\n", b"[]\n", b'{"a"\n', b'{"success": true}\n'):
        proxy.faults.append(Fault(status=200, body=body))
        with pytest.raises(UntrustworthyAnswer):
            list(api(proxy.url, "kevin").collect(COURSE, ASSIGNMENT, {"ann": "2020-01-01 00:00:00 UTC"}, None, parts))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "a\0", "a\ud800"])
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(UntrustworthyAnswer):
        received_tree.check_component(name, "user name")


@pytest.mark.parametrize(
    "text",
    [None, 1, "", "..", "2020-01-01", "2020-01-01 00:00:00/..", "2020-01-01 00:00:00 ../x", "2020-02-30 00:00:00"],
)
def test_timestamps_that_are_none_are_refused(text: object) -> None:
    with pytest.raises(UntrustworthyAnswer):
        received_tree.check_timestamp(text)
    assert received_tree.check_timestamp("2020-01-01 00:00:00.000001 UTC")
    assert received_tree.check_timestamp("2020-01-01 00:00:00.000001")


def test_a_failure_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    old = tmp_path / "above" / "target"
    folder_with(old, {"work": b"old"})
    with pytest.raises(FileExistsError), replacing.replacing_folder(str(old), no_matter) as place:
        os.mkdir(os.path.dirname(folder_with(Path(place.tree) / "sub", {"work": b"half"})))
    assert (old / "work").read_bytes() == b"old"
    assert os.listdir(old.parent) == ["target"]
    with pytest.raises(ValueError, match="cut"), replacing.replacing_folder(str(tmp_path / "new" / "x" / "target")):
        raise ValueError("cut")
    assert not (tmp_path / "new").exists()
    with replacing.replacing_folder(str(old), no_matter) as place:
        folder_with(Path(place.tree), {"work": b"new"})
    assert (old / "work").read_bytes() == b"new"
    assert os.listdir(old.parent) == ["target"]


def test_what_a_killed_command_left_behind_is_removed_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = tmp_path / (replacing.SCRATCH + "0123")
    left.mkdir()
    with replacing.replacing_folder(str(tmp_path / "a")):
        pass
    assert left.exists()  # it may still be at work
    monkeypatch.setattr(replacing, "LEFT_OVER_SECONDS", -1)
    with replacing.replacing_folder(str(tmp_path / "b")):
        pass
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def killed_between_the_renames(target: Path) -> None:
    """Replace a folder in a process of its own, which dies when the old one is out of the way."""
    child = os.fork()
    if not child:
        try:
            rename = os.rename

            def rename_or_die(source: str, to: str) -> None:
                if to == str(target):
                    os._exit(0)
                rename(source, to)

            os.rename = rename_or_die  # type: ignore[assignment]
            with replacing.replacing_folder(str(target), no_matter) as place:
                folder_with(Path(place.tree), {"work": b"new"})
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("age", [0, -1])
def test_what_was_being_replaced_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: int) -> None:
    target = tmp_path / "target"
    folder_with(target, {"work": b"old"})
    killed_between_the_renames(target)
    assert not target.exists()
    if age:
        monkeypatch.setattr(replacing, "LEFT_OVER_SECONDS", age)
    replacing.sweep(str(tmp_path))
    assert (target / "work").read_bytes() == b"old"
    assert bool(age) == (os.listdir(tmp_path) == ["target"])
    # What took its place in the meantime stays, and what nobody has replaced is not lost, however old it is.
    killed_between_the_renames(target)
    folder_with(target, {"work": b"newer"})
    replacing.sweep(str(tmp_path))
    assert (target / "work").read_bytes() == b"newer"
    with replacing.replacing_folder(str(target), no_matter) as place:
        folder_with(Path(place.tree), {"work": b"newest"})
    assert (target / "work").read_bytes() == b"newest"
    (kept,) = tmp_path.glob("*/replaced/0/target/work")
    assert kept.read_bytes() == b"old"


def test_what_cannot_be_brought_back_is_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "target"
    folder_with(target, {"work": b"old"})
    killed_between_the_renames(target)
    monkeypatch.setattr(replacing, "LEFT_OVER_SECONDS", -1)
    with monkeypatch.context() as refusing:

        def refuse(source: str, to: str) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        refusing.setattr(os, "rename", refuse)
        replacing.sweep(str(tmp_path))
    replacing.sweep(str(tmp_path))
    assert (target / "work").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["target"]


def test_two_commands_replace_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one puts its own in place between the two renames."""
    target = tmp_path / "target"
    folder_with(target, {"work": b"old"})
    rename = os.rename
    others = iter([b"first", b"second"])

    def rename_after_another(source: str, to: str) -> None:
        if to == str(target) and (content := next(others, None)):
            folder_with(target, {"work": content})
        rename(source, to)

    monkeypatch.setattr(os, "rename", rename_after_another)
    with replacing.replacing_folder(str(target), no_matter) as place:
        folder_with(Path(place.tree), {"work": b"new"})
    assert (target / "work").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["target"]


# The cache.


@pytest.mark.parametrize("name", ["ps1", "a+b", "100%", "a%2Bb", "a/b", "..", ".hidden", "zoë@uni.example", "x y"])
def test_names_in_the_cache_come_back_as_they_were(tmp_path: Path, name: str) -> None:
    cache = SubmissionCache(str(tmp_path))
    timestamp = "2020-01-01 00:00:00.000001 UTC"
    folder = cache.folder(name, name, name, timestamp)
    os.makedirs(folder)
    assert Path(folder).parent.parent == tmp_path
    assert cache.courses() == [name]
    (found,) = cache.submissions(name)
    assert (found.student, found.assignment, found.timestamp, found.folder) == (name, name, timestamp, folder)
    cache.forget(name, name, name, timestamp)
    assert cache.submissions(name) == []
    assert cache.removed() == {(name, name, name, timestamp)}


def test_the_same_work_goes_on_with_the_same_key(tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    first = Pending(cache, ("course", "ps1"), {"a": "1"})
    assert first.key("fresh1") == "fresh1"
    assert Pending(cache, ("course", "ps1"), {"a": "1"}).key("fresh2") == "fresh1"
    assert Pending(cache, ("course", "ps2"), {"a": "1"}).key("fresh3") == "fresh3"
    # Other files, and then these again: that is a new submission, which has to count as the newest.
    assert Pending(cache, ("course", "ps1"), {"a": "2"}).key("fresh4") == "fresh4"
    assert Pending(cache, ("course", "ps1"), {"a": "1"}).key("fresh5") == "fresh5"
    first.over()
    assert Pending(cache, ("course", "ps1"), {"a": "1"}).key("fresh6") == "fresh6"
    for broken in ("", "one", "a b c"):
        file = max(Path(cache).glob(".ngshare_pending-*"), key=lambda path: path.stat().st_mtime_ns)
        file.write_text(broken)
        assert Pending(cache, ("course", "ps1"), {"a": "1"}).key("fresh7") == "fresh7"


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
