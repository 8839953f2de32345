"""Ways to bring writes to the disk: one flush of the whole file system for all who wait, or each file by itself."""

import ctypes
import errno
import logging
import os
import platform
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ngshare_fs import metrics
from ngshare_fs.file_systems.mounted import file_system_of
from ngshare_fs.store.files.estale import retry_on_estale
from ngshare_fs.store.writing.durability import Flusher

logger = logging.getLogger(__name__)

# Some network file systems cannot flush a folder at all; the volume says so once. Everything else is a failed write.
_CANNOT_FLUSH_FOLDERS = (errno.EINVAL, errno.ENOTSUP)
# Flushes that wait together are shared by the disk or travel the network together.
THREADS = 32
# Of one write. Each takes 2 KiB while it waits, and there may be ten thousand.
SUBMITTED = 1024
# File systems on which a power cut was tried with `syncfs`. On others it may do nothing (FUSE), or too much.
SHARED_ON = ("ext4", "xfs")
# Where content is sent when a file is closed, and changes of folders at once.
NFS = ("nfs4", "nfs")
# Before, `syncfs` kept errors to itself.
FIRST_HONEST_LINUX = (5, 8)
# So many writes at once flush what is their own, whatever else has to be written to the disk.
FEW = 1
# Whoever shares the disk with somebody that writes gigabytes would wait for those as well.
SLOW_SECONDS = 0.5
AVOIDED_SECONDS = 60.0

_syncfs: Any = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


class EachByItself:
    """`fsync` of every file and folder, side by side."""

    while_open = False

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="flush")

    def flush(self, files: list[str], folders: list[str]) -> None:
        started = time.monotonic()
        self._flush(files, folders)
        metrics.observe("flush_duration_seconds", time.monotonic() - started, "each")

    def _flush(self, files: list[str], folders: list[str]) -> None:
        tasks: list[tuple[Callable[[str], object], str]] = [(flush_file, path) for path in files]
        tasks += [(flush_folder, path) for path in folders]
        if len(tasks) == 1:
            call, path = tasks[0]
            call(path)
            return
        errors: list[BaseException] = []
        for start in range(0, len(tasks), SUBMITTED):
            futures = [self._threads.submit(call, path) for call, path in tasks[start : start + SUBMITTED]]
            found = [future.exception() for future in futures]  # of all: nothing may be under way when this returns
            errors += [error for error in found if error is not None]
        if errors:
            raise errors[0]

    def close(self) -> None:
        self._threads.shutdown()


class WhileOpen(EachByItself):
    """For NFS: `fsync` of each new file before it is closed.

    Closing a file sends its content to the server in any case, and waits for that. To open it again by its path asks
    the server about each folder on the way, some tens of questions where nothing is cached. A new folder is on the
    server's disk when it is made, and Linux's client does nothing for `fsync` of it.
    """

    while_open = True


@dataclass
class _Round:
    """One flush of the whole file system, and those who wait for it."""

    led: bool = False
    writes: int = 0
    done: threading.Event = field(default_factory=threading.Event)
    error: OSError | None = None


class AllTogether:
    """`syncfs` for all writes that wait, also known as group commit: the more of them, the less each one costs.

    Args:
        root: a folder on the file system.
        otherwise: flushes where there are few, or the disk is busy with somebody else's writes.
    """

    while_open = False

    def __init__(self, root: str, otherwise: Flusher) -> None:
        self._path = root
        # Kept open: errors are reported to descriptors that were open when they happened.
        self._root: int | None = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._otherwise = otherwise
        self._avoided_until = 0.0
        self._under_way = 0
        self._guard = threading.Lock()
        self._disk = threading.Lock()
        self._next = _Round()

    def flush(self, files: list[str], folders: list[str]) -> None:
        with self._guard:
            self._under_way += 1
            shared = self._under_way > FEW and time.monotonic() > self._avoided_until
        try:
            if shared:
                self._flush_with_others()
            else:
                self._otherwise.flush(files, folders)
        finally:
            with self._guard:
                self._under_way -= 1

    def _flush_with_others(self) -> None:
        with self._guard:
            mine = self._next
            leads = not mine.led
            mine.led = True
            mine.writes += 1
        if leads:
            self._run(mine)
        else:
            mine.done.wait()
        if mine.error is not None:
            raise OSError(mine.error.errno, mine.error.strerror, mine.error.filename)

    def close(self) -> None:
        self._otherwise.close()
        self._let_go()

    def _run(self, mine: _Round) -> None:
        try:
            with self._disk:
                with self._guard:
                    # What is written from here on may be missed by this round: it waits for the next one.
                    self._next = _Round()
                started = time.monotonic()
                try:
                    self._sync()
                except OSError:
                    self._let_go()  # after an error the volume may be mounted anew, at the same place
                    raise
                taken = time.monotonic() - started
                metrics.observe("flush_duration_seconds", taken, "together")
                metrics.observe("flush_batch_size", mine.writes)
            if taken > SLOW_SECONDS:
                self._avoided_until = time.monotonic() + AVOIDED_SECONDS
                logger.info(
                    "flushing the volume's disk took %.1f s, somebody else writes to it: "
                    "for %.0f s each file is flushed by itself", taken, AVOIDED_SECONDS,
                )  # fmt: skip
        except OSError as error:
            mine.error = error
        except BaseException:
            # Whatever it was: nobody who waited for this round may take it for a success.
            mine.error = OSError(errno.EIO, "the flush was given up", self._path)
            raise
        finally:
            mine.done.set()

    def _let_go(self) -> None:
        if self._root is not None:
            os.close(self._root)
            self._root = None

    def _sync(self) -> None:
        if self._root is None:
            self._root = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        if not os.path.samestat(os.stat(self._path), os.fstat(self._root)):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), self._path)  # another volume was mounted there
        if _syncfs(self._root) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), self._path)
        # On an ext4 that has shut down after an error `syncfs` may report success; `fsync` does not. It costs next
        # to nothing, for there is nothing left to write.
        _flush(self._root)


def flusher_for(root: str) -> Flusher:
    """The flusher that suits the file system of a folder."""
    kind = file_system_of(root).kind
    if _syncfs and kind in SHARED_ON and _linux() >= FIRST_HONEST_LINUX:
        return AllTogether(root, EachByItself())
    return WhileOpen() if kind in NFS else EachByItself()


def flush_file(path: str) -> None:
    """Flush a file that was written before."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _flush(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(path: str) -> bool:
    """Flush a folder's entries: what was created in it, or renamed into or out of it.

    Returns:
        whether this file system flushes folders.
    """
    descriptor = retry_on_estale(os.open, path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _flush(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_FLUSH_FOLDERS:
            raise
        return False
    finally:
        os.close(descriptor)
    return True


def _flush(descriptor: int) -> None:
    os.fsync(descriptor)
    # An xfs that has shut down after an error reports success for a folder, though what was to be written is dropped;
    # it does not let anything be looked at any more.
    os.fstat(descriptor)


def _linux() -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)", platform.release())
    return (int(found[1]), int(found[2])) if found and platform.system() == "Linux" else (0, 0)
