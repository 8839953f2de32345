"""What makes a write survive a power cut: data before names, and a flush after each change of a folder's entries.

A write collects what it has put on the volume in `DirtySet`, and flushes it twice: the content before the rename that
publishes it, the folder after it. How that is done, see `flushers`.
"""

import contextlib
import os
from typing import Protocol

from ngshare_fs.store.errors import Interrupted


class Flusher(Protocol):
    """Brings things to the disk; one for each way is in `flushers`.

    Attributes:
        while_open: whether a new file is flushed before it is closed, and a new folder needs no flush: then they are
            not given to `flush`.
    """

    while_open: bool

    def flush(self, files: list[str], folders: list[str]) -> None:
        """Return when these files and these folders' entries are on the disk.

        Args:
            files, folders: absolute paths.

        Raises:
            OSError: they may not be. It is not tried again: the system may have dropped what it could not write.
        """

    def close(self) -> None:
        """Let go of what it holds; may be called again."""


class DirtySet:
    """What one write has put on the volume since it last flushed.

    Args:
        flusher: brings it to the disk.
    """

    def __init__(self, flusher: Flusher) -> None:
        self._flusher = flusher
        self._files: list[str] = []
        self._folders: list[str] = []

    def write_file(self, path: str, content: bytes) -> None:
        """Write a new file."""
        write_file(path, content, flush=self._flusher.while_open)
        if not self._flusher.while_open:
            self._files.append(path)

    def add_file(self, path: str) -> None:
        """A file that something else wrote."""
        self._files.append(path)

    def make_folder(self, path: str) -> None:
        """Make a new folder; whether its own entry lasts is up to `changed`."""
        os.mkdir(path)
        if not self._flusher.while_open:
            self._folders.append(path)

    def make_folder_unless_there(self, path: str) -> None:
        """Make a folder unless it is there; its parent has to be.

        The parent is flushed in either case: whoever made the folder may have died before flushing it.
        """
        with contextlib.suppress(FileExistsError):
            os.mkdir(path)
        if not self._flusher.while_open:
            self.changed(os.path.dirname(path))

    def changed(self, folder: str) -> None:
        """Something was created in a folder, or renamed into or out of it."""
        if folder not in self._folders:
            self._folders.append(folder)

    def flush_entry(self, folder: str) -> None:
        """Bring it all to the disk, after the rename that put something into a folder, or took it out.

        Raises:
            Interrupted: the folder is not there any more, for somebody moved it, and what was put there is in it.
            OSError: see `Flusher.flush`.
        """
        self.changed(folder)
        try:
            self.flush()
        except FileNotFoundError as error:
            # Not "not found": it is stored, though maybe not for good.
            raise Interrupted(f"{error.filename} was moved away while it was stored") from error

    def flush(self) -> None:
        """Bring it all to the disk.

        Raises:
            OSError: see `Flusher.flush`.
        """
        files, folders = self._files, self._folders
        if files or folders:
            self._files, self._folders = [], []
            self._flusher.flush(files, folders)


def write_file(path: str, content: bytes, *, flush: bool = False) -> None:
    """Write a new file.

    Args:
        flush: whether it is flushed, too; otherwise that is left to the caller.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        written = os.write(descriptor, content)
        while written < len(content):
            written += os.write(descriptor, memoryview(content)[written:])
        if flush:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
