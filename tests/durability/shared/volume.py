"""What the tests of a shared volume need of a file system; each kind has a file beside this one."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol


class Machine(Protocol):
    """A machine that loses its locks; see `SharedVolume.one_that_falls_silent`.

    Attributes:
        place: where it has mounted the volume.
        refuses_by_itself: whether the file system refuses what it does without its lock.
        works_afterwards: whether its mount can be used when it has come back.
    """

    place: Path
    refuses_by_itself: bool
    works_afterwards: bool

    def fall_silent(self) -> None:
        """Let it be silent until somebody else may have its locks, now or a little later."""

    def come_back(self) -> None:
        """Let it be heard again."""


class SharedVolume(Protocol):
    """A file system that two machines have mounted, and what may befall it.

    Attributes:
        here, there: its mounts, one of each machine.
        keeps_locks: whether a restart of the file server leaves locks with those who have them; where it does not,
            calls fail meanwhile.
    """

    here: Path
    there: Path
    keeps_locks: bool

    def under_load(self) -> tuple[Path, Path]:
        """The mounts of both machines for what many clients do at once."""

    def restart(self) -> None:
        """Restart the file server."""

    def one_that_falls_silent(self) -> AbstractContextManager[Machine]:
        """A machine; its mount is gone afterwards, or works."""

    def full(self, data: Path) -> AbstractContextManager[None]:
        """Meanwhile there is no room in a folder.

        Args:
            data: by way of `here`.
        """

    def read_only(self, data: Path) -> AbstractContextManager[None]:
        """Meanwhile nothing can be written in a folder.

        Args:
            data: by way of `here`.
        """
