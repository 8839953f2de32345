"""When many hand in at once, a process beside the server writes: the same answers, whatever becomes of it."""

import asyncio
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from ngshare_fs.api.request.files_argument import EncodedTree
from ngshare_fs.api.writer import WriteScheduler, write_scheduler
from ngshare_fs.api.writer.messages import HEAD, READY, Job, pack
from ngshare_fs.api.writer.writer_client import PROGRAM, WriterClient
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import OF_STORE_ERROR, Refused
from ngshare_fs.server import application
from ngshare_fs.store import Volume
from ngshare_fs.store.errors import BrokenManifest
from ngshare_fs.store.format.layout import MANIFEST
from tests.conftest import Answer, Exchange, MakeExchange, until
from tests.servers import running, runs, writing_processes
from tests.test_bodies import (  # noqa: F401 - the same tests, by way of the other process
    FILES,
    check_that_it_is_refused,
    test_every_legal_tree_comes_back,
    test_of_the_same_path_or_key_twice_the_last_counts,
    test_text_that_is_no_text_is_refused,
)
from tests.test_calls_of_the_plugins import (  # noqa: F401
    handed_in,
    test_a_deleted_submission_is_in_the_trash,
    test_a_key_belongs_to_who_used_it_and_to_its_files,
    test_a_receipt_names_what_is_stored,
    test_a_repeated_submission_is_one,
    test_large_work_is_collected_whole,
    test_many_repeats_at_once_are_one,
    test_only_instructors_hand_in_for_others,
    test_the_listing_has_all_that_nbgrader_shows,
)
from tests.trees import tree

SECONDS = 30
LARGE = 700_000  # waits on the disk while it arrives


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[WriteScheduler]:
    """All that the application makes; the other process is started by the first write already."""
    made: list[WriteScheduler] = []

    class Known(WriteScheduler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)  # type: ignore[arg-type]
            made.append(self)

    monkeypatch.setattr(application, "WriteScheduler", Known)
    monkeypatch.setattr(write_scheduler, "FEW", 0)
    return made


async def beside(exchange: Exchange, made: list[WriteScheduler]) -> WriterClient:
    """The other process, started if need be."""
    await exchange.call("POST", "submission/none/a", "nobody", files="[]")
    await until(lambda: made[0].writer, "a process beside this one")
    writer = made[0].writer
    assert writer is not None
    return writer


@pytest.fixture
async def exchange(make_exchange: MakeExchange, made: list[WriteScheduler]) -> AsyncIterator[Exchange]:
    """One whose students' work goes to the other process."""
    exchange = await make_exchange()
    writer = await beside(exchange, made)
    yield exchange
    assert made[0].writer in (writer, None)  # none where a test has killed it


async def hand_in(exchange: Exchange, size: int = 100) -> Answer:
    """Hand in one file of so many bytes."""
    return await exchange.call("POST", "submission/c/a", "lawrence", files=tree({"p.ipynb": b"x" * size}))


async def submissions(exchange: Exchange) -> list[str]:
    """The timestamps of what was handed in."""
    answer = await exchange.call("GET", "submissions/c/a/lawrence", "lawrence")
    return [entry["timestamp"] for entry in answer.body["submissions"]]


def staged_by(exchange: Exchange) -> set[str]:
    """The staging folders of all processes."""
    return set(os.listdir(exchange.data / ".ngshare/staging"))


@contextmanager
def held_up(exchange: Exchange) -> Iterator[None]:
    """Nobody gets further than to the lock under which a submission is published."""
    parent = "/courses/c/assignments/a/submissions/lawrence"
    with exchange.volume.locks.hold("publish", parent):
        yield


async def test_a_rush_is_written_by_another_process(make_exchange: MakeExchange, made: list[WriteScheduler]) -> None:
    exchange = await make_exchange()
    await taught_course(exchange)
    answers = await asyncio.gather(*(hand_in(exchange) for _ in range(40)))
    writer = await beside(exchange, made)
    assert writer.pid in writing_processes(os.getpid())
    answers += await asyncio.gather(*(hand_in(exchange, size) for size in (10, LARGE, 0) for _ in range(10)))
    assert {answer.status for answer in answers} == {200}
    moments = await submissions(exchange)
    assert sorted(answer.body["timestamp"] for answer in answers) == moments == sorted(set(moments))
    assert exchange.left_in_staging() == []


async def taught_course(exchange: Exchange) -> None:
    """The course of the fixture `taught`."""
    await exchange.call("POST", "course/c", "root", instructors='["kevin"]')
    await exchange.call("POST", "student/c/lawrence", "kevin", first_name="", last_name="", email="")
    await exchange.call("POST", "assignment/c/a", "kevin", files=tree({"p.ipynb": b""}))


@pytest.mark.parametrize(
    ("message", "files"),
    [
        pytest.param(message, text, marks=pytest.mark.long if number else ())
        for message, texts in FILES.items()
        for number, text in enumerate(texts)
    ],
)
async def test_a_wrong_tree_is_refused_with_its_reason(taught: Exchange, message: str, files: str | None) -> None:
    """One for each reason in the short check: each is a process of its own."""
    await check_that_it_is_refused(taught, message, files)


async def test_a_single_write_needs_no_process(
    make_exchange: MakeExchange, made: list[WriteScheduler], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_scheduler, "FEW", 1)
    exchange = await make_exchange()
    await taught_course(exchange)
    for _ in range(10):
        assert (await hand_in(exchange)).status == 200
    assert made[0].writer is None


@pytest.mark.parametrize("size", [100, LARGE])
async def test_when_it_is_killed_the_clients_hear_so_and_threads_go_on(
    taught: Exchange, made: list[WriteScheduler], size: int, caplog: pytest.LogCaptureFixture
) -> None:
    writer = made[0].writer
    assert writer is not None
    with held_up(taught):
        asked = [asyncio.create_task(hand_in(taught, size)) for _ in range(3)]
        await until(lambda: len(staged_trees(taught)) == 3, "all are staged")
        os.kill(writer.pid, signal.SIGKILL)
        answers = await asyncio.gather(*asked)
    assert {(answer.status, answer.message) for answer in answers} == {(503, refusals.INTERRUPTED.message)}
    assert answers[0].headers["Retry-After"]
    assert await submissions(taught) == []
    await until(lambda: made[0].writer is None and len(staged_by(taught)) == 1, "what it had staged is swept")
    assert (await hand_in(taught, size)).status == 200
    assert len(await submissions(taught)) == 1
    assert made[0].writer is None  # for a while
    assert f"the writing process {writer.pid} ended unasked" in caplog.text
    assert taught.left_in_staging() == []


async def test_one_that_is_idle_ends_and_the_next_rush_has_another(
    make_exchange: MakeExchange,
    made: list[WriteScheduler],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    started: list[WriterClient] = []
    start = WriterClient.start

    async def noted(arguments: Sequence[str]) -> WriterClient:
        started.append(await start(arguments))
        return started[-1]

    monkeypatch.setattr(WriterClient, "start", noted)
    monkeypatch.setattr(write_scheduler, "IDLE_SECONDS", 0.05)
    exchange = await make_exchange()
    await taught_course(exchange)
    ended: list[WriterClient] = []
    for _ in range(2):
        assert (await hand_in(exchange)).status == 200
        await until(lambda: len(started) > len(ended), "a process beside this one")
        assert await started[-1].has_ended(SECONDS)
        ended.append(started[-1])
        await until(lambda: made[0].writer is None and len(staged_by(exchange)) == 1, "its folder is gone")
    assert len(await submissions(exchange)) == 2
    assert not caplog.records


@pytest.mark.parametrize("python", ["/bin/false", "/nowhere/python"])
async def test_without_one_threads_write(
    make_exchange: MakeExchange,
    made: list[WriteScheduler],
    python: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    exchange = await make_exchange()
    await taught_course(exchange)
    dead = exchange.data / ".ngshare/staging/process-dead"  # as of one that was killed because its start took too long
    dead.mkdir()
    monkeypatch.setattr(sys, "executable", python)
    for _ in range(2):
        answers = await asyncio.gather(*(hand_in(exchange) for _ in range(10)))
        assert {answer.status for answer in answers} == {200}
        await until(lambda: caplog.records, "the log says so")
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "no process beside this one to write"
    ]
    await until(lambda: not dead.exists(), "what it left behind is swept")


async def test_it_makes_no_volume_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Volume.join(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


async def test_it_imports_nothing_from_where_the_server_was_started(
    make_exchange: MakeExchange, made: list[WriteScheduler], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("yaml", "ngshare_fs", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(1)")
    monkeypatch.syspath_prepend(os.getcwd())
    monkeypatch.chdir(tmp_path)
    exchange = await make_exchange()
    await beside(exchange, made)


async def test_it_heeds_no_signal_of_a_terminal(taught: Exchange, made: list[WriteScheduler]) -> None:
    writer = made[0].writer
    assert writer is not None
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        os.kill(writer.pid, number)
    assert (await hand_in(taught)).status == 200
    assert made[0].writer is writer


@pytest.mark.parametrize(
    "raised",
    [
        Refused(refusals.PERMISSION_DENIED, "why"),
        BrokenManifest("course.yaml", 3, "why"),
        *(error("why") for error in OF_STORE_ERROR if error is not BrokenManifest),
    ],
    ids=repr,
)
def test_what_is_raised_there_arrives_here(raised: Exception) -> None:
    arrived = pickle.loads(pickle.dumps(raised))
    assert (type(arrived), str(arrived), vars(arrived)) == (type(raised), str(raised), vars(raised))


@pytest.mark.parametrize(
    ("number", "is_stopped"), [(signal.SIGTERM, False), (signal.SIGKILL, False), (signal.SIGKILL, True)]
)
async def test_it_ends_with_its_server(tmp_path: Path, number: signal.Signals, is_stopped: bool) -> None:
    with running(tmp_path / "volume") as server:
        async with ClientSession(server.url) as client:

            async def ask(path: str, user: str, **fields: str) -> int:
                async with client.post(path, data={"user": user, **fields}) as response:
                    return response.status

            assert await ask("course/c", "root", instructors='["kevin"]') == 200
            assert await ask("assignment/c/a", "kevin", files="[]") == 200
            while not (writers := writing_processes(server.process.pid)):
                asked = (ask("submission/c/a", "kevin", files=tree({"p": b"x"})) for _ in range(20))
                assert set(await asyncio.gather(*asked)) == {200}
            if is_stopped:
                staging = tmp_path / "volume/.ngshare/staging"
                await until(lambda: len(os.listdir(staging)) == 2, "the other process has the volume")
                os.kill(writers[0], signal.SIGSTOP)
            server.process.send_signal(number)
        assert server.process.wait(SECONDS) == (0 if number == signal.SIGTERM else -signal.SIGKILL)
        await until(lambda: not any(runs(pid) for pid in writers), "the other process ends")
        assert "Traceback" not in server.log


def job_for(assignment: str) -> Job:
    """Lawrence hands in."""
    path = "submission/{course}/{assignment}"
    files = EncodedTree(tree({"p": b"x"}).encode(), False, 1)
    return Job("POST", path, "lawrence", False, False, {"course": "c", "assignment": assignment}, {}, files, None)


def started_beside(exchange: Exchange, connection: socket.socket) -> "subprocess.Popen[bytes]":
    """A writing process whose server is the test."""
    lifeline, our_end = os.pipe()
    given = [connection.fileno(), lifeline]
    command = [sys.executable, "-c", PROGRAM, ":".join(sys.path), *map(str, given), str(exchange.data), "text"]
    try:
        return subprocess.Popen(command, pass_fds=given)
    finally:
        os.close(lifeline)
        os.close(our_end)  # as early as a server can die: what it does about the connection counts


def staged_trees(exchange: Exchange) -> list[Path]:
    """What is written, but not published."""
    return list(exchange.data.glob(f".ngshare/staging/*/*/{MANIFEST}"))


async def test_started_behind_the_back_of_a_dead_server_it_leaves_nothing_behind(taught: Exchange) -> None:
    """Who sweeps behind that server may do so before it makes its folder."""
    locks = taught.data / ".ngshare/locks"
    before = staged_by(taught), set(locks.iterdir())
    ours, theirs = socket.socketpair()
    with theirs:
        ours.close()
        process = started_beside(taught, theirs)
    assert process.wait(SECONDS) == 1
    assert (staged_by(taught), set(locks.iterdir())) == before


async def test_it_finishes_what_it_has_begun_before_a_message_that_it_does_not_understand(
    taught: Exchange, capfd: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with held_up(taught):
            process = started_beside(taught, theirs)
            theirs.close()
            ours.sendall(pack(1, job_for("a")))
            await until(lambda: staged_trees(taught), "it is staged")
            ours.sendall(HEAD.pack(2, 3) + b"abc")
            await until(lambda: select.select([ours], [], [], 0)[0], "it is ready")
        assert process.wait(SECONDS) == 1
    assert "UnpicklingError" in capfd.readouterr().err
    assert len(await submissions(taught)) == 1
    assert len(staged_by(taught)) == 2, "its own folder is gone"


async def test_it_ends_at_once_with_a_server_that_has_not_read_its_answers(
    taught: Exchange, capfd: pytest.CaptureFixture[str]
) -> None:
    """The system then calls the connection reset. What is being written is given up, not hurried on with."""
    ours, theirs = socket.socketpair()
    with held_up(taught):
        with ours, theirs:
            process = started_beside(taught, theirs)
            ready = pack(0, READY)
            assert ours.recv(len(ready), socket.MSG_WAITALL) == ready
            ours.sendall(pack(1, job_for("a")) + pack(2, job_for("none")))
            await until(lambda: staged_trees(taught), "one is staged")
            assert select.select([ours], [], [], SECONDS)[0], "the other is refused"
        assert process.wait(SECONDS) == 1
        assert staged_trees(taught), "it waited for the lock in vain, and tidied up"
    assert capfd.readouterr() == ("", "")
    assert await submissions(taught) == []
