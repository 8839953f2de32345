"""The whole server, it alone, or the process that writes for it, is killed (`kill -9`) at random moments under load.

What was acknowledged is there byte for byte, what was not is wholly there or wholly absent, and the server starts at
once. The power stays on: what survives a power cut is for other tests to say.
"""

import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ngshare_fs.store.checking.verify import verify_volume
from tests import commands
from tests.durability import on_disk, through_api
from tests.durability.history import History
from tests.durability.load import load, prepare
from tests.durability.workload import Connection, Workload
from tests.rounds import rounds
from tests.servers import Server, kill_group, running, start, writing_processes
from tests.waiting import until

pytestmark = pytest.mark.durability

ROUNDS = rounds(10)
PATIENCE = 60
WRITERS_KILLED = rounds(3)
# Of the start after a kill. It takes half a second; the limit is for a machine that is busy with other things.
START_SECONDS = 60


def private_files(data: Path) -> set[str]:
    """What the processes have made for themselves: folders in staging, and the locks that say whose they are."""
    staging = {path.name for path in (data / ".ngshare/staging").iterdir()}
    ends = (path.name for path in (data / ".ngshare/locks").iterdir() if not path.stem.isdigit())
    locks = {name for name in ends if name != "counting.lock"}  # of whoever counts, and it stays
    return staging | locks


class Rounds:
    """One volume, and what is done to its server in each round.

    Args:
        data: the volume's folder.
        workers: of the server.
        seed: decides on the moments.
        alone: whether the one process is killed that was started, and what it started has to notice.
    """

    def __init__(self, data: Path, workers: int, seed: int, alone: bool) -> None:
        self.data = data
        self.alone = alone
        self.random = random.Random(seed)
        self.workload = Workload(seed)
        self.slowest_start = 0.0
        self._arguments = ("--workers", str(workers))
        self._workers = workers
        self._downloaded: set[int] = set()

    @contextmanager
    def server(self) -> Iterator[Server]:
        """A running server, all its workers serving; killed at the end."""
        began = time.monotonic()
        server = start(self.data, self.data.with_name("log"), *self._arguments, own_group=True)
        try:
            connection = Connection(server.url)
            assert connection.get(["readyz"], "root")[0] == 200
            connection.close()
            self.slowest_start = max(self.slowest_start, time.monotonic() - began)
            if self._workers > 1:
                until(lambda: server.log.count(" serves\n") >= self._workers, "the start of all workers")
            yield server
        finally:
            server.kill()

    def kill_under_load(self, server: Server) -> None:
        """Kill it at a random moment: after so many answers, and a little later."""
        history = self.workload.history
        wanted = history.acknowledged() + self.random.randint(10, 60)
        with self.workload.running(server.url):
            until(lambda: history.acknowledged() >= wanted or self.workload.problems, f"answer {wanted}")
            time.sleep(self.random.uniform(0, 0.03))
            self.workload.server_is_dying.set()
            if self.alone:
                server.kill_alone()
            else:
                server.kill()
        assert "Traceback" not in server.log

    def kill_while_it_starts(self) -> None:
        """Start it, and kill it on its way."""
        command = [sys.executable, "-m", "ngshare_fs", "serve", "--standalone", "--data", str(self.data), "--port", "0"]
        output = subprocess.DEVNULL
        process = subprocess.Popen(
            [*command, *self._arguments], stdin=output, stdout=output, stderr=output, start_new_session=True
        )
        try:
            time.sleep(self.random.uniform(0.1, 0.7))
        finally:
            kill_group(process)

    def look(self) -> None:
        """Compare what lies on the volume, nobody serving it, with what was acknowledged."""
        found = on_disk.look(self.data, self.workload.history.model())
        assert self.workload.problems == []
        assert found.findings == []
        self.workload.history.settle(found.landed)

    def ask(self, server: Server, everything: bool = False) -> None:
        """Compare what the server says with what was acknowledged."""
        model = self.workload.history.model()
        sample = -1 if everything else 60
        assert through_api.check(server.url, model, self._downloaded, self.random, sample) == []

    def verify(self) -> None:
        """`ngshare-fs verify` finds nothing."""
        done = commands.run("verify", "--data", str(self.data))
        assert (done.returncode, done.stdout, done.stderr) == (0, "no findings\n", "")


@pytest.mark.parametrize(("workers", "alone"), [pytest.param(1, False, marks=pytest.mark.long), (2, False), (1, True)])
def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path, workers: int, alone: bool) -> None:
    seed = int(os.environ.get("NGSHARE_FS_SEED") or secrets.randbelow(10**6))
    print(f"NGSHARE_FS_SEED={seed} repeats the choices of this run")
    rounds = Rounds(tmp_path / "data", workers, seed, alone)
    left_behind: set[str] = set()
    for number in range(ROUNDS + 1):
        # The server that starts after a kill is the one that is killed next.
        with rounds.server() as server:
            if number == 0:
                rounds.workload.prepare(server.url)
            rounds.ask(server, everything=number == ROUNDS)
            until(lambda: not left_behind & private_files(rounds.data), f"the sweep of {left_behind}")  # noqa: B023
            # A folder and a lock of each worker, and of the process beside it.
            until(lambda: len(private_files(rounds.data)) == 4 * workers, "the end of all others")
            if number < ROUNDS:
                rounds.kill_under_load(server)
        rounds.look()
        left_behind = private_files(rounds.data)
        assert len(left_behind) >= 2 * workers, "each process that died has left its folder and its lock"
        rounds.verify()
        if rounds.random.random() < 0.4:
            rounds.kill_while_it_starts()
    assert rounds.slowest_start < START_SECONDS
    answers = rounds.workload.history
    print(f"{ROUNDS} kills, {answers.acknowledged()} writes acknowledged, slowest start {rounds.slowest_start:.2f} s")


def test_what_was_acknowledged_outlives_a_kill_of_the_writing_process(tmp_path: Path) -> None:
    """Its server goes on; who waited for an answer is told that it is not known."""
    chance = random.Random("the writing process")
    for number in range(WRITERS_KILLED):
        folder = tmp_path / str(number)
        folder.mkdir()
        history = History(time.monotonic_ns)
        with running(folder / "data") as server:
            prepare(server.url, history)
            with load(server.url, history):
                until(lambda: writing_processes(server.process.pid), "a process that writes")
                (writer,) = writing_processes(server.process.pid)
                until(lambda: len(private_files(folder / "data")) == 4, "both are at work")  # noqa: B023
                before = private_files(folder / "data")
                time.sleep(chance.uniform(0, 0.5))
                os.kill(writer, signal.SIGKILL)
                wanted = len(history.acknowledged) + 50
                until(lambda: len(history.acknowledged) > wanted, "fifty more answers")  # noqa: B023
            assert {answer.status for answer in history.refused} <= {503}
            assert history.lost(server.url) == []
            until(lambda: len(before & private_files(folder / "data")) == 2, "the sweep")  # noqa: B023
            assert server.stop() == 0
            assert "Traceback" not in server.log
        assert list(verify_volume(folder / "data")) == []
