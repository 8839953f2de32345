"""The same volume on two machines, a server on each, as two pods have it: together they behave like one, whatever
befalls the file server, and a machine.

What mounts and volumes have to be told for that is in `docs/shared-volumes.md`. `test_in_guests.py` runs this by
NFS, and in part by the kernel's CephFS.
"""

import contextlib
import fcntl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ngshare_fs.store import journal
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.volume import Volume
from tests.durability import load
from tests.durability.exchange import FULL, READ_ONLY, Exchange
from tests.durability.history import History
from tests.durability.servers import probe, serving
from tests.durability.shared.sleeper import DONE, REFUSED, while_it_slept
from tests.durability.shared.two_servers import all_staging, check_that_two_mounts_behave_like_one, staging_of
from tests.durability.shared.volume import SharedVolume
from tests.rounds import rounds
from tests.waiting import PATIENCE, until

pytestmark = [pytest.mark.durability, pytest.mark.long]

HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "a")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""

# Of each client between two writes: a server that starts meanwhile needs the processor, too.
PAUSE_SECONDS = 0.2
LINES = 200
JOURNALIST = f"""
import sys
from ngshare_fs.store import Volume, journal
volume = Volume.join(sys.argv[1])
for number in range({LINES}):
    journal.record(volume, journal.Event("submit", sys.argv[2], "api", "c", detail=str(number)))
volume.close()
"""


@pytest.fixture
def here(shared: SharedVolume, request: pytest.FixtureRequest) -> Path:
    """A folder of the test's own; its volume is made in it."""
    folder = shared.here / str(request.node.name).partition("[")[0].removeprefix("test_")
    folder.mkdir()
    return folder / "data"


@pytest.fixture
def there(shared: SharedVolume, here: Path) -> Path:
    return shared.there / here.relative_to(shared.here)


@contextmanager
def holding(file: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that holds a lock until it ends."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield holder
    finally:
        holder.kill()
        holder.communicate(timeout=PATIENCE)


def is_free(file: Path) -> bool:
    """Whether nobody, on any mount, holds the lock of a file."""
    with file.open("a") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_locks_hold_across_mounts_and_end_with_their_holder(shared: SharedVolume) -> None:
    file = "a file that is locked"
    (shared.here / file).touch()
    with holding(shared.there / file) as holder:
        assert not is_free(shared.here / file)
        assert not is_free(shared.there / file)
        holder.kill()
        until(lambda: is_free(shared.here / file), "the lock is let go of")
    with holding(shared.here / file):
        assert not is_free(shared.there / file)


def test_two_machines_write_the_journal_and_lose_no_line(here: Path, there: Path) -> None:
    with contextlib.closing(Volume.open(here)) as volume:
        names = ["one", "two", "three", "four"]
        writers = [
            subprocess.Popen([sys.executable, "-c", JOURNALIST, str(place), name])
            for name, place in zip(names, (here, there, here, there), strict=True)
        ]
        for writer in writers:
            assert writer.wait(PATIENCE) == 0

        def written() -> list[tuple[str, str]]:
            found = [each for file in journal.files(volume) for each in journal.entries_in(volume, file.place)]
            return sorted((each.event.by, each.event.detail) for each in found if isinstance(each, journal.Entry))

        # A mount of GlusterFS may know for a second no better than before what the other one wrote.
        until(lambda: len(written()) == LINES * len(names), "all lines are seen", lambda: str(len(written())))
        assert written() == sorted((name, str(number)) for name in names for number in range(LINES))
        assert len(journal.files(volume)) == 2


def test_two_mounts_behave_like_one(shared: SharedVolume, tmp_path: Path) -> None:
    here, there = shared.under_load()
    for number in range(rounds(1)):
        logs = tmp_path / str(number)
        logs.mkdir()
        check_that_two_mounts_behave_like_one(here / f"judged {number}", there / f"judged {number}", logs)


def test_a_restart_of_the_file_server_loses_nothing(
    shared: SharedVolume, here: Path, there: Path, tmp_path: Path
) -> None:
    """Where it forgets locks, a server that starts then sweeps what the other one is staging."""
    history = History(time.monotonic_ns)

    def until_more() -> None:
        wanted = len(history.acknowledged) + 20
        until(lambda: len(history.acknowledged) > wanted, "twenty more answers")

    with serving(here, tmp_path / "first.log") as first, ExitStack() as stack:
        load.prepare(first.url, history)
        (staging,) = staging_of(first.process.pid)
        if not shared.keeps_locks:  # it refuses everything meanwhile
            shared.restart()
            until(lambda: probe(first, "readyz").status == 200, "the volume's return")
        with load.load(first.url, history, PAUSE_SECONDS):
            until_more()
            if shared.keeps_locks:
                shared.restart()
                until_more()
            second = stack.enter_context(serving(there, tmp_path / "second.log"))
            until_more()
            assert (staging in all_staging(here)) is shared.keeps_locks
        assert "Traceback" not in second.log
        allowed = (503,) if not shared.keeps_locks else ()
        assert [answer.body for answer in history.refused if answer.status not in allowed] == [], first.log
        assert history.lost(first.url) == []
        assert "Traceback" not in first.log
    assert list(verify_volume(here)) == []
    assert all_staging(there) == []


def test_a_machine_that_comes_back_overwrites_nothing(shared: SharedVolume, here: Path) -> None:
    """It was about to replace a roster when it lost its locks, and another one has changed that roster meanwhile.

    Unguarded it does, but where the file system refuses it: then the one is left out who asks whether the lock holds.
    """
    with contextlib.closing(Volume.open(here)) as volume, shared.one_that_falls_silent() as machine:
        said, students = while_it_slept(volume, machine, machine.place / here.relative_to(shared.here))
    print(said, students)
    retried = ["ours, too"] if machine.works_afterwards else []
    assert students["guarded"] == ["before", *retried, "theirs"]
    assert said["guarded"][0].startswith(REFUSED)
    if machine.refuses_by_itself:
        assert students["unguarded"] == ["before", "theirs"]
    else:
        assert students["unguarded"][:2] == ["before", "ours"]
        assert "theirs" not in students["unguarded"]
    if machine.works_afterwards:
        assert said["guarded"][0].startswith(f"{REFUSED}the lock of course guarded was lost while it was held")
        assert said["guarded"][1] == DONE


def test_a_full_volume_takes_nothing_and_serves_on(shared: SharedVolume, here: Path, tmp_path: Path) -> None:
    with serving(here, tmp_path / "log") as server:
        exchange = Exchange(server, here)
        with shared.full(here):
            exchange.check_that_writes_are_refused(FULL)
            assert exchange.ask("GET", "healthz").status == 200
            assert exchange.everything_readable() == exchange.readable
        until(lambda: exchange.ask("GET", "readyz").status == 200, "there is room again")
        exchange.check_that_all_is_well()


def test_a_volume_that_becomes_read_only_takes_nothing_and_serves_on(
    shared: SharedVolume, here: Path, tmp_path: Path
) -> None:
    with serving(here, tmp_path / "log") as server:
        exchange = Exchange(server, here)
        with shared.read_only(here):
            exchange.check_that_writes_are_refused(READ_ONLY)
            exchange.check_health("Read-only file system")
            assert exchange.everything_readable() == exchange.readable
        exchange.check_that_all_is_well()
