"""Volumes that are full, read-only, gone or dead, and clocks that jump: the real server says so, serves what it can,
and goes on as soon as it can again, without a restart."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ngshare_fs.store.checking.verify import verify_volume
from tests.durability.disks import (
    EXT4,
    MIB,
    PATIENCE,
    bind,
    fill_space,
    mounted,
    shut_down,
    skip_unless_possible,
    unmount,
    unmounted_at_the_end,
)
from tests.durability.exchange import ASSIGNMENT, FAILURE, FULL, PERSON, READ_ONLY, STUDENT, Exchange, said
from tests.durability.history import COURSE
from tests.durability.servers import preloaded, serving
from tests.trees import contents, tree

pytestmark = pytest.mark.durability

HOUR = 3600
CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    char seconds[32] = "";
    int file = clock == CLOCK_REALTIME ? open(getenv("CLOCK_IS_OFF_BY"), O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
        if (read(file, seconds, sizeof seconds - 1) > 0) now->tv_sec += atol(seconds);
        close(file);
    }
    return result;
}
"""


@contextmanager
def small_disk(folder: Path, size: int, *options: str) -> Iterator[Path]:
    """A small ext4, nothing of it kept back for root; gives where it is mounted."""
    skip_unless_possible(EXT4)
    EXT4.make(folder / "image", size, "-m", "0", *options)
    with mounted(folder / "image", folder / "mounted") as place:
        yield place


def fill_inodes(ballast: Path) -> None:
    """Take every inode."""
    with contextlib.suppress(OSError):
        for number in range(10_000):
            (ballast / str(number)).touch()


@pytest.mark.parametrize("fill", [fill_space, fill_inodes])
def test_a_full_volume_takes_nothing_and_serves_on(fill: Callable[[Path], None], tmp_path: Path) -> None:
    with small_disk(tmp_path, 10 * MIB, "-N", "400") as place, serving(place / "data", tmp_path / "log") as server:
        exchange = Exchange(server, place / "data")
        ballast = place / "ballast"
        ballast.mkdir()
        fill(ballast)
        exchange.check_that_writes_are_refused(FULL)
        exchange.check_health("No space left on device")
        assert exchange.everything_readable() == exchange.readable
        assert exchange.left_in_staging() == []
        shutil.rmtree(ballast)
        exchange.check_that_all_is_well()


def test_a_volume_that_becomes_read_only_takes_nothing_and_serves_on(tmp_path: Path) -> None:
    with small_disk(tmp_path, 20 * MIB) as place:
        data = place / "data"
        with serving(data, tmp_path / "log") as server:
            exchange = Exchange(server, data)
            # The kernel makes no mount read-only in which a file is open for writing. Another one on top of it is.
            with unmounted_at_the_end(data):
                bind(data, data, "ro")
                exchange.check_that_writes_are_refused(READ_ONLY)
                exchange.check_health("Read-only file system")
                assert exchange.everything_readable() == exchange.readable
            exchange.check_that_all_is_well()


def test_a_volume_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    with small_disk(tmp_path, 20 * MIB) as place:
        (place / "behind").mkdir()
        data = tmp_path / "data"
        data.mkdir()
        with unmounted_at_the_end(data):
            bind(place / "behind", data)
            with serving(data, tmp_path / "log") as server:
                exchange = Exchange(server, data)
                unmount_lazily(data)
                exchange.check_health("No such file or directory")
                for what, answer in exchange.every_write():
                    assert said(answer) == FAILURE, f"{what}: {answer}"
                for path in ("courses", f"students/{COURSE}", f"assignment/{COURSE}/{ASSIGNMENT}"):
                    assert said(exchange.ask("GET", path)) == FAILURE, path  # not: there is no such course
                assert os.listdir(data) == []  # what was written here would be hidden when the volume is back
                bind(place / "behind", data)
                exchange.check_that_all_is_well()


def test_a_volume_that_dies_and_is_mounted_again(tmp_path: Path) -> None:
    with small_disk(tmp_path, 20 * MIB) as place:
        data = place / "data"
        with serving(data, tmp_path / "log") as server:
            exchange = Exchange(server, data)
            assert set(exchange.hand_in_at_once()) == {200}
            exchange.readable = exchange.everything_readable()
            shut_down(place)
            exchange.check_health("Input/output error")
            for what, answer in exchange.every_write():
                assert said(answer) in (FAILURE, READ_ONLY), what
            unmount_lazily(place)
            # The server still holds a file of the dead one open: the disk comes back as another device.
            with mounted_as_another_device(tmp_path / "image", place):
                exchange.check_that_all_is_well()
                # Many writes share a flush. What they wrote could be on the dead one: the first may say so, once.
                assert set(exchange.hand_in_at_once()) <= {200, 503}
                assert set(exchange.hand_in_at_once()) == {200}
                assert server.stop() == 0


def unmount_lazily(place: Path) -> None:
    """Unmount although files are open."""
    subprocess.run(["umount", "-l", str(place)], check=True, timeout=PATIENCE)


@contextmanager
def mounted_as_another_device(image: Path, place: Path) -> Iterator[None]:
    """Mount an image that another, dead mount still holds."""
    command = ["losetup", "--find", "--show", str(image)]
    device = subprocess.run(command, check=True, timeout=PATIENCE, capture_output=True, text=True).stdout.strip()
    try:
        subprocess.run(["mount", device, str(place)], check=True, timeout=PATIENCE)
        try:
            yield
        finally:
            unmount(place)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True, timeout=PATIENCE)


class Clock:
    """The clock of a server that is started with its `environment`.

    Args:
        folder: for what it needs.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock is off by"
        self.environment = {**preloaded(CLOCK, folder), "CLOCK_IS_OFF_BY": str(self._file)}

    def jump_to(self, seconds: int) -> None:
        """Put it that far from the true time."""
        aside = self._file.with_name("aside")
        aside.write_text(str(seconds))
        aside.replace(self._file)


@pytest.mark.parametrize("workers", [1, 2])
def test_timestamps_increase_whatever_the_clock_does(workers: int, tmp_path: Path) -> None:
    clock = Clock(tmp_path)
    with serving(tmp_path / "data", tmp_path / "log", workers, clock.environment) as server:
        exchange = Exchange(server, tmp_path / "data")
        on = f"{COURSE}/{ASSIGNMENT}"
        timestamps = [exchange.timestamp]
        for number, seconds in enumerate((0, HOUR, 0, -HOUR, 10, 2 * HOUR, 0)):
            clock.jump_to(seconds)
            timestamps += [exchange.hand_in({"f": f"{number} {again}".encode()}) for again in range(4)]
            feedback = {"timestamp": exchange.timestamp, "files": tree({"f": str(number).encode()})}
            assert exchange.ask("POST", f"feedback/{on}/{STUDENT}", **feedback).status == 200
            assert exchange.ask("PUT", f"assignment/{on}", files=feedback["files"]).status == 200
            newest = {
                "feedback": exchange.ask("GET", f"feedback/{on}/{STUDENT}", timestamp=exchange.timestamp),
                "release": exchange.ask("GET", f"assignment/{on}"),
                "submission": exchange.ask("GET", f"submission/{on}/{STUDENT}"),
            }
            found = {what: contents(answer.body)["f"].decode() for what, answer in newest.items()}
            assert found == {"feedback": f"{number}", "release": f"{number}", "submission": f"{number} 3"}
        assert timestamps == sorted(set(timestamps))
        jumped = datetime.fromisoformat(timestamps[5].removesuffix(" UTC")).replace(tzinfo=timezone.utc)
        assert jumped > datetime.now(timezone.utc) + timedelta(minutes=50), "the clock did not jump"
        listed = exchange.ask("GET", f"submissions/{on}/{STUDENT}").body["submissions"]
        assert [entry["timestamp"] for entry in listed] == timestamps
        assert list(verify_volume(tmp_path / "data")) == []


def test_edits_by_hand_are_seen_whatever_the_clock_does(tmp_path: Path) -> None:
    clock = Clock(tmp_path)
    with serving(tmp_path / "data", tmp_path / "log", environment=clock.environment) as server:
        exchange = Exchange(server, tmp_path / "data")
        file = tmp_path / "data/courses" / COURSE / "course.yaml"
        email = "l@x"
        for number, seconds in enumerate((0, HOUR, HOUR, 0, -HOUR, -HOUR, 0, HOUR, 0)):
            clock.jump_to(seconds)
            for way in (written_over, replaced):
                # Of the same length, so that its times alone betray the change.
                new = f"{number}@{way.__name__[0]}"
                way(file, file.read_text().replace(email, new))
                email = new
                for _ in range(2):
                    answer = exchange.ask("GET", f"student/{COURSE}/{STUDENT}")
                    assert answer.body["email"] == email
                    listed = exchange.ask("GET", f"students/{COURSE}").body["students"]
                    assert {student["email"] for student in listed} == {email}
            added = {**PERSON, "email": email}
            assert exchange.ask("POST", f"student/{COURSE}/added {number}", **added).status == 200


def written_over(file: Path, text: str) -> None:
    file.write_text(text)


def replaced(file: Path, text: str) -> None:
    aside = file.with_name("aside")
    aside.write_text(text)
    aside.replace(file)
