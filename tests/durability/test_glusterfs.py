"""The same volume mounted twice from GlusterFS, a server on each mount, as two pods have it: together they behave like
one. What mounts and volumes have to be told for that is in `docs/shared-volumes.md`."""

import contextlib
import fcntl
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from ngshare_fs.store import Person, course, journal, roster
from ngshare_fs.store.checking.findings import STRAY
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.errors import LockLost
from ngshare_fs.store.volume import Volume
from tests.durability import load
from tests.durability.glusterfs import Gluster, gluster
from tests.durability.history import History
from tests.durability.random_clients import busy, prepare
from tests.durability.seen_and_stored import check, check_that_no_change_is_lost, check_that_old_readings_notice
from tests.durability.servers import probe, serving
from tests.rounds import rounds
from tests.servers import Server, start, writing_processes
from tests.waiting import until

pytestmark = [pytest.mark.durability, pytest.mark.long]

SECONDS = 8
PATIENCE = 60

HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "a")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""

LINES = 300
JOURNALIST = f"""
import sys
from ngshare_fs.store import Volume, journal
volume = Volume.join(sys.argv[1])
for number in range({LINES}):
    journal.record(volume, journal.Event("submit", sys.argv[2], "api", "c", detail=str(number)))
volume.close()
"""
READINGS = 1000
REPLACER = """
import itertools, os, sys
with open(sys.argv[1]) as file:
    content = file.read()
for number in itertools.count():
    new = f"{sys.argv[1]}.{os.getpid()}.{number}"  # GlusterFS may still know a name that was renamed away
    with open(new, "w") as file:
        file.write(content)
    os.rename(new, sys.argv[1])
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gluster]:
    with gluster(tmp_path_factory.mktemp("glusterfs") / "gluster") as made:
        yield made


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


def becomes_free(file: Path) -> bool:
    """Whether the lock of a file is let go of in time."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if is_free(file):
            return True
        time.sleep(0.01)
    return False


def test_locks_hold_across_mounts_and_end_with_their_holder(shared: Gluster) -> None:
    shared.make_volume("locks", 1)
    here, there = shared.mount("locks", "locks-1"), shared.mount("locks", "locks-2")
    (here / "file").touch()
    with holding(there / "file") as holder:
        assert not is_free(here / "file")
        assert not is_free(there / "file")
        holder.kill()
        assert becomes_free(here / "file")
    with holding(here / "file"):
        assert not is_free(there / "file")
    with holding(there / "file"):
        shared.kill_mount(there)  # the other machine is gone, mount and all
        assert becomes_free(here / "file")


def test_who_reads_a_roster_never_hears_that_it_is_stale(shared: Gluster) -> None:
    """A name that is looked up leads to a file that is gone when it is opened: one in fifty says ESTALE."""
    shared.make_volume("stale", 1)
    here, there = (shared.mount("stale", f"stale-{number}") / "data" for number in (1, 2))
    with contextlib.closing(Volume.open(here)) as volume:
        course.create(volume, "NBG 101", ["kevin"])
        command = [sys.executable, "-c", REPLACER, str(there / "courses/NBG 101/course.yaml")]
        replacers = [subprocess.Popen(command) for _ in range(2)]
        try:
            for reading in range(READINGS):
                if reading % 10 == 0:
                    # What the replacers are writing does not belong there, which is no matter here.
                    assert {finding.code for finding in verify_volume(here)} <= {STRAY.code}
                assert set(roster.of(volume, "NBG 101").instructors) == {"kevin"}
                assert course.all_courses(volume) == ["NBG 101"]
            assert [replacer.poll() for replacer in replacers] == [None, None]
        finally:
            for replacer in replacers:
                replacer.kill()
                replacer.wait(PATIENCE)


def test_two_machines_write_the_journal_and_lose_no_line(shared: Gluster) -> None:
    shared.make_volume("journal", 1)
    here, there = (shared.mount("journal", f"journal-{number}") / "data" for number in (1, 2))
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

        # A mount may know for a second no better than before what the other one wrote.
        until(lambda: len(written()) == LINES * len(names), "all lines are seen", lambda: str(len(written())))
        assert written() == sorted((name, str(number)) for name in names for number in range(LINES))
        assert len(journal.files(volume)) == 2


@pytest.mark.parametrize("round_number", range(rounds(1)))
@pytest.mark.parametrize("bricks", [1, 3])
def test_two_mounts_behave_like_one(shared: Gluster, tmp_path: Path, bricks: int, round_number: int) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # shown where the test fails
    volume = f"volume-{bricks}-{round_number}"
    shared.make_volume(volume, bricks)
    here, there = (shared.mount(volume, f"{volume}-{number}") / "data" for number in (1, 2))
    with ExitStack() as stack:

        def serve(data: Path, name: str) -> Server:
            server = start(data, tmp_path / name)
            stack.callback(server.stop)
            return server

        servers = [serve(here, "first.log"), serve(there, "second.log")]
        history = prepare(servers[0])
        check_that_no_change_is_lost(servers)
        check_that_old_readings_notice(servers)
        with busy(servers, seed, history):
            time.sleep(SECONDS / 2)
            (alive,) = _staging_of(servers[0].process.pid)
            pids = [servers[1].process.pid, *writing_processes(servers[1].process.pid)]
            dead = {staging for pid in pids for staging in _staging_of(pid)}
            servers[1].kill_alone()
            assert "Traceback" not in servers[1].log
            assert dead
            assert dead <= set(_all_staging(here))
            time.sleep(SECONDS / 4)
            servers[1] = serve(there, "third.log")
            time.sleep(SECONDS / 4)
        assert alive in _all_staging(there)
        assert not dead & set(_all_staging(here))
    print(f"{len(history)} operations")
    check(history, here, there)
    assert _all_staging(there) == []
    for server in servers:
        assert "Traceback" not in server.log


def test_nothing_is_lost_with_the_locks_that_restarted_bricks_forget(shared: Gluster, tmp_path: Path) -> None:
    """A server that starts then sweeps what the other one is staging."""
    shared.make_volume("restarted", 1)
    here, there = (shared.mount("restarted", f"restarted-{number}") / "data" for number in (1, 2))
    history = History(time.monotonic_ns)

    def until_more() -> None:
        wanted = len(history.acknowledged) + 50
        until(lambda: len(history.acknowledged) > wanted, "fifty more answers")

    with serving(here, tmp_path / "first.log") as first:
        load.prepare(first.url, history)
        (taken_for_dead,) = _staging_of(first.process.pid)
        shared.command("volume", "stop", "restarted", "force")
        shared.command("volume", "start", "restarted")
        until(lambda: probe(first, "readyz").status == 200, "the mount's return")
        with load.load(first.url, history):
            until_more()
            with serving(there, tmp_path / "second.log") as second:
                until_more()
                assert taken_for_dead not in _all_staging(here)
                assert "Traceback" not in second.log
        assert [answer.body for answer in history.refused if answer.status != 503] == [], first.log
        assert history.lost(first.url) == []
        assert "Traceback" not in first.log
    assert list(verify_volume(here)) == []
    assert _all_staging(there) == []


@pytest.mark.parametrize("strict", ["on", "off"])
def test_a_lock_that_restarted_bricks_forget_overwrites_nothing(shared: Gluster, strict: str) -> None:
    """Where the volume does not say that a lock was lost, nobody knows."""
    name = f"forgetful-{strict}"
    shared.make_volume(name, 1, **{"client.strict-locks": strict})
    here = shared.mount(name, name) / "data"
    left = [None]

    def last_check() -> None:
        if left and any(here.glob(f".ngshare/staging/{volume.staging.name}/*")):  # directly before the rename
            left.pop()
            shared.command("volume", "stop", name, "force")
            shared.command("volume", "start", name)
            until(lambda: volume.ready() is None, "the mount's return")

    with contextlib.closing(Volume.open(here)) as volume:
        course.create(volume, "NBG 101", ["kevin"])
        if strict == "on":
            with pytest.raises(LockLost):
                roster.set_student(volume, "NBG 101", "lawrence", Person(), last_check)
            assert set(roster.of(volume, "NBG 101").students) == set()
        else:
            roster.set_student(volume, "NBG 101", "lawrence", Person(), last_check)
            assert left == []
        roster.set_student(volume, "NBG 101", "lawrence", Person())
        assert set(roster.of(volume, "NBG 101").students) == {"lawrence"}


def _all_staging(data: Path) -> list[str]:
    return os.listdir(data / ".ngshare/staging")


def _staging_of(process: int) -> set[str]:
    """The folder in staging that a process holds the lock of; none while it is just starting."""
    opened = set()
    for file in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since
            opened.add(Path(os.readlink(file)))
    return {path.stem for path in opened if path.name.startswith("process-")}
