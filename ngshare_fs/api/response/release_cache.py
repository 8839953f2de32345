"""Answers kept ready: when a lesson begins, hundreds fetch the same release.

As everything else in memory they are checked against the volume at each use: by the manifest, and by what each file is
known by. They lie in nameless files in memory, which the kernel copies into a connection by itself.
"""

import contextlib
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import FileIO
from typing import NamedTuple

from ngshare_fs.store import TreeState

# All answers that are kept, and the files of one.
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
    file: FileIO
    size: int


@dataclass
class _Making:
    lock: threading.Lock = field(default_factory=threading.Lock)
    threads: int = 0


class ReleaseCache:
    """Encoded trees by their folders. Memory or descriptors may run out: then `get` and `keep` raise OSError."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._size = 0
        self._guard = threading.Lock()
        self._making: dict[str, _Making] = {}

    @contextlib.contextmanager
    def one_at_a_time(self, path: str) -> Iterator[None]:
        """Whoever makes the answer of a tree does it alone, and who comes next finds it made.

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

    def get(self, path: str, state: TreeState) -> FileIO | None:
        """What is kept of a tree, if that is still its state: a file that the caller closes.

        Its position is everybody's, so it says nothing.
        """
        with self._guard:
            kept = self._kept.get(path)
            if kept is None or kept.state != state:
                return None
            self._kept.move_to_end(path)
            return _again(kept.file)

    def keep(self, path: str, state: TreeState, body: bytes) -> FileIO:
        """Keep an answer of which `can_be_kept` is true, and give it as `get` does."""
        file = _in_memory(body)
        try:
            again = _again(file)
        except OSError:
            file.close()
            raise
        with self._guard:
            self._forget(path)
            self._kept[path] = _Kept(state, file, len(body))
            self._size += len(body)
            while self._size > MOST_BYTES:
                self._forget(next(iter(self._kept)))
        return again

    def close(self) -> None:
        """Forget all; those who got one still have it."""
        with self._guard:
            for path in list(self._kept):
                self._forget(path)

    def _forget(self, path: str) -> None:
        kept = self._kept.pop(path, None)
        if kept is not None:
            self._size -= kept.size
            kept.file.close()


def _in_memory(body: bytes) -> FileIO:
    file = FileIO(os.memfd_create("ready answer"), "r+")
    try:
        view = memoryview(body)
        while view:
            view = view[file.write(view) :]
    except BaseException:
        file.close()
        raise
    return file


def _again(file: FileIO) -> FileIO:
    return FileIO(os.dup(file.fileno()), "r")
