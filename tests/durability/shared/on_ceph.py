"""CephFS, mounted by `ceph-fuse`, or in a guest by its kernel."""

import contextlib
import fcntl
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.durability.ceph import Ceph, ceph
from tests.durability.disks import bind, unmounted_at_the_end
from tests.waiting import until

# What lets a machine come back, with its mount as if nothing had been, after the metadata server has given it up.
RECONNECTS = {False: "--client-reconnect-stale=true", True: "recover_session=clean"}


class CephMachine:
    """A machine that the metadata server gives up.

    Args:
        volume: what it has mounted.
        place: where.
        session: by what the metadata server knows it.
        reconnects: whether it comes back with the same mount.
    """

    def __init__(self, volume: "OnCeph", place: Path, session: int, reconnects: bool) -> None:
        self.place = place
        self.refuses_by_itself = not reconnects
        # By way of a `ceph-fuse` that reconnects, a lock that was lost cannot be had again: EIO for good.
        self.works_afterwards = reconnects and volume.by_kernel
        self._volume = volume
        self._session = session
        self._lock: IO[bytes] | None = None

    def fall_silent(self) -> None:
        self._lock = (self.place / "a lock of the machine").open("wb", buffering=0)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        if not self._volume.by_kernel:
            self._volume.ceph.stop_machine(self.place)
        self._volume.ceph.evict(self._session)  # as after `session_timeout`, where somebody waits for it
        if self._volume.by_kernel:  # which cannot be stopped, and goes on until it has heard
            self._has_heard()

    def come_back(self) -> None:
        if not self._volume.by_kernel:
            self._volume.ceph.wake_machine(self.place)
            self._has_heard()

    def _has_heard(self) -> None:
        """Wait until the machine knows that it was given up, as one does that was silent for as long as is told here.

        Until then it takes its locks for its own, and with `reconnects` nobody refuses what it writes.
        """
        if self._lock is not None:
            lock, self._lock = self._lock, None
            until(lambda: not _can_be_written(lock.fileno()), "the machine hears that it was given up")
            with contextlib.suppress(OSError):
                lock.close()


def _can_be_written(descriptor: int) -> bool:
    try:
        os.pwrite(descriptor, b"\n", 0)
        os.fdatasync(descriptor)
    except OSError:
        return False
    return True


class OnCeph:
    """See `SharedVolume`.

    Args:
        made: the file server.
        by_kernel: whether it is mounted by the kernel.
    """

    keeps_locks = True

    def __init__(self, made: Ceph, by_kernel: bool) -> None:
        self.ceph = made
        self.by_kernel = by_kernel
        self.here, self.there = self._mount("here"), self._mount("there")
        self._numbers = itertools.count()

    def _mount(self, place: str, *options: str) -> Path:
        return (self.ceph.mount_by_kernel if self.by_kernel else self.ceph.mount)(place, *options)

    def under_load(self) -> tuple[Path, Path]:
        return self.here, self.there

    def restart(self) -> None:
        self.ceph.kill_metadata_server()
        self.ceph.start_metadata_server()

    @contextmanager
    def one_that_falls_silent(self, reconnects: bool = False) -> Iterator[CephMachine]:
        before = self.ceph.sessions()
        place = self._mount(f"silent-{next(self._numbers)}", *([RECONNECTS[self.by_kernel]] if reconnects else []))
        try:
            os.listdir(place)
            (session,) = self.ceph.sessions() - before
            # Otherwise the OSDs hear as well that they should not take anything from it.
            block = str(not reconnects).lower()
            self.ceph.tell_metadata_server("config set", var="mds_session_blocklist_on_evict", val=[block])
            yield CephMachine(self, place, session, reconnects)
        finally:
            self.ceph.unmount(place)
            for left in self.ceph.sessions() - before:  # else others would wait for it, for a minute
                self.ceph.evict(left)

    @contextmanager
    def full(self, data: Path) -> Iterator[None]:
        """As a volume of Kubernetes is: by a quota of its folder."""
        os.setxattr(data, "ceph.quota.max_bytes", b"1")
        try:
            yield
        finally:
            os.setxattr(data, "ceph.quota.max_bytes", b"0")

    @contextmanager
    def read_only(self, data: Path) -> Iterator[None]:
        with unmounted_at_the_end(data):
            bind(data, data, "ro")
            yield


@contextmanager
def by_fuse(folder: Path) -> Iterator[OnCeph]:
    with ceph(folder / "ceph") as made:
        yield OnCeph(made, by_kernel=False)


@contextmanager
def by_kernel(folder: Path) -> Iterator[OnCeph]:
    with ceph(folder / "ceph") as made:
        yield OnCeph(made, by_kernel=True)
