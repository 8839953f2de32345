"""How much was read: for a progress bar, and to be told at the end."""

import os
import threading
from collections.abc import Callable


class Tally:
    """What has been read so far, by all threads together.

    Args:
        told: is told of each piece, in bytes.
    """

    def __init__(self, told: Callable[[int], object] = lambda size: None) -> None:
        self.files = 0
        self.bytes = 0
        self._told = told
        self._guard = threading.Lock()

    def file(self, size: int = 0) -> None:
        """A file was read.

        Args:
            size: in bytes, where `piece` was not told of them.
        """
        with self._guard:
            self.files += 1
        self.piece(size)

    def piece(self, size: int) -> None:
        """So many bytes more were read."""
        with self._guard:
            self.bytes += size
            self._told(size)


def bytes_below(folder: str) -> int:
    """How many bytes the files in a folder and below have, as far as it can be looked at; no link is followed."""
    total = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    if entry.is_dir(follow_symlinks=False):
                        total += bytes_below(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        total += entry.stat(follow_symlinks=False).st_size
                except OSError:
                    continue  # that it cannot be read, or went away, is told by whoever reads it
    except OSError:
        return total
    return total
