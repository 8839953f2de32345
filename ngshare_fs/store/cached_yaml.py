"""YAML files held in memory, and checked against the volume at each use.

An edit by hand, a restored backup or another process's write is seen at the next read. A file is known by inode,
size and both times; where it changed so recently that a second change might leave the same marks (git calls such
entries racily clean), it is read again and its bytes compared, which costs less than parsing.
"""

import copy
import hashlib
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from ngshare_fs.store import yaml_text
from ngshare_fs.store.errors import BrokenManifest
from ngshare_fs.store.stale import look_again
from ngshare_fs.store.yaml_text import Node

logger = logging.getLogger(__name__)

# Coarser than any clock tick of a file system in use (FAT: 2 s; ext4: 4 ms), and room for clocks that disagree.
RACY_NANOSECONDS = 3_000_000_000
# What the sources of all parsed files may add up to; in memory they take some five times as much.
CACHE_BYTES = 8 * 2**20

Meaning = TypeVar("Meaning")


class Marks(NamedTuple):
    """What a file is known by. The change time betrays a copy that was given an old modification time."""

    inode: int
    size: int
    modified: int
    changed: int


def marks_of(status: os.stat_result) -> Marks:
    """The marks of a file; both times are in nanoseconds."""
    return Marks(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@dataclass(frozen=True)
class Reading(Generic[Meaning]):
    """A file as it was understood.

    Args:
        value: what it says; where the file is broken by now, what it said before.
        marks: what it was known by at the time of reading.
        problem: why the present file cannot be understood.
    """

    value: Meaning
    marks: Marks
    problem: BrokenManifest | None = None

    @property
    def present(self) -> Meaning:
        """What the file says now.

        Raises:
            BrokenManifest: it cannot be understood.
        """
        if self.problem is not None:
            # A copy: raised again and again, the same one would remember who ever met it.
            raise copy.copy(self.problem)
        return self.value


@dataclass
class _Entry(Generic[Meaning]):
    reading: Reading[Meaning]
    digest: bytes
    size: int
    trusted: bool
    own: bool = False


class CachedYaml(Generic[Meaning]):
    """Parsed files of one kind.

    Args:
        understand: makes the typed value of a parsed mapping; raises `WrongShape`.
    """

    def __init__(self, understand: Callable[[dict[str, Node]], Meaning]) -> None:
        self._understand = understand
        self._entries: OrderedDict[str, _Entry[Meaning]] = OrderedDict()
        self._bytes = 0
        self._guard = threading.Lock()
        # One thread parses a file, the others wait for its result: parsing a large roster takes 0.1 s.
        self._parsing = [threading.Lock() for _ in range(16)]

    def read(self, path: str) -> Reading[Meaning]:
        """What the file says now.

        Raises:
            FileNotFoundError: it is not there (NotADirectoryError where a folder above is none).
            BrokenManifest: it cannot be understood, and never was.
        """
        reading = self._unchanged(path)
        if reading is not None:
            return reading
        with self._parsing[hash(path) % len(self._parsing)]:
            return self._unchanged(path) or self._read_again(path, self._entries.get(path))

    def remember(self, path: str, value: Meaning, content: bytes) -> None:
        """Take note of what this process has just written, so that it need not be parsed."""
        reading = Reading(value, marks_of(look_again(os.stat, path)))
        self._keep(path, _Entry(reading, _digest(content), len(content), trusted=False, own=True))

    def wrote(self, path: str, marks: Marks) -> bool:
        """Whether the file is still the one that this process wrote."""
        entry = self._entries.get(path)
        return entry is not None and entry.own and entry.reading.marks == marks

    def _unchanged(self, path: str) -> Reading[Meaning] | None:
        entry = self._entries.get(path)
        if entry is None or not entry.trusted or marks_of(look_again(os.stat, path)) != entry.reading.marks:
            return None
        with self._guard:
            if path in self._entries:
                self._entries.move_to_end(path)
        return entry.reading

    def _read_again(self, path: str, entry: _Entry[Meaning] | None) -> Reading[Meaning]:
        started = time.time_ns()
        status, content = look_again(_read, path)
        digest = _digest(content)
        marks = marks_of(status)
        trusted = started - max(status.st_mtime_ns, status.st_ctime_ns) > RACY_NANOSECONDS
        if entry is not None and entry.digest == digest:
            reading = Reading(entry.reading.value, marks, entry.reading.problem)
        else:
            try:
                reading = Reading(yaml_text.parse(content, path, self._understand), marks)
            except BrokenManifest as problem:
                logger.error("%s", problem)
                if entry is None:
                    raise
                reading = Reading(entry.reading.value, marks, problem)
        own = self.wrote(path, marks)
        self._keep(path, _Entry(reading, digest, len(content), trusted, own))
        return reading

    def _keep(self, path: str, entry: _Entry[Meaning]) -> None:
        with self._guard:
            replaced = self._entries.pop(path, None)
            self._bytes += entry.size - (replaced.size if replaced else 0)
            self._entries[path] = entry
            while self._bytes > CACHE_BYTES and len(self._entries) > 1:
                _, oldest = self._entries.popitem(last=False)
                self._bytes -= oldest.size


def _read(path: str) -> tuple[os.stat_result, bytes]:
    with open(path, "rb") as file:
        return os.fstat(file.fileno()), file.read()


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()
