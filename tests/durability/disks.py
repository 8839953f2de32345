"""Disks of a test's own: images with a file system in them, mounted through loop devices, and what may befall them.

**What a power cut leaves.** A real disk keeps what it was told to flush; of what was written after that, any sectors
may be there or not, in whatever order. A clone of an image that a loop device writes to (with reflinks, say) is kinder:
it holds every write that was completed, flushed or not, so it would forgive a file system, or a server, that relies on
a disk's cache. So the loop device stands on a `RecordedDisk`, which keeps the history of all writes and flushes.
Afterwards the disk can be had as a power cut at any moment of that history would have left it: everything up to the
last flush, and of the rest nothing, everything, or a random choice of sectors. What the operating system still held in
memory never reached the disk, and is lost in any case.
"""

import contextlib
import ctypes
import fcntl
import os
import random
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.durability.recording_disk import FLUSH, RECORD

PATIENCE = 120
MIB = 2**20
# ext4 and xfs understand the same one: to stop at once, without writing their journal.
_SHUT_DOWN, _WITHOUT_THE_JOURNAL = 0x8004587D, 2


@dataclass(frozen=True)
class FileSystem:
    """How to make and mount one.

    Args:
        package: what brings its `mkfs`.
        options: of `mkfs`.
        mount_options: of `mount`; a copy of an xfs is mounted beside the original only if told to.
        size: of a disk, in bytes; mkfs.xfs makes none below 300 MiB. What is not used takes no space.
        sector: the bytes that it expects a disk to write wholly or not at all.
    """

    name: str
    package: str
    options: tuple[str, ...]
    mount_options: str
    size: int
    sector: int = 512

    def __str__(self) -> str:
        return self.name

    def make(self, image: Path, size: int | None = None, *more: str) -> None:
        """Make an image with this file system in it."""
        with image.open("wb") as file:
            file.truncate(size or self.size)
        _run(f"mkfs.{self.name}", *self.options, *more, str(image))


EXT4 = FileSystem(
    "ext4", "e2fsprogs", ("-q", "-F", "-E", "nodiscard,lazy_itable_init=1,lazy_journal_init=1"), "rw", 256 * MIB
)
XFS = FileSystem("xfs", "xfsprogs", ("-q", "-f", "-K"), "nouuid", 320 * MIB)
# Flushes what it is asked to and little else, where the other two write their whole journal: a flush that is missing
# shows there first.
BTRFS = FileSystem("btrfs", "btrfs-progs", ("-q", "-f", "-K"), "rw", 256 * MIB, 4096)


def skip_unless_possible(file_system: FileSystem, *devices: str) -> None:
    """Skip the test where it cannot have disks of its own."""
    if os.geteuid():
        pytest.skip("mounting disks needs root: run the tests as root")
    for device in ("/dev/loop-control", *devices):
        if not os.path.exists(device):
            pytest.skip(f"{device} is missing: run the tests where that device is allowed (docker: --privileged)")
    if not shutil.which(f"mkfs.{file_system.name}"):
        pytest.skip(f"mkfs.{file_system.name} is missing: apt-get install {file_system.package}")


@contextmanager
def mounted(source: Path, place: Path, options: str = "rw") -> Iterator[Path]:
    """Mount an image on a folder, and take it away at the end, whatever happened; gives the folder."""
    place.mkdir(exist_ok=True)
    with unmounted_at_the_end(place):
        mount(source, place, options)
        yield place


def mount(source: Path, place: Path, options: str = "rw") -> None:
    """Mount an image on a folder; the loop device goes when the mount does."""
    deadline = time.monotonic() + PATIENCE
    while True:
        # Other tests look for a free loop device at the same time, so that `mount` may find that it lost; and one
        # that was just unmounted goes in its own time.
        command = ["mount", "-o", f"loop,{options}", str(source), str(place)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode == 0:
            return
        if "permitted" in done.stderr or "unknown filesystem" in done.stderr:
            pytest.skip(f"disks cannot be mounted here: {done.stderr.strip()}")
        raced = any(words in done.stderr for words in ("loop device", "busy", "already mounted"))
        assert raced, done.stderr
        assert time.monotonic() < deadline, done.stderr
        time.sleep(0.05)


@contextmanager
def unmounted_at_the_end(place: Path) -> Iterator[None]:
    """Unmount what is mounted on a folder, also where this process is killed."""
    command = ["sh", "-c", 'read -r _; umount -l "$1"', "sh", str(place)]
    guard = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield
    finally:
        with contextlib.suppress(subprocess.CalledProcessError, subprocess.TimeoutExpired):
            unmount(place)
        guard.communicate(timeout=PATIENCE)


def unmount(place: Path) -> None:
    """Unmount, as soon as the processes that use it are gone."""
    deadline = time.monotonic() + PATIENCE
    while is_mounted(place):
        done = subprocess.run(["umount", str(place)], capture_output=True, timeout=PATIENCE)
        if done.returncode and time.monotonic() > deadline:
            done.check_returncode()
        time.sleep(0.01)


def is_mounted(place: Path) -> bool:
    """Whether something is mounted there; a dead file system, which cannot be looked at, too."""
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    return any(line.split(" ")[1] == str(place) for line in mounts)  # pytest's folders have no blanks in them


def shut_down(place: Path) -> None:
    """Let a mounted file system die: what it has not written by now, it never will."""
    folder = os.open(place, os.O_RDONLY)
    try:
        fcntl.ioctl(folder, _SHUT_DOWN, struct.pack("I", _WITHOUT_THE_JOURNAL))
    finally:
        os.close(folder)


def sync_file_system(place: Path) -> None:
    """Write out everything on a file system."""
    folder = os.open(place, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(folder):
            raise OSError(ctypes.get_errno(), "syncfs", str(place))
    finally:
        os.close(folder)


def fill_space(ballast: Path) -> None:
    """Take every block: large pieces first, then small ones, until the file system has none in reserve either."""
    block = os.statvfs(ballast).f_frsize
    size, taken = MIB, True
    while taken:
        taken = False
        with (ballast / str(len(os.listdir(ballast)))).open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(size)):
                os.fsync(file.fileno())
                taken = True
        sync_file_system(ballast)
        size, taken = block, taken or size > block


@contextmanager
def full(ballast: Path) -> Iterator[None]:
    """Meanwhile there is no room on the file system of a folder, which is made."""
    ballast.mkdir()
    try:
        with (ballast / "much").open("wb") as file, contextlib.suppress(OSError):
            status = os.statvfs(ballast)
            os.posix_fallocate(file.fileno(), 0, max(status.f_bavail - 64, 1) * status.f_frsize)
        fill_space(ballast)
        yield
    finally:
        shutil.rmtree(ballast)


def bind(source: Path, place: Path, *options: str) -> None:
    """Show a folder at another place, too."""
    subprocess.run(["mount", "--bind", str(source), str(place)], check=True, timeout=PATIENCE)
    if options:
        remount = ["mount", "-o", ",".join(("remount", "bind", *options)), str(place)]
        subprocess.run(remount, check=True, timeout=PATIENCE)


class RecordedDisk:
    """A mounted disk that keeps its history. Use `recorded_disk`.

    Look at its past when it is not mounted any more: btrfs takes two disks of the same identity for one.
    """

    def __init__(self, file_system: FileSystem, folder: Path) -> None:
        self.file_system = file_system
        self.place = folder / "mounted"
        self.blank = folder / "blank"
        self.record = folder / "record"
        self.device = folder / "device"
        self._fails = folder / "device.fails"

    def now(self) -> int:
        """This moment of its history."""
        return self.record.stat().st_size

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Meanwhile every write and every flush fails; afterwards it works again, what failed being lost."""
        self._fails.touch()
        try:
            yield
        finally:
            self._fails.unlink()

    def after_power_cut(self, moment: int, kept: float, chance: random.Random, image: Path) -> None:
        """Make the image that a power cut leaves.

        Args:
            moment: when, see `now`.
            kept: how probable it is that a sector that was written and not flushed is there.
        """
        copy_image(self.blank, image)
        volatile: list[tuple[int, bytes]] = []
        size = self.file_system.sector
        disk = os.open(image, os.O_WRONLY)
        try:
            for kind, offset, data in self._history(moment):
                if kind != FLUSH:
                    volatile.append((offset, data))
                    continue
                for start, content in volatile:
                    os.pwrite(disk, content, start)
                volatile.clear()
            for start, content in volatile:
                for sector in range(0, len(content), size):
                    if chance.random() < kept:
                        os.pwrite(disk, content[sector : sector + size], start + sector)
        finally:
            os.close(disk)

    def _history(self, moment: int) -> Iterator[tuple[bytes, int, bytes]]:
        with self.record.open("rb") as record:
            while record.tell() + RECORD.size <= moment:
                kind, offset, length = RECORD.unpack(record.read(RECORD.size))
                if record.tell() + length > moment:
                    return
                yield kind, offset, record.read(length)


@contextmanager
def recorded_disk(file_system: FileSystem, folder: Path) -> Iterator[RecordedDisk]:
    """Make a disk that keeps its history, and mount it."""
    with recorded_device(file_system, folder) as disk, mounted(disk.device, disk.place, file_system.mount_options):
        yield disk


@contextmanager
def recorded_device(file_system: FileSystem, folder: Path) -> Iterator[RecordedDisk]:
    """The same without mounting it: `device` is for whoever can use a disk."""
    skip_unless_possible(file_system, "/dev/fuse")
    folder.mkdir()
    disk = RecordedDisk(file_system, folder)
    file_system.make(disk.blank)
    image = folder / "image"
    copy_image(disk.blank, image)
    disk.device.touch()
    with unmounted_at_the_end(disk.device), _recorder(image, disk):
        yield disk


@contextmanager
def _recorder(image: Path, disk: RecordedDisk) -> Iterator[None]:
    program = Path(__file__).with_name("recording_disk.py")
    command = [sys.executable, "-E", "-S", str(program), str(image), str(disk.record), str(disk.device)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        if process.stdout.readline() != "ready\n":
            said = process.communicate(timeout=PATIENCE)[1]
            if "not permitted" in said:
                pytest.skip(f"FUSE cannot be mounted here: {said.splitlines()[-1]}")
            raise AssertionError(said)
        try:
            yield
        finally:
            # It ends with its standard input; every access to the disk fails from then on.
            said = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 0, said


def copy_image(image: Path, target: Path) -> None:
    """Copy an image, without what is empty in it."""
    _run("cp", "--sparse=always", "--reflink=auto", str(image), str(target))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, f"{command}: {done.stderr}"
