"""Memory that all processes of a server share, in which each has a place of its own to count.

prometheus_client has a way for several processes, too: files in a folder, one for each process that ever was. They grow
in number with every restart, stay behind after a crash, and a full `/tmp` kills whoever writes to them (SIGBUS). This
is a file in memory without a name. A place whose process is gone goes to the next one, which counts on from there: no
counter ever goes down while one process of the server lives.
"""

import fcntl
import mmap
import os
import struct
import threading
from collections.abc import Callable, Iterator

# A record: a value, the length of its key, the key. The first with the length 0 is behind the last one.
RECORD = 256
_HEAD = struct.Struct("=dQ")
RECORDS = 4096
PLACE = RECORD * RECORDS
# Of 256 workers, each with a process that writes, twice during a restart, and their supervisor. What nobody writes to
# takes no memory.
PLACES = 1100
# The lock of the one process that does what one is enough for.
_LEADER = PLACES
_SEPARATOR = "\t"

Key = tuple[str, ...]


class NoPlace(Exception):
    """All places are taken."""


def make() -> int:
    """Make the memory: a descriptor, for all processes to inherit."""
    descriptor = os.memfd_create("metrics")
    os.ftruncate(descriptor, PLACE * PLACES)
    return descriptor


class Board:
    """A place of this process.

    The locks that say whose a place is are those of processes (`fcntl`): they end with the process, however it ends,
    and with the first close of any descriptor of this memory. So it is never closed.

    Args:
        descriptor: of `make`.
        is_volatile: whether what a key counts ends with its process.

    Raises:
        NoPlace: there is none left.
    """

    def __init__(self, descriptor: int, is_volatile: Callable[[Key], bool]) -> None:
        self._descriptor = descriptor
        self._place = self._claim()
        self._memory = mmap.mmap(descriptor, PLACE, offset=self._place * PLACE)
        self._values = memoryview(self._memory).cast("d")
        self._guard = threading.Lock()
        self._positions: dict[Key, int] = {}
        for number, (key, _) in enumerate(_records(self._memory)):
            position = self._positions[key] = number * RECORD // 8
            if is_volatile(key):
                self._values[position] = 0.0

    def add(self, amounts: dict[Key, float]) -> None:
        """Add to values."""
        with self._guard:
            for key, amount in amounts.items():
                position = self._positions.get(key)
                if position is None:
                    position = self._new(key)
                self._values[position] += amount

    def put(self, key: Key, value: float) -> None:
        """Set a value."""
        with self._guard:
            position = self._positions.get(key)
            self._values[self._new(key) if position is None else position] = value

    def all(self) -> Iterator[tuple[bool, list[tuple[Key, float]]]]:
        """What each process has counted, and whether it is still there."""
        for place in range(PLACES):
            start = place * PLACE
            content = os.pread(self._descriptor, RECORD, start)
            if _HEAD.unpack_from(content)[1]:
                content = os.pread(self._descriptor, PLACE, start)
                yield place == self._place or self._is_taken(place), list(_records(content))

    def leads(self) -> bool:
        """Whether this is the process that does what one is enough for; once it is, it stays so."""
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _LEADER)
        except OSError:
            return False
        return True

    def _claim(self) -> int:
        for place in range(PLACES):
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            except OSError:
                continue
            return place
        raise NoPlace

    def _is_taken(self, place: int) -> bool:
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except OSError:
            return True
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, place)
        return False

    def _new(self, key: Key) -> int:
        number = len(self._positions)
        name = _SEPARATOR.join(key).encode()
        if number >= RECORDS - 1 or len(name) > RECORD - _HEAD.size:
            # Nobody counts so much: what is labelled is labelled with words of our own.
            raise ValueError(f"too much is counted: {key}")
        start = number * RECORD
        # The length last: with it the record is there.
        self._memory[start + _HEAD.size : start + _HEAD.size + len(name)] = name
        self._memory[start : start + _HEAD.size] = _HEAD.pack(0.0, len(name))
        position = self._positions[key] = start // 8
        return position


def _records(content: "bytes | mmap.mmap") -> Iterator[tuple[Key, float]]:
    for start in range(0, PLACE, RECORD):
        value, length = _HEAD.unpack_from(content, start)
        if not length:
            return
        name = bytes(content[start + _HEAD.size : start + _HEAD.size + length])
        yield tuple(name.decode().split(_SEPARATOR)), value
