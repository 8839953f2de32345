"""What mending is made of: steps, and reasons to leave something as it is."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from ngshare_fs.store.checking.findings import Finding
from ngshare_fs.store.format import layout
from ngshare_fs.store.format.names import name_of
from ngshare_fs.store.volume import Volume


class Left(Exception):
    """Something is not mended; the text is the reason, and what a person may do about it."""


@dataclass(frozen=True)
class Damage:
    """A finding, and where it is.

    Args:
        root: the volume's folder.
        finding: what was found.
    """

    root: str
    finding: Finding

    @property
    def place(self) -> str:
        """Where it is, relative to the volume."""
        return self.finding.place

    @property
    def path(self) -> str:
        """Where it is."""
        return os.path.join(self.root, self.place)

    @property
    def parts(self) -> list[str]:
        """The names on the way to it."""
        return self.place.split("/")

    @property
    def is_in_trash(self) -> bool:
        """Whether it was deleted, or set aside."""
        return self.parts[0] == layout.TRASH

    @property
    def course(self) -> str:
        """The course that it is in; empty where there is none, or no name leads to it."""
        return name_of(self.parts[1]) or "" if self.parts[0] == layout.COURSES and self.parts[1:] else ""


@dataclass(frozen=True)
class Step:
    """One thing to be done.

    Args:
        damage: what it is to mend.
        words: what would be done, for whoever has to decide.
        target: what it is done to, relative to the volume: one mend of a thing may mend several damages.
        goes_whole: whether the target is moved away, with all that is wrong in it.
        mend: does it, and is told by whom. Raises `Left` where things are not as they were any more, and what the
            store raises where it fails.
    """

    damage: Damage
    words: str
    target: str
    mend: Callable[[Volume, str], None]
    goes_whole: bool = False
