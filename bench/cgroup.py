"""A limit on the memory of all processes of a server together, as a container has it: cgroups, version 1 or 2."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

MIB = 2**20
POLL_SECONDS = 0.01
REMOVE_SECONDS = 10


class NoCgroup(Exception):
    """Memory cannot be limited here; the message says why."""


@dataclass(frozen=True)
class Memory:
    """What the kernel counts at one moment, in MiB.

    Args:
        used: all of it, the page cache with it.
        working_set: without files that were not used lately; what Kubernetes shows, and goes by when it evicts.
        kept: anonymous and shared memory, which the kernel cannot take back.
    """

    used: float
    working_set: float
    kept: float


class Peaks:
    """The most of each kind while somebody looked."""

    def __init__(self) -> None:
        self.memory = Memory(0, 0, 0)

    def see(self, now: Memory) -> None:
        """Count a moment in."""
        had = self.memory
        self.memory = Memory(max(had.used, now.used), max(had.working_set, now.working_set), max(had.kept, now.kept))


class Cgroup:
    """One of its own; whoever enters it is counted, and so are those whom they start.

    Args:
        folder: of the kernel's.
        version: 1 or 2.
    """

    def __init__(self, folder: Path, version: int) -> None:
        self._folder, self._version = folder, version
        # Begins a command that is to run inside.
        self.entrance = ("/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(folder / "cgroup.procs"))

    def memory(self) -> Memory:
        """What is used now."""
        stat = self._numbers("memory.stat")
        if self._version == 1:
            used, kept = int(self._read("memory.usage_in_bytes")), stat["total_rss"] + stat.get("total_shmem", 0)
            inactive = stat["total_inactive_file"]
        else:
            used, kept, inactive = (
                int(self._read("memory.current")),
                stat["anon"] + stat["shmem"],
                stat["inactive_file"],
            )
        return Memory(used / MIB, (used - inactive) / MIB, kept / MIB)

    def peak(self) -> float | None:
        """The most that was ever used, in MiB; None where the kernel does not keep it."""
        file = "memory.max_usage_in_bytes" if self._version == 1 else "memory.peak"
        try:
            return int(self._read(file)) / MIB
        except OSError:
            return None

    def killed(self) -> int:
        """How many processes the kernel has ended for want of memory."""
        return self._numbers("memory.oom_control" if self._version == 1 else "memory.events").get("oom_kill", 0)

    def full(self) -> int:
        """How often the limit was reached, so that the kernel had to take memory back first."""
        return int(self._read("memory.failcnt")) if self._version == 1 else self._numbers("memory.events")["max"]

    @contextmanager
    def watching(self) -> Iterator[Peaks]:
        """Look all the time."""
        peaks, over = Peaks(), threading.Event()

        def look() -> None:
            while not over.wait(POLL_SECONDS):
                peaks.see(self.memory())

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield peaks
        finally:
            over.set()
            thread.join()
            peaks.see(self.memory())

    def limit(self, mebibytes: int) -> None:
        """Allow so much, and nothing on top of it in swap."""
        if self._version == 1:
            (self._folder / "memory.limit_in_bytes").write_text(str(mebibytes * MIB))
            (self._folder / "memory.swappiness").write_text("0")
        else:
            (self._folder / "memory.max").write_text(str(mebibytes * MIB))
            with suppress(FileNotFoundError):  # a kernel without swap
                (self._folder / "memory.swap.max").write_text("0")

    def remove(self) -> None:
        """End whoever is left in it, and remove it."""
        deadline = time.monotonic() + REMOVE_SECONDS
        while True:
            for process in self._read("cgroup.procs").split():
                with suppress(ProcessLookupError):
                    os.kill(int(process), signal.SIGKILL)
            try:
                self._folder.rmdir()
                return
            except OSError:  # a process that was ended is still on its way out
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _read(self, file: str) -> str:
        return (self._folder / file).read_text()

    def _numbers(self, file: str) -> dict[str, int]:
        return {name: int(value) for name, value in map(str.split, self._read(file).splitlines())}


@contextmanager
def limited(mebibytes: int) -> Iterator[Cgroup]:
    """A cgroup with so much memory, removed at the end.

    Raises:
        NoCgroup: see there.
    """
    parent, version = _hierarchy()
    folder = parent / f"ngshare-fs-bench-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        raise NoCgroup(f"no cgroup can be made in {parent}: {error.strerror}; it takes root") from None
    cgroup = Cgroup(folder, version)
    try:
        try:
            cgroup.limit(mebibytes)
        except OSError as error:
            raise NoCgroup(f"memory cannot be limited in {folder}: {error.strerror}; it takes root") from None
        yield cgroup
    finally:
        cgroup.remove()


def _hierarchy() -> tuple[Path, int]:
    """Where cgroups with a memory controller are made, and the version."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    for _, place, kind, options, *_ in mounts:
        if kind == "cgroup" and "memory" in options.split(","):
            return Path(place), 1
    for _, place, kind, *_ in mounts:
        parent = Path(place)
        if kind == "cgroup2" and "memory" in (parent / "cgroup.controllers").read_text().split():
            with suppress(OSError):  # then the limit cannot be set, which is said there
                (parent / "cgroup.subtree_control").write_text("+memory")
            return parent, 2
    raise NoCgroup("this system has no cgroups with a memory controller")


def on_a_disk(folder: Path) -> None:
    """Check that files in a folder do not lie in memory.

    Raises:
        NoCgroup: they do, and would count.
    """
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    places = [(Path(place), kind) for _, place, kind, *_ in mounts if folder.resolve().is_relative_to(place)]
    _, kind = max(places, key=lambda found: len(found[0].parts))
    if kind in ("tmpfs", "ramfs"):
        raise NoCgroup(f"{folder} lies in memory ({kind}), which would count; give --scratch a folder on a disk")
