"""CephFS alone; what it has in common with others is in `test_shared_volumes.py`."""

import contextlib
import os
import statistics
import subprocess
import time
from pathlib import Path

import pytest

from ngshare_fs.store import Person, Volume, course, roster
from tests.commands import run
from tests.durability.exchange import ASSIGNMENT, FAILURE, FULL, STUDENT, Exchange, said
from tests.durability.guest.machine import in_guest
from tests.durability.history import COURSE, TEACHER, Client
from tests.durability.servers import serving
from tests.durability.shared.on_ceph import OnCeph
from tests.durability.shared.sleeper import REFUSED, while_it_slept
from tests.trees import contents

pytestmark = [
    pytest.mark.durability, pytest.mark.long,
    pytest.mark.parametrize("shared", ["ceph-kernel" if in_guest() else "ceph-fuse"], indirect=True),
]  # fmt: skip

TURNS = 6
# The metadata server writes its journal every 5 s by itself.
LATE_SECONDS = 1
SEEN_SECONDS = 0.4
LARGE = 900_000


@pytest.mark.parametrize("held_open", [True, False])
def test_a_roster_that_was_changed_elsewhere_is_seen_at_once(shared: OnCeph, held_open: bool) -> None:
    """Without holding the file open while it is renamed, it is seen seconds later: so this test can fail."""
    name = f"seen-{held_open}"
    with (
        contextlib.closing(Volume.open(shared.here / name)) as one,
        contextlib.closing(Volume.open(shared.there / name)) as other,
    ):
        for volume in (one, other):
            assert volume.renames_held_open
            volume.renames_held_open = held_open
        course.create(one, "c", ["kevin"])

        def turn(number: int) -> float:
            writer, reader = (one, other) if number % 2 else (other, one)
            roster.set_student(writer, "c", str(number), Person())
            began = time.monotonic()
            assert str(number) in roster.of(reader, "c").students
            return time.monotonic() - began

        waited = [turn(number) for number in range(TURNS if held_open else 2)]
    print(waited)
    assert (statistics.median(waited) < LATE_SECONDS) is held_open


def test_a_large_file_that_was_handed_in_elsewhere_is_seen_at_once(shared: OnCeph, tmp_path: Path) -> None:
    """It grows in a file of its own, which is renamed into its tree; it would be seen most of a second later."""
    name = "large"
    with serving(shared.here / name, tmp_path / "one") as one, serving(shared.there / name, tmp_path / "two") as other:
        exchange = Exchange(one, shared.here / name)
        waited = []
        for number in range(TURNS):
            exchange.hand_in({"large": bytes([number]) * LARGE})
            with Client(other.url) as client:
                began = time.monotonic()
                answer = client.call("GET", f"submission/{COURSE}/{ASSIGNMENT}/{STUDENT}", TEACHER)
            waited.append(time.monotonic() - began)
            assert contents(answer.body)["large"] == bytes([number]) * LARGE
    print(waited)
    assert sorted(waited)[1] < SEEN_SECONDS  # the machine may be busy


def test_what_is_acknowledged_outlives_metadata_server_and_machine(shared: OnCeph) -> None:
    """Both die at once; without the flush of its folder after the rename, the change would be gone."""
    place = shared.ceph.mount("that-dies")
    volume = Volume.open(place / "both-die")
    course.create(volume, "c", ["kevin"])
    for turn in range(TURNS):
        roster.set_student(volume, "c", str(turn), Person())
    shared.ceph.kill_metadata_server()
    shared.ceph.kill_machine(place)
    shared.ceph.start_metadata_server()
    with contextlib.closing(Volume.open(shared.here / "both-die")) as other:
        assert set(roster.of(other, "c").students) == set(map(str, range(TURNS)))


def test_a_machine_that_reconnects_overwrites_nothing(shared: OnCeph) -> None:
    """Where Ceph is told to let evicted machines come back, it does not refuse what they do without their locks."""
    data = shared.here / "reconnected/data"
    data.parent.mkdir()
    with (
        contextlib.closing(Volume.open(data)) as volume,
        shared.one_that_falls_silent(reconnects=True) as machine,
    ):
        said_by, students = while_it_slept(volume, machine, machine.place / data.relative_to(shared.here))
    print(said_by, students)
    again = ["ours, too"] if machine.works_afterwards else []
    assert students == {"guarded": ["before", *again, "theirs"], "unguarded": ["before", "ours", *again]}
    assert said_by["guarded"][0].startswith(f"{REFUSED}the lock of course guarded was lost while it was held")


def test_a_machine_that_was_evicted_says_so_and_serves_on_once_mounted_anew(shared: OnCeph, tmp_path: Path) -> None:
    with shared.one_that_falls_silent() as machine:
        data = machine.place / "evicted"
        with serving(data, tmp_path / "log") as server:
            exchange = Exchange(server, data)
            machine.fall_silent()
            machine.come_back()
            for what, answer in exchange.every_write():
                assert said(answer) == FAILURE, f"{what}: {answer}"
            assert said(exchange.ask("GET", f"students/{COURSE}")) == FAILURE
            exchange.check_health("Cannot send after transport endpoint shutdown")
            assert "Traceback" not in server.log, server.log
            subprocess.run(["umount", "--lazy", str(machine.place)], check=True)
            shared.ceph.mount(machine.place.name)
            exchange.check_that_all_is_well()


def test_a_full_ceph_takes_nothing_until_the_trash_is_emptied(shared: OnCeph, tmp_path: Path) -> None:
    """Not by a quota, as in `test_shared_volumes.py`: nobody can write anything then, wherever it is."""
    data = shared.here / "full"
    with serving(data, tmp_path / "log") as server:
        exchange = Exchange(server, data)
        assert exchange.ask("POST", "course/gone", "root").status == 200
        assert exchange.ask("DELETE", "course/gone", "root").status == 200
        with shared.ceph.full(shared.here):
            exchange.check_that_writes_are_refused(FULL)
            exchange.check_health("No space left on device")
            assert exchange.everything_readable() == exchange.readable
            done = run("trash", "empty", "--older-than", "0h", "--yes", "--data", str(data))
            assert done.returncode == 0, done.stderr
            assert os.listdir(data / "trash") == []
        exchange.check_that_all_is_well()
