"""Locks that hold between tasks, processes and pods; each is held for a read, a change and a rename, never for a body.

Inside a process an ordinary lock comes first, so that its threads never poll the file lock against each other.
The file locks are `flock`, which works on local disks, CephFS, NFSv4 and GlusterFS.
"""

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import BaseFileLock, FileLock, Timeout

from ngshare_fs import metrics
from ngshare_fs.store.errors import LockTimeout

# A lock file per student and assignment would leave hundreds of thousands of files behind. Scopes share this many;
# two that meet in one file wait for each other's rename, no longer. Nobody holds two locks at once.
LOCK_FILES = 1024
POLL_SECONDS = 0.005


class Locks:
    """The locks of one volume.

    Args:
        folder: where the lock files are; safe to delete while no server runs.
        timeout: how long to wait for a lock, in seconds.
    """

    def __init__(self, folder: str, timeout: float = 10.0) -> None:
        self._folder = folder
        self._timeout = timeout
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
                file_lock = lock_on(path, timeout=self._timeout)
                self._between_processes[number] = file_lock
            try:
                file_lock.acquire(poll_interval=POLL_SECONDS)
            except Timeout:
                metrics.count("lock_timeouts_total")
                raise LockTimeout(" ".join(scope)) from None
            metrics.observe("lock_wait_seconds", time.monotonic() - asked)
            try:
                yield
            finally:
                _release(file_lock)
        finally:
            self._in_process[number].release()


def lock_on(path: str, *, timeout: float = -1) -> FileLock:
    """A lock that is always `flock`, and that any thread of this process may release.

    Where `flock` is missing, filelock would put a file there that says who holds it. Whoever locks by `flock` does not
    heed that, a process with another release of filelock among them: better an error than two kinds of locks.

    Args:
        path: of the lock file.
        timeout: how long to wait for the lock, in seconds; -1 for as long as it takes.
    """
    return FileLock(path, timeout=timeout, thread_local=False, fallback_to_soft=False)


def _release(file_lock: BaseFileLock) -> None:
    try:
        file_lock.release()
    except OSError:
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
