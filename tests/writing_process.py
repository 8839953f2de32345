"""An application beside which another process writes; a test module has the fixture `starter`, which starts that."""

import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ngshare_fs.api.blocking import Blocking
from ngshare_fs.api.writer import WriterStarter, WriteScheduler
from ngshare_fs.api.writer.writer_client import WriterClient
from ngshare_fs.server import application
from ngshare_fs.store import Volume
from ngshare_fs.store.format.layout import MANIFEST
from tests.conftest import Answer, Exchange, MakeExchange, until
from tests.trees import tree

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


async def taught_course(exchange: Exchange) -> None:
    """The course of the fixture `taught`."""
    await exchange.call("POST", "course/c", "root", instructors='["kevin"]')
    await exchange.call("POST", "student/c/lawrence", "kevin", first_name="", last_name="", email="")
    await exchange.call("POST", "assignment/c/a", "kevin", files=tree({"p.ipynb": b""}))


def staged_trees(exchange: Exchange) -> list[Path]:
    """What is written, but not published."""
    return list(exchange.data.glob(f".ngshare/staging/*/*/{MANIFEST}"))
