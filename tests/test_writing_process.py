"""The process that writes beside the server: how it starts, and how it ends."""

import asyncio
import errno
import gc
import os
import select
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from aiohttp import ClientSession

from ngshare_fs.api.call import Call
from ngshare_fs.api.endpoints.table import ENDPOINTS
from ngshare_fs.api.request.files_argument import EncodedTree
from ngshare_fs.api.request.form import Form
from ngshare_fs.api.writer import WriterStarter, WriteScheduler, writer_client
from ngshare_fs.api.writer.messages import HEAD, Job, Ready, pack
from ngshare_fs.store import Volume, dates
from tests.conftest import Exchange, MakeExchange, until
from tests.servers import children_of, running, runs, writing_processes
from tests.trees import tree
from tests.writing_process import (
    SAID,
    exchange,
    forked,
    hand_in,
    held_up,
    made,
    staged_by,
    staged_trees,
    submissions,
    taught_course,
)

__all__ = ["exchange", "made"]

SECONDS = 60


@pytest.fixture
def starter(tmp_path: Path) -> Iterator[WriterStarter]:
    """One for each test: they stop it, kill it, and count what it has started."""
    with forked(tmp_path) as started:
        yield started


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


def test_a_fork_that_fails_leaves_nothing_open(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> int:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(os, "fork", refuse)
    before = len(os.listdir("/proc/self/fd"))
    try:
        assert WriterStarter.fork() is None
    finally:
        gc.unfreeze()
    # Others may close one of theirs meanwhile.
    assert len(os.listdir("/proc/self/fd")) <= before
    assert "threads write" in caplog.text


async def test_without_one_threads_write(
    make_exchange: MakeExchange, made: list[WriteScheduler], starter: WriterStarter, caplog: pytest.LogCaptureFixture
) -> None:
    os.kill(starter.pid, signal.SIGKILL)
    await until(lambda: not runs(starter.pid), "its end")
    exchange = await make_exchange()
    await taught_course(exchange)
    answers = await asyncio.gather(*(hand_in(exchange) for _ in range(20)))
    assert {answer.status for answer in answers} == {200}
    await until(lambda: caplog.records, "the log says so")
    assert [record.getMessage().partition(";")[0] for record in caplog.records] == [
        "no process beside this one to write: what starts it is gone"
    ]
    assert made[0].writer is None


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
    return Call(exchange.volume, "lawrence", False, False, names, form, dates.now()), endpoint


def said_by(connection: socket.socket) -> bytes:
    """All that comes, up to the end."""
    said = b""
    with suppress(ConnectionError):
        while more := connection.recv(2**16):
            said += more
    return said


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
