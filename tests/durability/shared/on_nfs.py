"""NFSv4.2, in a guest alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.durability.disks import full
from tests.durability.guest.nfs import EXPORT, Nfs


class NfsMachine:
    """A machine that hears nothing of the network, for longer than the server is patient.

    Args:
        nfs: the server.
        client: which of its clients.
        place: what it has mounted.
    """

    refuses_by_itself = False
    works_afterwards = True

    def __init__(self, nfs: Nfs, client: str, place: Path) -> None:
        self.place = place
        self._nfs, self._client = nfs, client

    def fall_silent(self) -> None:
        self._nfs.silence(self._client)

    def come_back(self) -> None:
        self._nfs.hear(self._client)


class OnNfs:
    """See `SharedVolume`."""

    keeps_locks = True

    def __init__(self, nfs: Nfs) -> None:
        self.nfs = nfs
        self.here, self.there = nfs.mount("a"), nfs.mount("b")

    def under_load(self) -> tuple[Path, Path]:
        return self.here, self.there

    def restart(self) -> None:
        self.nfs.restart()

    @contextmanager
    def one_that_falls_silent(self) -> Iterator[NfsMachine]:
        machine = NfsMachine(self.nfs, "b", self.there)
        try:
            yield machine
        finally:
            machine.come_back()

    @contextmanager
    def full(self, data: Path) -> Iterator[None]:
        with full(Path("/srv/export/ballast")):
            yield

    @contextmanager
    def read_only(self, data: Path) -> Iterator[None]:
        with self.nfs.exported(EXPORT.replace("rw", "ro")):
            yield


@contextmanager
def on_nfs(_: Path) -> Iterator[OnNfs]:
    yield OnNfs(Nfs())
