"""Locks that hold between tasks, processes and pods; each is held for a read, a change and a rename, never for a body.

Inside a process an ordinary lock comes first, so that its threads never poll the file lock against each other.
The file locks are `flock`, which works on local disks, CephFS, NFSv4 and GlusterFS.

On a shared file system a lock can be lost: a machine that sleeps, or is cut off from the network, for longer than the
file server is patient comes back in the middle of a change, and somebody else may have had the lock meanwhile. Its
system tells it so by nothing but the lock's own descriptor, through which it can neither write nor read any more. So it
is written through that descriptor directly before something is renamed to its place.
"""

import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from filelock import BaseFileLock, FileLock, Timeout

from ngshare_fs import metrics
from ngshare_fs.store.errors import LockLost, LockTimeout, VolumeFailure, from_os_error
from ngshare_fs.store.writing.last_check import LastCheck

logger = logging.getLogger(__name__)

# A lock file per student and assignment would leave hundreds of thousands of files behind. Scopes share this many;
# two that meet in one file wait for each other's rename, no longer. Nobody holds two locks at once.
LOCK_FILES = 1024
POLL_SECONDS = 0.005


class _Held(threading.local):
    """The lock that a thread holds; nobody holds two."""

    scope: tuple[str, ...] = ()
    descriptor: int | None = None


class Locks:
    """The locks of one volume.

    Args:
        folder: where the lock files are; safe to delete while no server runs.
        timeout: how long to wait for a lock, in seconds.
        can_be_lost: whether the file system may give a lock to somebody else while it is held.
    """

    def __init__(self, folder: str, timeout: float = 10.0, can_be_lost: bool = False) -> None:
        self._folder = folder
        self._timeout = timeout
        self._can_be_lost = can_be_lost
        self._held = _Held()
        self._in_process = [threading.Lock() for _ in range(LOCK_FILES)]
        # Made at first use and kept: making one takes longer than locking it. Whoever uses one holds the lock above.
        self._between_processes: dict[int, FileLock] = {}

    @contextmanager
    def hold(self, *scope: str) -> Iterator[None]:
        """Hold the lock of a scope, for example `("roster", course)`.

        Raises:
            LockTimeout: somebody else held it for too long.
        """
        digest = hashlib.blake2b("\0".join(scope).encode("utf-8"), digest_size=8).digest()
        number = int.from_bytes(digest, "big") % LOCK_FILES
        asked = time.monotonic()
        if not self._in_process[number].acquire(timeout=self._timeout):
            metrics.count("lock_timeouts_total")
            raise LockTimeout(" ".join(scope))
        try:
            file_lock = self._between_processes.get(number)
            if file_lock is None:
                path = os.path.join(self._folder, f"{number:04d}.lock")
                file_lock = lock_on(path, timeout=self._timeout, on_acquired=self._note if self._can_be_lost else None)
                self._between_processes[number] = file_lock
            try:
                file_lock.acquire(poll_interval=POLL_SECONDS)
            except Timeout:
                metrics.count("lock_timeouts_total")
                raise LockTimeout(" ".join(scope)) from None
            metrics.observe("lock_wait_seconds", time.monotonic() - asked)
            self._held.scope = scope
            try:
                yield
            finally:
                descriptor, self._held.descriptor = self._held.descriptor, None
                _release(file_lock, descriptor)
        finally:
            self._in_process[number].release()

    def check_held(self) -> None:
        """Look whether the lock that this thread holds, if it holds one, has not been lost. Free on a local disk.

        From then on it holds for as long as the file server is patient, so little should come between this and the
        change.

        Raises:
            LockLost: it has.
            OSError: nobody can tell, for the volume is full or cannot be written.
        """
        if self._held.descriptor is not None:
            _check(self._held.descriptor, f"the lock of {' '.join(self._held.scope)}")

    def _note(self, descriptor: int) -> None:
        self._held.descriptor = descriptor


def lock_on(path: str, *, timeout: float = -1, on_acquired: Callable[[int], None] | None = None) -> FileLock:
    """A lock that is always `flock`, and that any thread of this process may release.

    Where `flock` is missing, filelock would put a file there that says who holds it. Whoever locks by `flock` does not
    heed that, a process with another release of filelock among them: better an error than two kinds of locks.

    Args:
        path: of the lock file.
        timeout: how long to wait for the lock, in seconds; -1 for as long as it takes.
        on_acquired: is given the lock's own descriptor each time that the lock is had.
    """
    return FileLock(path, timeout=timeout, thread_local=False, fallback_to_soft=False, on_acquired=on_acquired)


@contextmanager
def held_for_long(path: str, can_be_lost: bool) -> Iterator[LastCheck]:
    """Hold a lock that is waited for as long as it takes; gives a check whether it still holds.

    Args:
        path: of the lock file.
        can_be_lost: see `Locks`; where it cannot, the check is free.
    """
    descriptors: list[int] = []
    file_lock = lock_on(path, on_acquired=descriptors.append if can_be_lost else None)
    file_lock.acquire()

    def check() -> None:
        for descriptor in descriptors:
            _check(descriptor, f"the lock {os.path.basename(path)}")

    try:
        yield check
    finally:
        _release(file_lock, descriptors[0] if descriptors else None)


def _check(descriptor: int, lock: str) -> None:
    """Raise `LockLost` where nothing can be written through a lock's own descriptor any more."""
    try:
        os.pwrite(descriptor, b"\n", 0)
        os.fdatasync(descriptor)  # else the system would keep it to itself for now
    except OSError as error:
        if not isinstance(from_os_error(error), VolumeFailure):
            raise
        lost = f"{lock} was lost while it was held ({error.strerror})"
        logger.warning("%s: this machine did not reach the volume's file server for too long", lost)
        metrics.count("locks_lost_total")
        raise LockLost(lost) from error


def _release(file_lock: BaseFileLock, descriptor: int | None) -> None:
    try:
        file_lock.release()
    except OSError:
        if descriptor is not None:
            # On GlusterFS one that was lost can never be released. So its file is closed, by another one in its place.
            other = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            os.dup2(other, descriptor, inheritable=False)
            os.close(other)
        # filelock keeps a lock that it could not release: without another attempt, this process would have it for good.
        file_lock.release(force=True)


@contextmanager
def if_abandoned(lock_file: str) -> Iterator[bool]:
    """Hold a lock that no process, here or on another machine, holds; False where one does."""
    file_lock = lock_on(lock_file)
    try:
        file_lock.acquire(blocking=False)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        file_lock.release()
