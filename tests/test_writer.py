"""When many hand in at once, a process beside the server writes: the same answers, whatever becomes of it."""

import asyncio
import errno
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from aiohttp import ClientSession

from ngshare_fs.api.blocking import Blocking
from ngshare_fs.api.call import Call
from ngshare_fs.api.endpoints.table import ENDPOINTS
from ngshare_fs.api.request.files_argument import EncodedTree
from ngshare_fs.api.request.form import Form
from ngshare_fs.api.writer import WriterStarter, WriteScheduler, write_scheduler, writer_client
from ngshare_fs.api.writer.messages import HEAD, Job, Ready, pack
from ngshare_fs.api.writer.writer_client import WriterClient
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import OF_STORE_ERROR, Refused
from ngshare_fs.server import application
from ngshare_fs.store import Volume
from ngshare_fs.store.errors import BrokenManifest
from ngshare_fs.store.format.layout import MANIFEST
from tests.conftest import Answer, Exchange, MakeExchange, until
from tests.servers import children_of, running, runs, writing_processes
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
SAID = "said by the other process"
LARGE = 700_000  # waits on the disk while it arrives


@contextmanager
def forked(tmp_path: Path, before: str = "") -> Iterator[WriterStarter]:
    """As a server forks it; a test's own process has threads, which must not be forked.

    Args:
        before: what else its program does, before anything else.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    lifeline, our_end = os.pipe()
    given = [theirs.fileno(), lifeline]
    program = before + (
        "import signal, socket, sys; from ngshare_fs.api.writer.starter import run; "
        "signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)); "
        "run(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))"
    )
    with theirs, (tmp_path / SAID).open("wb") as said:
        command = [sys.executable, "-c", program, *map(str, given)]
        process = subprocess.Popen(command, pass_fds=given, stdout=said, stderr=said)
        os.close(lifeline)
    started = WriterStarter(process.pid, ours, our_end)
    yield started
    started.close()
    process.wait()


@pytest.fixture
def starter(tmp_path: Path) -> Iterator[WriterStarter]:
    with forked(tmp_path) as started:
        yield started


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, starter: WriterStarter) -> list[WriteScheduler]:
    """All that the application makes."""
    made: list[WriteScheduler] = []

    class Known(WriteScheduler):
        def __init__(self, blocking: Blocking, volume: Volume, _: object) -> None:
            super().__init__(blocking, volume, starter)
            made.append(self)

    monkeypatch.setattr(application, "WriteScheduler", Known)
    return made


async def beside(made: list[WriteScheduler]) -> WriterClient:
    """The other process, once it is there."""
    await until(lambda: made[0].writer, "a process beside this one")
    writer = made[0].writer
    assert writer is not None
    return writer


@pytest.fixture
async def exchange(make_exchange: MakeExchange, made: list[WriteScheduler]) -> AsyncIterator[Exchange]:
    """One whose students' work goes to the other process."""
    exchange = await make_exchange()
    writer = await beside(made)
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
    writer = await beside(made)
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
    await until(lambda: not taught.left_in_staging(), "all of that is removed")


async def test_one_that_was_killed_is_replaced(
    make_exchange: MakeExchange, made: list[WriteScheduler], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_scheduler, "PAUSE_SECONDS", 0.01)
    taught = await make_exchange()
    await taught_course(taught)
    for _ in range(3):
        writer = await beside(made)
        assert (await hand_in(taught)).status == 200
        os.kill(writer.pid, signal.SIGKILL)
        await until(lambda: made[0].writer not in (None, writer), "another one")  # noqa: B023 - of this round
    assert (await hand_in(taught)).status == 200
    assert len(await submissions(taught)) == 4


async def test_without_one_threads_write(
    make_exchange: MakeExchange, made: list[WriteScheduler], starter: WriterStarter, caplog: pytest.LogCaptureFixture
) -> None:
    os.kill(starter.pid, signal.SIGKILL)
    exchange = await make_exchange()
    await taught_course(exchange)
    answers = await asyncio.gather(*(hand_in(exchange) for _ in range(20)))
    assert {answer.status for answer in answers} == {200}
    await until(lambda: caplog.records, "the log says so")
    assert [record.getMessage().partition(";")[0] for record in caplog.records] == [
        "no process beside this one to write: what starts it is gone"
    ]
    assert made[0].writer is None


NO_MORE_PROCESSES_AT_FIRST = """
import errno, os

fork = os.fork

def refuse_once():
    os.fork = fork
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

os.fork = refuse_once
"""


def test_where_there_can_be_no_more_processes_one_starts_later(tmp_path: Path) -> None:
    volume = Volume.open(tmp_path / "volume")
    with closing(volume), forked(tmp_path, NO_MORE_PROCESSES_AT_FIRST) as starter:
        for says in (False, True):
            connection, lifeline = starter.start(volume.root)
            with connection:
                assert bool(connection.recv(HEAD.size)) == says
            os.close(lifeline)
    assert os.strerror(errno.EAGAIN) in (tmp_path / SAID).read_text()


async def test_one_that_does_not_get_ready_leaves_nothing_behind(
    make_exchange: MakeExchange,
    made: list[WriteScheduler],
    starter: WriterStarter,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(writer_client, "START_SECONDS", 0.2)
    os.kill(starter.pid, signal.SIGSTOP)
    exchange = await make_exchange()
    dead = exchange.data / ".ngshare/staging/process-dead"  # as of one that was killed because its start took too long
    dead.mkdir()
    await until(lambda: caplog.records, "the log says so")
    assert "it was not ready after" in caplog.text
    await until(lambda: not dead.exists(), "what it left behind is swept")
    os.kill(starter.pid, signal.SIGCONT)
    await until(lambda: len(staged_by(exchange)) == 1, "the one that is too late has ended")


async def test_it_makes_no_volume_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Volume.join(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


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
            processes = [*children_of(server.process.pid), *writers]
            if is_stopped:
                staging = tmp_path / "volume/.ngshare/staging"
                await until(lambda: len(os.listdir(staging)) == 2, "the other process has the volume")
                for pid in processes:
                    os.kill(pid, signal.SIGSTOP)
            server.process.send_signal(number)
        assert server.process.wait(SECONDS) == (0 if number == signal.SIGTERM else -signal.SIGKILL)
        await until(lambda: not any(runs(pid) for pid in processes), "the other processes end")
        assert "Traceback" not in server.log


def job_for(exchange: Exchange, assignment: str) -> Job:
    """Lawrence hands in."""
    tree_sent = EncodedTree(tree({"p": b"x"}).encode(), False, 1)
    form = Form(exchange.volume.upload(), {}, tree_sent)
    names = {"course": "c", "assignment": assignment}
    path = "submission/{course}/{assignment}"
    (endpoint,) = (each for each in ENDPOINTS if (each.method, each.path) == ("POST", path))
    return Call(exchange.volume, "lawrence", False, False, names, form), endpoint


def said_by(connection: socket.socket) -> bytes:
    """All that comes, up to the end."""
    said = b""
    with suppress(ConnectionError):
        while more := connection.recv(2**16):
            said += more
    return said


def staged_trees(exchange: Exchange) -> list[Path]:
    """What is written, but not published."""
    return list(exchange.data.glob(f".ngshare/staging/*/*/{MANIFEST}"))


async def test_started_behind_the_back_of_a_dead_server_it_leaves_nothing_behind(
    taught: Exchange, starter: WriterStarter
) -> None:
    """Who sweeps behind that server may do so before it makes its folder."""
    locks = taught.data / ".ngshare/locks"
    before = staged_by(taught), set(locks.iterdir())
    os.kill(starter.pid, signal.SIGSTOP)
    connection, lifeline = starter.start(str(taught.data))
    os.close(lifeline)
    connection.close()
    connection, lifeline = starter.start(str(taught.data))
    os.kill(starter.pid, signal.SIGCONT)
    # Once the second one is there, the first one has been started.
    assert connection.recv(HEAD.size)
    connection.close()
    await until(lambda: len(children_of(starter.pid)) == 1, "both have ended")
    os.close(lifeline)
    assert (staged_by(taught), set(locks.iterdir())) == before


async def test_it_finishes_what_it_has_begun_before_a_message_that_it_does_not_understand(
    taught: Exchange, starter: WriterStarter, tmp_path: Path
) -> None:
    connection, lifeline = starter.start(str(taught.data))
    with connection:
        with held_up(taught):
            connection.sendall(pack(1, job_for(taught, "a")))
            await until(lambda: staged_trees(taught), "it is staged")
            connection.sendall(HEAD.pack(2, 3) + b"abc")
            await until(lambda: select.select([connection], [], [], 0)[0], "it is ready")
        assert said_by(connection)
    await until(lambda: len(children_of(starter.pid)) == 1, "it has ended")
    os.close(lifeline)
    assert "UnpicklingError" in (tmp_path / SAID).read_text()
    assert len(await submissions(taught)) == 1
    assert len(staged_by(taught)) == 2, "its own folder is gone"


async def test_it_ends_at_once_with_a_server_that_has_not_read_its_answers(
    taught: Exchange, starter: WriterStarter, tmp_path: Path
) -> None:
    """The system then calls the connection reset. What is being written is given up, not hurried on with."""
    with held_up(taught):
        connection, lifeline = starter.start(str(taught.data))
        with connection:
            ready = len(pack(0, Ready(starter.pid)))
            assert len(connection.recv(ready, socket.MSG_WAITALL)) == ready
            connection.sendall(bytes(pack(1, job_for(taught, "a"))) + bytes(pack(2, job_for(taught, "none"))))
            await until(lambda: staged_trees(taught), "one is staged")
            assert select.select([connection], [], [], SECONDS)[0], "the other is refused"
            before = children_of(starter.pid)
        await until(lambda: len(children_of(starter.pid)) < len(before), "it has ended")
        os.close(lifeline)
        assert staged_trees(taught), "it waited for the lock in vain, and tidied up"
    assert (tmp_path / SAID).read_text() == ""
    assert await submissions(taught) == []
