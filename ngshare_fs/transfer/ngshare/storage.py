"""ngshare's folder of files: all beside each other, each under a random name that the database knows."""

import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ngshare_fs.transfer.ngshare import NotNgshare
from ngshare_fs.transfer.ngshare.database import Database

LOOKED_FOR = 100


class Storage:
    """The folder.

    A context manager.

    Args:
        folder: its path.

    Raises:
        NotNgshare: it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise NotNgshare(
                f"cannot read {folder}: {error.strerror}; name the folder of ngshare's --storage"
            ) from None

    def __enter__(self) -> "Storage":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def check_is_of(self, database: Database) -> None:
        """Look whether there are files of this database here: else every tree would be found to lack all of its own.

        Raises:
            NotNgshare: there are none.
        """
        names = database.some_stored_files(LOOKED_FOR)
        if names and not any(self.modified(name) is not None for name in names):
            raise NotNgshare(
                f"none of the first {len(names)} files that the database names is in {self.folder}: "
                "name the folder of ngshare's --storage"
            )

    def opener(self, name: str | None) -> Callable[[], BinaryIO]:
        """What opens a file for reading; the call raises OSError where it is missing, or no file."""

        def opened() -> BinaryIO:
            if name is None or not _is_one_name(name):
                raise FileNotFoundError(name)
            # Nothing here is a link; one that is must not lead out of the folder, nor a pipe be waited for.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            file = os.fdopen(os.open(name, flags, dir_fd=self._descriptor), "rb", buffering=0)
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                file.close()
                raise OSError("it is no ordinary file")
            return file

        return opened

    def modified(self, name: str | None) -> int | None:
        """When a file was written, in nanoseconds since 1970; None where it is not there."""
        if name is None or not _is_one_name(name):
            return None
        try:
            return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False).st_mtime_ns
        except (OSError, ValueError):
            return None

    def left_behind(self, database: Database) -> tuple[int, int]:
        """How many files belong to nothing, and their bytes: ngshare leaves those of what was deleted."""
        database.look_up_stored_files()
        files = size = 0
        with os.scandir(self._descriptor) as entries:
            for entry in entries:
                if not database.is_in_use(entry.name):
                    with contextlib.suppress(OSError):
                        size += entry.stat(follow_symlinks=False).st_size
                        files += 1
        return files, size


def _is_one_name(name: str) -> bool:
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return bool(name) and "/" not in name and "\0" not in name and name not in (".", "..")
