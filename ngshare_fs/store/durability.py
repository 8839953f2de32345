"""What makes a write survive a power cut: data before names, a folder after each change of its entries."""

import contextlib
import errno
import os

# Some network file systems cannot flush a folder at all; `Volume.open` says so once. Everything else is a failed write.
_CANNOT_FLUSH_FOLDERS = (errno.EINVAL, errno.ENOTSUP)


def write_file(path: str, content: bytes) -> None:
    """Write a new file and flush it to the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        remaining = memoryview(content)
        while remaining:
            remaining = remaining[os.write(descriptor, remaining) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_file(path: str) -> None:
    """Flush a file that something else wrote."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(path: str) -> bool:
    """Flush a folder's entries: what was created in it, or renamed into or out of it.

    Returns:
        whether this file system flushes folders.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_FLUSH_FOLDERS:
            raise
        return False
    finally:
        os.close(descriptor)
    return True


def make_folder(path: str) -> None:
    """Make a folder unless it is there; its parent has to be.

    The parent is flushed in either case: whoever made the folder may have died before flushing it.
    """
    with contextlib.suppress(FileExistsError):
        os.mkdir(path)
    flush_folder(os.path.dirname(path))
