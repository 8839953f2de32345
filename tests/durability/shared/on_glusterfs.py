"""GlusterFS: a volume of one brick, whose process is the file server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.durability.disks import full
from tests.durability.glusterfs import Gluster, can_be_used, gluster
from tests.waiting import until

VOLUME = "one"


class GlusterMachine:
    """A machine whose locks the bricks forget.

    Args:
        volume: the volume that it has mounted.
    """

    refuses_by_itself = False
    works_afterwards = True

    def __init__(self, volume: "OnGlusterFS") -> None:
        self.place = volume.there
        self._volume = volume

    def fall_silent(self) -> None:
        self._volume.restart()

    def come_back(self) -> None:
        pass


class OnGlusterFS:
    """See `SharedVolume`."""

    keeps_locks = False

    def __init__(self, made: Gluster) -> None:
        self.gluster = made
        made.make_volume(VOLUME, 1)
        self.here, self.there = (made.mount(VOLUME, f"{VOLUME}-{number}") for number in (1, 2))

    def under_load(self) -> tuple[Path, Path]:
        """Those of a volume of three bricks, replicas of each other."""
        name = "three"
        self.gluster.make_volume(name, 3)
        return self.gluster.mount(name, f"{name}-1"), self.gluster.mount(name, f"{name}-2")

    def restart(self) -> None:
        self.gluster.command("volume", "stop", VOLUME, "force")
        self.gluster.command("volume", "start", VOLUME)
        for place in (self.here, self.there):
            until(lambda place=place: can_be_used(place), "the mount's return")  # type: ignore[misc]

    @contextmanager
    def one_that_falls_silent(self) -> Iterator[GlusterMachine]:
        yield GlusterMachine(self)

    @contextmanager
    def full(self, data: Path) -> Iterator[None]:
        with full(self.gluster.bricks() / "ballast"):
            yield

    @contextmanager
    def read_only(self, data: Path) -> Iterator[None]:
        self.gluster.command("volume", "set", VOLUME, "features.read-only", "on")
        try:
            yield
        finally:
            self.gluster.command("volume", "set", VOLUME, "features.read-only", "off")


@contextmanager
def on_glusterfs(folder: Path) -> Iterator[OnGlusterFS]:
    with gluster(folder / "gluster") as made:
        yield OnGlusterFS(made)
