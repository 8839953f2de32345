"""Answers kept ready: when a lesson begins, hundreds fetch the same release.

As everything else in memory they are checked against the volume at each use: by the manifest, and by the marks of each
file (see `cached_yaml`).
"""

import threading
from collections import OrderedDict
from typing import NamedTuple

from ngshare_fs.store.cached_yaml import RACY_NANOSECONDS, Marks
from ngshare_fs.store.manifest import Manifest

# All answers that are kept, and the files of one.
MOST_BYTES = 16 * 2**20
LARGEST = 4 * 2**20


class State(NamedTuple):
    """What an answer depends on."""

    manifest: Manifest
    files: list[Marks]


def can_be_kept(state: State, seen: int) -> bool:
    """Whether a tree is small enough, and so old that no change could go unnoticed.

    Args:
        seen: when the state was looked at, in nanoseconds since 1970.
    """
    youngest = max((max(marks.modified, marks.changed) for marks in state.files), default=0)
    size = sum(file.size for file in state.manifest.files)
    return size <= LARGEST and seen - youngest > RACY_NANOSECONDS


class ReadyAnswers:
    """Encoded trees by their folders."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[State, bytes]] = OrderedDict()
        self._size = 0
        self._guard = threading.Lock()

    def get(self, path: str, state: State) -> bytes | None:
        """What is kept of a tree, if that is still its state."""
        with self._guard:
            kept = self._kept.get(path)
            if kept is None or kept[0] != state:
                return None
            self._kept.move_to_end(path)
            return kept[1]

    def keep(self, path: str, state: State, body: bytes) -> None:
        """Keep an answer of which `can_be_kept` is true."""
        with self._guard:
            replaced = self._kept.pop(path, None)
            self._size += len(body) - (len(replaced[1]) if replaced else 0)
            self._kept[path] = (state, body)
            while self._size > MOST_BYTES:
                _, (_, forgotten) = self._kept.popitem(last=False)
                self._size -= len(forgotten)
