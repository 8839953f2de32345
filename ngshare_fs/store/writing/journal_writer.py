"""Writes lines to the journal: at once, but for the flush, which comes within a second for all that were written.

No lock is needed. A line is one `write` to a file opened with `O_APPEND`, and each running system has its own file:
within one system the kernel puts lines of all processes one behind the other, but two clients of a network file system
may each think that the file ends at the same place, and write over each other.

A write may wait for the disk, as where ext4 commits. So one thread writes what all have to say, and the others do not
wait for it: in a rush, they would stand in a queue here instead of sharing flushes.
"""

import contextlib
import errno
import hashlib
import logging
import os
import secrets
import threading
from collections import deque

from ngshare_fs.store.format import journal_file, layout
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.writing.flushers import flush_folder

logger = logging.getLogger(__name__)

# What a power cut may take of the journal.
FLUSH_SECONDS = 1.0
# Lines that wait to be written; where the disk hangs, the oldest are dropped.
MOST_WAITING = 100_000

_OPEN = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_BOOT = "/proc/sys/kernel/random/boot_id"


class JournalWriter:
    """The journal of a volume, as this process writes it. Nothing here ever fails: what cannot be written is logged.

    Args:
        root: the volume's folder.

    Attributes:
        is_on: whether anything is written.
    """

    def __init__(self, root: str) -> None:
        self.is_on = True
        self._root = root
        self._boot = _boot_id()
        # Kept open between two flushes: a line is then one system call.
        self._open: dict[str, int] = {}
        self._changed_folders: dict[str, None] = {}
        self._waiting: deque[tuple[str, Timestamp, bytes]] = deque(maxlen=MOST_WAITING)
        self._missing = 0
        self._guard = threading.Lock()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._has_something = threading.Event()
        self._closing = threading.Event()

    def write(self, place: str, moment: Timestamp, line: bytes) -> None:
        """Write a line, or leave it to the thread that is just writing. Then it outlives this process.

        Args:
            place: the folder, below the volume's.
            moment: what decides in which file.
        """
        if self.is_on:
            self._waiting.append((place, moment, line))
            # Whoever finds the guard taken leaves the line to its holder, who looks once more after giving it back.
            while self._waiting and self._guard.acquire(blocking=False):
                try:
                    self._write_waiting()
                finally:
                    self._guard.release()
            self._see_to_flush()

    def write_later(self, place: str, moment: Timestamp, line: bytes) -> None:
        """The same with the next line or flush: who only reads does not wait for the disk."""
        if self.is_on:
            self._waiting.append((place, moment, line))
            self._see_to_flush()

    def flush(self) -> None:
        """Write what waits, and bring all lines to the disk."""
        with self._guard:
            self._write_waiting()
            files, self._open = self._open, {}
            folders, self._changed_folders = self._changed_folders, {}
        for path, descriptor in files.items():
            try:
                os.fsync(descriptor)
            except OSError as error:
                self._miss(error, path)
            finally:
                _close(descriptor)
        for folder in folders:
            try:
                flush_folder(folder)
            except OSError as error:
                self._miss(error, folder)

    def close(self) -> None:
        """Flush; nothing may be written afterwards."""
        self._closing.set()
        self._has_something.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()

    def _see_to_flush(self) -> None:
        if self._has_something.is_set():
            return
        self._has_something.set()
        with self._starting:
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._flush_each_second, name="journal", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:  # there can be no more threads just now
                    self._thread = None
                    self._has_something.clear()

    def _flush_each_second(self) -> None:
        while not self._closing.is_set():
            self._has_something.wait()
            self._closing.wait(FLUSH_SECONDS)
            self._has_something.clear()
            self.flush()

    def _write_waiting(self) -> None:
        found: dict[tuple[str, str], list[tuple[Timestamp, bytes]]] = {}
        while self._waiting:
            place, moment, line = self._waiting.popleft()
            found.setdefault((place, moment[:7]), []).append((moment, line))
        for (place, _), lines in found.items():
            self._append(place, lines[0][0], b"".join(line for _, line in lines), len(lines))

    def _append(self, place: str, moment: Timestamp, lines: bytes, number: int) -> None:
        path = os.path.join(self._root, place, moment[:7])  # the same for all lines of a month
        descriptor = self._open.get(path)
        try:
            if descriptor is None:
                descriptor = self._open[path] = self._opened(place, moment)
                if _is_torn(descriptor):
                    lines = b"\n" + lines
            if os.write(descriptor, lines) < len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        except OSError as error:
            # Opened anew for the next line, which then sees where the file ends.
            descriptor = self._open.pop(path, None)
            if descriptor is not None:
                _close(descriptor)
            self._miss(error, path, number)
        else:
            if self._missing:
                logger.warning("the journal is written again; %d lines are missing in it", self._missing)
                self._missing = 0

    def _opened(self, place: str, moment: Timestamp) -> int:
        folder = os.path.join(self._root, place)
        path = os.path.join(folder, journal_file.file_name(moment, self._system()))
        for last in (False, False, True):
            try:
                descriptor = os.open(path, _OPEN, 0o666)
                break
            except FileNotFoundError:
                if last:
                    raise
                self._make(place)  # and somebody who renames the course may move it away before it is used
        if os.fstat(descriptor).st_size == 0:
            self._changed_folders[folder] = None
        return descriptor

    def _make(self, place: str) -> None:
        # Where the volume was unmounted, nothing is made in the folder that is left.
        os.stat(os.path.join(self._root, layout.VOLUME_FILE))
        folder = self._root
        for part in place.split(os.sep):
            below = os.path.join(folder, part)
            try:
                os.mkdir(below)
            except FileExistsError:
                pass
            else:
                self._changed_folders[folder] = None
            folder = below

    def _system(self) -> str:
        """What tells this running system from others that share the volume, and one mount of it from another.

        The user, too: a file that a command has made as somebody else may be closed to the server.
        """
        writer = f"{self._boot} {os.stat(self._root).st_dev} {os.geteuid()}"
        return hashlib.blake2b(writer.encode(), digest_size=4).hexdigest()

    def _miss(self, error: OSError, path: str, lines: int = 1) -> None:
        was_well = self._missing == 0
        self._missing += lines
        if was_well:
            place = os.path.relpath(path, self._root)
            logger.error("the journal cannot be written, lines will be missing in it: %s: %s", place, error.strerror)


def _close(descriptor: int) -> None:
    # Where a machine was cut off from CephFS, that fails, too; what is lost by it was told by the flush or the write.
    with contextlib.suppress(OSError):
        os.close(descriptor)


def _is_torn(descriptor: int) -> bool:
    """Whether a file ends in the middle of a line: somebody was cut off there."""
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def _boot_id() -> str:
    """What the kernel calls itself, from its start to its end, whatever containers it runs."""
    try:
        with open(_BOOT, encoding="ascii") as file:
            return file.read().strip()
    except (OSError, ValueError):
        return secrets.token_hex(16)
