"""Trees kept ready to be sent: when a lesson begins, hundreds fetch the same release.

What else is in an answer is made for each: dates differ between people, and from one second to the next.

As everything else in memory they are checked against the volume at each use: by the manifest, and by what each file is
known by.
"""

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ngshare_fs.store import TreeState

# All that is kept, and the files of one tree.
MOST_BYTES = 16 * 2**20
LARGEST = 4 * 2**20


def can_be_kept(state: TreeState, seen: int) -> bool:
    """Whether a tree is small enough, and so old that no change could go unnoticed.

    Args:
        seen: when the state was looked at, in nanoseconds since 1970.
    """
    size = sum(file.size for file in state.manifest.files)
    return size <= LARGEST and state.is_settled(seen)


class _Kept(NamedTuple):
    state: TreeState
    body: bytes


@dataclass
class _Making:
    lock: threading.Lock = field(default_factory=threading.Lock)
    threads: int = 0


class ReleaseCache:
    """Encoded trees by their folders."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._size = 0
        self._guard = threading.Lock()
        self._making: dict[str, _Making] = {}

    @contextlib.contextmanager
    def one_at_a_time(self, path: str) -> Iterator[None]:
        """Whoever encodes a tree does it alone, and who comes next finds it made.

        When a lesson begins, all threads that read want the same; each would take memory for all of it.
        """
        with self._guard:
            making = self._making.setdefault(path, _Making())
            making.threads += 1
        try:
            with making.lock:
                yield
        finally:
            with self._guard:
                making.threads -= 1
                if not making.threads:
                    del self._making[path]

    def get(self, path: str, state: TreeState) -> bytes | None:
        """What is kept of a tree, if that is still its state."""
        with self._guard:
            kept = self._kept.get(path)
            if kept is None or kept.state != state:
                return None
            self._kept.move_to_end(path)
            return kept.body

    def keep(self, path: str, state: TreeState, body: bytes) -> None:
        """Keep a tree of which `can_be_kept` is true, encoded."""
        with self._guard:
            self._forget(path)
            self._kept[path] = _Kept(state, body)
            self._size += len(body)
            while self._size > MOST_BYTES:
                self._forget(next(iter(self._kept)))

    def _forget(self, path: str) -> None:
        kept = self._kept.pop(path, None)
        if kept is not None:
            self._size -= len(kept.body)
