"""Lists that take several looks: all of them have to be into one folder, not some into another of the same name."""

from collections.abc import Callable
from typing import TypeVar

from ngshare_fs.store.format.layout import KnownFolder

Found = TypeVar("Found")


def found_in_one(folder: str, look: Callable[[], Found]) -> Found:
    """What is found in a folder that is the same before and after; looked for again where it was deleted meanwhile.

    Otherwise only some of what was there would be found, or some of it in a new folder of the same name.

    Args:
        folder: its path.
        look: lists what is in it, by its path.

    Raises:
        FileNotFoundError: there is no such folder, or none any more.
    """
    while True:
        known = KnownFolder.look(folder)
        found = look()
        if known.is_there():
            return found
