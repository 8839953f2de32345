"""CephFS, mounted by `ceph-fuse`."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.durability.ceph import Ceph, ceph
from tests.durability.disks import bind, unmounted_at_the_end


class CephMachine:
    """A machine that the metadata server gives up while it is silent.

    Args:
        made: where it mounts the volume.
        place: where to.
        reconnects: whether it comes back with its mount as if nothing had been, which Ceph can be told to let happen.
    """

    def __init__(self, made: Ceph, place: Path, reconnects: bool) -> None:
        self.place = place
        self.refuses_by_itself = not reconnects
        # The lock that was lost cannot be had again by way of that mount: EIO for good.
        self.works_afterwards = False
        self._ceph = made

    def fall_silent(self) -> None:
        self._ceph.stop_machine(self.place)
        self._ceph.evict(self.place)  # it would be after `session_autoclose`, or before if somebody waits for it

    def come_back(self) -> None:
        self._ceph.wake_machine(self.place)


class OnCeph:
    """See `SharedVolume`."""

    keeps_locks = True

    def __init__(self, made: Ceph) -> None:
        self.ceph = made
        self.here, self.there = made.mount("here"), made.mount("there")
        self._numbers = itertools.count()

    def restart(self) -> None:
        self.ceph.kill_metadata_server()
        self.ceph.start_metadata_server()

    @contextmanager
    def one_that_falls_silent(self, reconnects: bool = False) -> Iterator[CephMachine]:
        options = ["--client-reconnect-stale=true"] if reconnects else []
        place = self.ceph.mount(f"silent-{next(self._numbers)}", *options)
        try:
            # Otherwise the OSDs hear as well that they should not take anything from it.
            self.ceph.tell_metadata_server(
                "config", "set", "mds_session_blocklist_on_evict", str(not reconnects).lower()
            )
            yield CephMachine(self.ceph, place, reconnects)
        finally:
            self.ceph.unmount(place)

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
def on_ceph(folder: Path) -> Iterator[OnCeph]:
    with ceph(folder / "ceph") as made:
        yield OnCeph(made)
