"""YAML files held in memory, and checked against the volume at each use.

An edit by hand, a restored backup or another process's write is seen at the next read. Where a file changed so recently
that a second change might leave the same fingerprint, it is read again and its bytes compared, which costs less than
parsing.
"""

import copy
import errno
import hashlib
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.yaml_text import BrokenYaml, Node
from ngshare_fs.store.errors import BrokenManifest, concerns_one_place
from ngshare_fs.store.files.estale import look_again_if_listed, retry_on_estale
from ngshare_fs.store.files.plain_file import NotPlain, read_plain
from ngshare_fs.store.reading.fingerprint import NO_FILE, FileFingerprint, fingerprint_of

logger = logging.getLogger(__name__)

# What the sources of all parsed files may add up to; in memory they take some five times as much.
CACHE_BYTES = 8 * 2**20

Meaning = TypeVar("Meaning")


@dataclass(frozen=True)
class Reading(Generic[Meaning]):
    """A file as it was understood.

    Args:
        value: what it says; where the file is broken by now, what it said before.
        fingerprint: what it was known by at the time of reading.
        problem: why the present file cannot be understood.
    """

    value: Meaning
    fingerprint: FileFingerprint
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
    # A file that was never understood is remembered by its problem alone.
    reading: Reading[Meaning] | BrokenManifest
    fingerprint: FileFingerprint
    digest: bytes
    size: int
    trusted: bool
    own: bool = False

    def found(self) -> Reading[Meaning]:
        if isinstance(self.reading, BrokenManifest):
            raise copy.copy(self.reading)
        return self.reading


class CachedYaml(Generic[Meaning]):
    """Parsed files of one kind.

    Args:
        understand: makes the typed value of a parsed mapping; raises `WrongShape`.
        remarks: what the log is to say of a file that was understood, once for each of its versions.
    """

    def __init__(
        self,
        understand: Callable[[dict[str, Node]], Meaning],
        remarks: Callable[[Meaning], Iterable[object]] = lambda _: (),
    ) -> None:
        self._understand = understand
        self._remarks = remarks
        self._entries: OrderedDict[str, _Entry[Meaning]] = OrderedDict()
        self._bytes = 0
        self._guard = threading.Lock()
        # One thread parses a file, the others wait for its result: parsing a large roster takes 0.1 s.
        self._parsing = [threading.Lock() for _ in range(16)]

    def read(self, path: str) -> Reading[Meaning]:
        """What the file says now.

        Args:
            path: absolute; by it the file is known.

        Raises:
            FileNotFoundError: it is not there (NotADirectoryError where a folder above is none).
            BrokenManifest: it cannot be read or understood, and never was.
        """
        try:
            return self._read(path)
        except FileNotFoundError:
            return look_again_if_listed(partial(self._read, path), path)

    def _read(self, path: str) -> Reading[Meaning]:
        entry = self._unchanged(path)
        if entry is None:
            with self._parsing[hash(path) % len(self._parsing)]:
                entry = self._unchanged(path) or self._read_again(path, self._entries.get(path))
        return entry.found()

    def remember(self, path: str, value: Meaning, content: bytes) -> None:
        """Take note of what this process has just written, so that it need not be parsed.

        Args:
            path: see `read`.
            value: what it says.
            content: the text that says so.

        Raises:
            FileNotFoundError: it is not there any more.
        """
        fingerprint = fingerprint_of(retry_on_estale(os.stat, path))
        self._keep(
            path,
            _Entry(Reading(value, fingerprint), fingerprint, _digest(content), len(content), trusted=False, own=True),
        )

    def wrote(self, path: str, fingerprint: FileFingerprint) -> bool:
        """Whether the file is still the one that this process wrote.

        Args:
            path: see `read`.
            fingerprint: that of the present file.
        """
        entry = self._entries.get(path)
        return entry is not None and entry.own and entry.fingerprint == fingerprint

    def serves_earlier(self, path: str) -> bool:
        """Whether the file was broken when it was last read, and what it said before goes on counting here.

        Args:
            path: see `read`; it is not looked at.
        """
        entry = self._entries.get(path)
        return entry is not None and isinstance(entry.reading, Reading) and entry.reading.problem is not None

    def _unchanged(self, path: str) -> _Entry[Meaning] | None:
        entry = self._entries.get(path)
        if entry is None or not entry.trusted:
            return None
        try:
            status = os.stat(path, follow_symlinks=False)
        except OSError as error:
            if error.errno == errno.ESTALE or concerns_one_place(error):
                return None  # what that is, reading it says
            raise
        # A plain tuple: to make a `FileFingerprint` of it takes a tenth of a list of courses.
        if (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns) != entry.fingerprint:
            return None
        # A single step of the interpreter, so no lock, which a list of courses would have to take for each of them.
        try:  # noqa: SIM105 - entering `suppress` costs more than the step
            self._entries.move_to_end(path)
        except KeyError:  # dropped just now
            pass
        return entry

    def _read_again(self, path: str, entry: _Entry[Meaning] | None) -> _Entry[Meaning]:
        started = time.time_ns()
        try:
            status, content = retry_on_estale(read_plain, path)
        except (NotPlain, PermissionError) as error:
            return self._keep(path, self._unreadable(path, entry, f"cannot be read: {error.strerror}"))
        digest = _digest(content)
        fingerprint = fingerprint_of(status)
        trusted = fingerprint.is_settled(started)
        reading: Reading[Meaning] | BrokenManifest
        if entry is not None and entry.digest == digest:
            reading = entry.reading
            if isinstance(reading, Reading):
                reading = Reading(reading.value, fingerprint, reading.problem)
        else:
            try:
                value = yaml_text.parse(content, path, self._understand)
            except BrokenYaml as error:
                logger.error("%s", error)
                reading = _broken(entry, fingerprint, BrokenManifest(error.file, error.line, error.problem))
            else:
                reading = Reading(value, fingerprint)
                for remark in self._remarks(value):
                    logger.warning("%s: %s", path, remark)
        return self._keep(
            path, _Entry(reading, fingerprint, digest, len(content), trusted, self.wrote(path, fingerprint))
        )

    def _unreadable(self, path: str, entry: _Entry[Meaning] | None, why: str) -> _Entry[Meaning]:
        digest = _digest(why.encode())
        if entry is not None and entry.digest == digest:
            return entry
        problem = BrokenManifest(path, None, why)
        logger.error("%s", problem)
        # Never trusted: whether it can be read does not hang on the file alone.
        return _Entry(_broken(entry, NO_FILE, problem), NO_FILE, digest, entry.size if entry else 0, trusted=False)

    def _keep(self, path: str, entry: _Entry[Meaning]) -> _Entry[Meaning]:
        with self._guard:
            replaced = self._entries.pop(path, None)
            self._bytes += entry.size - (replaced.size if replaced else 0)
            self._entries[path] = entry
            while self._bytes > CACHE_BYTES and len(self._entries) > 1:
                _, oldest = self._entries.popitem(last=False)
                self._bytes -= oldest.size
        return entry


def _broken(
    entry: _Entry[Meaning] | None, fingerprint: FileFingerprint, problem: BrokenManifest
) -> Reading[Meaning] | BrokenManifest:
    """A file that cannot be understood by now: what it said before, if anything, and the problem."""
    if entry is None or isinstance(entry.reading, BrokenManifest):
        return problem
    return Reading(entry.reading.value, fingerprint, problem)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()
