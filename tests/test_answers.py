"""Every refusal has one shape; what lies outside the endpoints is answered too."""

import asyncio
import base64
import os
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from ngshare_fs.api.response import release_cache
from ngshare_fs.api.response.release_cache import ReleaseCache
from ngshare_fs.api.response.tree_answer import SLICE
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import OF_STORE_ERROR, Refusal
from ngshare_fs.store import TreeState, errors, volume
from ngshare_fs.store.errors import StoreError
from ngshare_fs.store.format import timestamp
from ngshare_fs.store.format.manifest import Manifest
from ngshare_fs.store.reading import fingerprint
from ngshare_fs.store.writing.locks import Locks
from tests.conftest import Exchange, until
from tests.trees import tree


def open_descriptors() -> int:
    """How many files and connections this process has open."""
    return len(os.listdir("/proc/self/fd"))


def test_every_error_of_the_store_has_its_answer() -> None:
    def below(kind: type[StoreError]) -> set[type[StoreError]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    # Others are an operator's, whose commands say them.
    of_the_api = {kind for kind in below(StoreError) if kind.__module__ == errors.__name__ or kind in OF_STORE_ERROR}
    assert of_the_api - {StoreError, errors.VolumeError} == set(OF_STORE_ERROR)


def test_every_refusal_is_a_clear_sentence() -> None:
    for refusal in vars(refusals).values():
        if isinstance(refusal, Refusal):
            assert refusal.message
            assert 400 <= refusal.status < 600


async def test_unknown_paths_and_methods(taught: Exchange) -> None:
    for path in ("nope", "course", "course/", "course/c/", "courses/", "course/c/d", "healthz/x", "a" * 3000):
        answer = await taught.raw("GET", path, "root")
        assert (answer.status, answer.body) == (404, {"html": "<h1>404 Not Found</h1>\n"}), path
    response = await taught.client.get("/elsewhere", headers={"Authorization": "token x"})
    assert (response.status, await response.json()) == (404, {"success": False, "message": "Not Found"})
    for method, path in (("PATCH", "courses"), ("POST", "courses"), ("DELETE", "students/c"), ("PUT", "course/c")):
        answer = await taught.call(method, path, "root")
        assert (answer.status, answer.message) == (405, "Method Not Allowed")
        assert "GET" in answer.headers["Allow"] or "POST" in answer.headers["Allow"]
    assert (await taught.client.head("/api/courses?user=root")).status == 405


@pytest.mark.parametrize("path", ["course/%zz", "course/%ff", "course/%", "%C3/x"])
async def test_urls_that_are_no_text_are_refused(exchange: Exchange, path: str) -> None:
    answer = await exchange.raw("GET", path, "root")
    assert answer.status == 400
    assert "percent-encoded" in answer.message


async def test_an_unforeseen_failure_is_json(taught: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("ngshare_fs.store.roster.of", fail)
    answer = await taught.call("GET", "students/c", "kevin")
    assert (answer.status, answer.body) == (500, {"success": False, "message": "Internal Server Error"})


async def test_health(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("/healthz", "/api/healthz", "/readyz", "/api/readyz"):
        response = await exchange.client.get(place)
        body = await response.json()
        assert (response.status, body.pop("success")) == (200, True)
        assert list(body) == (["volume"] if "readyz" in place else [])
    shutil.rmtree(exchange.data / "courses")
    response = await exchange.client.get("/readyz")
    body = await response.json()
    assert (response.status, body["success"]) == (503, False)
    assert "courses" in body["message"]
    assert str(exchange.data) not in body["message"]
    assert (await exchange.client.get("/healthz")).status == 200


@pytest.mark.parametrize(
    ("failure", "status", "message"),
    [
        (OSError(28, "No space left on device"), 507, "Insufficient storage"),
        (OSError(122, "Disk quota exceeded"), 507, "Insufficient storage"),
        (OSError(30, "Read-only file system"), 503, "Storage is read-only"),
        (OSError(5, "Input/output error"), 503, "Storage failure"),
    ],
)
@pytest.mark.parametrize("call", ["write_file", "DirtySet.flush", "DirtySet.make_folder_unless_there"])
async def test_a_failing_disk_is_answered_and_leaves_nothing(
    taught: Exchange, monkeypatch: pytest.MonkeyPatch, failure: OSError, status: int, message: str, call: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(f"ngshare_fs.store.writing.durability.{call}", fail)
    answer = await taught.call("POST", "submission/c/a", "lawrence", files=tree({"a": b"1", "b": b"x" * 10**6}))
    assert (answer.status, answer.message) == (status, message)
    monkeypatch.undo()
    assert taught.left_in_staging() == []
    assert (await taught.call("GET", "submissions/c/a", "kevin")).body["submissions"] == []
    assert (await taught.call("POST", "submission/c/a", "lawrence", files=tree({"a": b"1"}))).status == 200


async def test_a_damaged_tree_is_no_answer(taught: Exchange) -> None:
    for content in (b"small", b"x" * 10**6):
        await taught.call("POST", "submission/c/a", "lawrence", files=tree({"f": content}))
        file = next(path for path in taught.data.rglob("submissions/lawrence/*/files/f") if path.stat().st_size > 0)
        os.truncate(file, 0)
        answer = await taught.call("GET", "submission/c/a/lawrence", "kevin")
        assert (answer.status, answer.message) == (500, "Stored files are damaged")


async def test_a_release_that_is_kept_ready_is_what_lies_on_the_volume(
    taught: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprint, "RACY_NANOSECONDS", -(10**12))  # old enough at once
    await taught.call("POST", "assignment/c/big", "kevin", files=tree({"f": b"1" * 10**6, "g": b"2"}))
    fetch = ("GET", "assignment/c/big", "lawrence")
    first = await taught.call(*fetch)
    assert first.status == 200
    assert (await taught.call(*fetch)).body == first.body
    file = next(taught.data.rglob("big/releases/*/files/f"))
    file.write_bytes(b"3" * 10**6)
    changed = (await taught.call(*fetch)).body["files"]
    assert base64.b64decode(changed[0]["content"]) == b"3" * 10**6
    os.truncate(file, 5)
    assert (await taught.call(*fetch)).status == 500
    await taught.call("DELETE", "assignment/c/big", "kevin")
    assert (await taught.call(*fetch)).status == 404


def test_answers_kept_ready_are_few() -> None:
    kept, state = ReleaseCache(), TreeState(Manifest("release", "c", "a", "kevin", timestamp.now(), ()), [])
    bodies = [bytes([number]) * (release_cache.MOST_BYTES // 4) for number in range(8)]
    for number, body in enumerate(bodies):
        kept.keep(str(number), state, body)
    assert [kept.get(str(number), state) for number in range(8)] == [None] * 4 + bodies[4:]
    assert kept.get("7", state._replace(manifest=replace(state.manifest, by="eric"))) is None
    for _ in range(5):
        kept.keep("7", state, bodies[0])
    assert [kept.get(str(number), state) for number in range(4, 8)] == [*bodies[4:7], bodies[0]]


async def test_whoever_leaves_or_lingers_over_a_release_stops_nobody(
    taught: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprint, "RACY_NANOSECONDS", -(10**12))  # old enough at once
    content = os.urandom(3 * 10**6)
    await taught.call("POST", "assignment/c/big", "kevin", files=tree({"f": content}))
    fetch = ("GET", "assignment/c/big", "lawrence")
    await taught.call(*fetch)
    opened = open_descriptors()
    request = b"GET /api/assignment/c/big?user=lawrence HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    others = [await asyncio.open_connection("127.0.0.1", taught.client.port, limit=1024) for _ in range(8)]
    for reader, writer in others:
        writer.write(request)
        assert await reader.readexactly(500)  # and no more: much of the answer is still at the server
    for _ in range(3):
        assert base64.b64decode((await taught.call(*fetch)).body["files"][0]["content"]) == content
    for _, writer in others[:4]:
        writer.transport.abort()
    for reader, writer in others[4:]:
        assert len(await reader.read(-1)) > len(content)
        writer.close()
    await until(lambda: open_descriptors() == opened)


async def test_who_is_slow_costs_a_slice_of_memory_not_a_release(
    taught: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprint, "RACY_NANOSECONDS", -(10**12))  # old enough at once
    await taught.call("POST", "assignment/c/big", "kevin", files=tree({"f": os.urandom(3 * 10**6)}))
    await taught.call("GET", "assignment/c/big", "lawrence")
    clients = [await asyncio.open_connection("127.0.0.1", taught.client.port, limit=1024) for _ in range(8)]
    addresses = {writer.get_extra_info("sockname") for _, writer in clients}

    def served() -> list[asyncio.Transport]:
        transports = [connection.transport for connection in taught.client.server.runner.server.connections]
        # A connection that is just being closed has none any more.
        open_ones = [transport for transport in transports if transport is not None]
        return [transport for transport in open_ones if transport.get_extra_info("peername") in addresses]

    await until(lambda: len(served()) == len(clients))
    transports = served()
    for transport in transports:  # what the system takes is not ours
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
    for _, writer in clients:
        writer.write(b"GET /api/assignment/c/big?user=lawrence HTTP/1.1\r\nHost: x\r\n\r\n")

    def held() -> list[int]:
        return [size for transport in transports if (size := transport.get_write_buffer_size())]

    try:
        await until(lambda: len(held()) == len(clients))
        assert max(held()) < 2 * SLICE  # one, and what was left of the one before
    finally:
        for _, writer in clients:
            writer.transport.abort()
        await until(lambda: not served())


async def test_a_course_whose_lock_is_stuck_stops_no_submission(taught: Exchange) -> None:
    person = {"first_name": "", "last_name": "", "email": ""}
    with Locks(str(taught.data / ".ngshare/locks")).hold("course", "c"):
        changes = [asyncio.create_task(taught.call("POST", f"student/c/s{n}", "kevin", **person)) for n in range(40)]
        handing_in = taught.call("POST", "submission/c/a", "lawrence", files=tree({"a": b"1"}))
        assert (await asyncio.wait_for(handing_in, 8)).status == 200
        assert not any(change.done() for change in changes)
    assert {(await change).status for change in changes} == {200}


def test_a_folder_that_cannot_serve_is_refused_with_a_remedy(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "thesis.txt").touch()
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "ngshare.yaml").write_text("layout: 3\n")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "ngshare.yaml").write_text("layout: [\n")
    lost = tmp_path / "lost"
    (lost / "courses/c").mkdir(parents=True)
    file = tmp_path / "file"
    file.touch()
    cases = {
        taken: ("thesis.txt", "give --data an empty folder"),
        newer: ("layout 3", "install the newer"),
        broken: ("line 2", "restore the file"),
        lost: ("no ngshare.yaml", "layout: 2"),
        file: ("not a folder", "give --data a folder"),
        file / "below": ("Not a directory", "give --data another folder"),
    }
    for path, words in cases.items():
        with pytest.raises(errors.VolumeError) as refused:
            volume.Volume.open(path)
        text = str(refused.value)
        assert "\n" not in text
        assert str(path) in text
        for word in words:
            assert word in text, text
    assert [path.name for path in taken.iterdir()] == ["thesis.txt"]
