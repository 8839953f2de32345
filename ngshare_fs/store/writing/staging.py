"""Where uploads grow before they are published, and how the left-overs of dead processes are swept.

Each process stages in a folder of its own and holds a lock of the same name for as long as it lives. Whoever can
take that lock knows that the process is gone, on this machine or on another one, and may remove its folder.
"""

import contextlib
import logging
import os
import secrets
import shutil
import threading
from collections.abc import Iterator

from filelock import FileLock

from ngshare_fs.store.errors import VolumeFailure
from ngshare_fs.store.files.estale import is_listed
from ngshare_fs.store.writing.locks import if_abandoned, lock_on

logger = logging.getLogger(__name__)

# A few left-overs are gone before the first request; many are removed while requests are served.
SWEEP_WAIT_SECONDS = 0.2


class Staging:
    """The staging folder of this process.

    Args:
        folder: the staging folder of the volume.
        locks: the folder of the lock files.
    """

    def __init__(self, folder: str, locks: str) -> None:
        self._all = folder
        self._locks = locks
        self._making = threading.Lock()
        self._left: list[str] = []
        self._own = ""
        self._own_lock: FileLock | None = None

    def begin(self) -> None:
        """Make the folder. Who only reads the volume leaves it out.

        Raises:
            OSError: it cannot be made.
        """
        self._make_own()

    @property
    def name(self) -> str:
        """By what name its folder and its lock are known to others."""
        return os.path.basename(self._own)

    def new_folder(self) -> str:
        """Make an empty folder that nobody else uses."""
        path = self.new_path()
        os.mkdir(path)
        return path

    def new_path(self) -> str:
        """A path for a file or folder that nobody else uses."""
        if self._left:
            self._try_again()
        if not os.path.isdir(self._own):
            self._make_another()
        return os.path.join(self._own, secrets.token_hex(8))

    @contextlib.contextmanager
    def place(self) -> Iterator[str]:
        """A path for a file or folder that is about to be written and renamed away; on failure it is removed.

        Raises:
            VolumeFailure: somebody else removed it.
        """
        path = self.new_path()
        try:
            with still_there(path):
                yield path
        except BaseException:
            self.remove(path)
            raise

    def remove(self, path: str) -> None:
        """Remove something of ours, now or, where no more files may be open, or the disk fails, with a later write."""
        shutil.rmtree(path, ignore_errors=True)
        if os.path.lexists(path):
            try:
                os.unlink(path)  # a file
            except OSError:
                self._left.append(path)

    def sweep(self) -> None:
        """Remove what dead processes left behind; what takes long is finished in the background."""
        sweeper = threading.Thread(target=self._sweep, name="sweep staging", daemon=True)
        try:
            sweeper.start()
        except RuntimeError:  # there can be no more threads
            self._sweep()
        else:
            sweeper.join(SWEEP_WAIT_SECONDS)

    def close(self) -> None:
        """Remove the folder and let go of the lock."""
        if self._own_lock is not None:
            shutil.rmtree(self._own, ignore_errors=True)
            _give_up(self._own_lock)

    def _try_again(self) -> None:
        with contextlib.suppress(IndexError):  # somebody else has taken the last one
            self.remove(self._left.pop(0))

    def _make_own(self) -> None:
        name = f"process-{secrets.token_hex(8)}"
        lock = lock_on(self._lock_file(name))
        lock.acquire()
        own = os.path.join(self._all, name)
        try:
            os.mkdir(own)
        except BaseException:
            _give_up(lock)
            raise
        self._own, self._own_lock = own, lock

    def _make_another(self) -> None:
        """Make another folder where somebody tidied up by hand, or swept this one because its lock was lost."""
        with self._making:
            if os.path.isdir(self._own):
                return
            # No more than that: the volume may be unmounted.
            with contextlib.suppress(FileExistsError):
                os.mkdir(self._all)
            lock = self._own_lock
            self._make_own()
            if lock is not None:
                _give_up(lock)

    def _lock_file(self, name: str) -> str:
        return os.path.join(self._locks, f"{name}.lock")

    def _sweep(self) -> None:
        try:
            with os.scandir(self._all) as entries:
                names = [entry.name for entry in entries]
            with os.scandir(self._locks) as entries:
                names += [entry.name[: -len(".lock")] for entry in entries if entry.name.startswith("process-")]
        except OSError as error:
            logger.warning("could not sweep %s: %s", self._all, error)
            return
        for name in dict.fromkeys(names):
            try:
                self._sweep_one(name)
            except OSError as error:
                logger.warning("could not sweep %s: %s", os.path.join(self._all, name), error)

    def _sweep_one(self, name: str) -> None:
        lock_file = self._lock_file(name)
        # Held to the end: a process that is just starting under this name waits, finds its lock file gone, and makes
        # another one. Otherwise its new folder could be taken for a left-over.
        with if_abandoned(lock_file) as abandoned:
            if not abandoned:
                return
            path = os.path.join(self._all, name)
            if os.path.isdir(path):
                # Away from its name first, the folder and then each thing in it. On a shared volume a lock can be lost
                # while its holder lives on: whatever that one publishes afterwards must fail as a whole, and not be a
                # tree that is half removed. Its machine may remember the folder's way for a second (GlusterFS), so
                # it is the name of each thing in it that decides who of the two has it.
                aside = self.new_path()
                os.rename(path, aside)
                for entry in os.listdir(aside):
                    left = self.new_path()
                    with contextlib.suppress(FileNotFoundError):
                        os.rename(os.path.join(aside, entry), left)
                        self.remove(left)
                self.remove(aside)
                logger.info("swept %s, left behind by a process that died", path)
            else:
                with contextlib.suppress(OSError):
                    os.unlink(path)
            with contextlib.suppress(OSError):
                os.unlink(lock_file)


@contextlib.contextmanager
def still_there(path: str) -> Iterator[None]:
    """Where something is missing, look whether it is what was staged: a failure, and no news of courses or assignments.

    Raises:
        VolumeFailure: it is.
    """
    try:
        yield
    except FileNotFoundError as error:
        if is_listed(path):
            raise
        raise VolumeFailure(f"{error.filename} was removed while it was written") from error


def _give_up(lock: FileLock) -> None:
    with contextlib.suppress(OSError):
        os.unlink(lock.lock_file)
    with contextlib.suppress(OSError):
        lock.release(force=True)
