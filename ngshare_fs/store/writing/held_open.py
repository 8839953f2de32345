"""Holding a file open while it is renamed, where others would otherwise see it late: see `file_systems/renames.py`."""

import contextlib
import os
import stat
from collections.abc import Iterator


@contextlib.contextmanager
def held_open(path: str, needed: bool) -> Iterator[None]:
    """Hold a file open for writing in the meantime; a folder or a link needs nothing.

    Args:
        needed: whether the file system needs it at all.

    Raises:
        OSError: it cannot be looked at.
    """
    descriptor = None
    if needed and stat.S_ISREG(os.lstat(path).st_mode):
        with contextlib.suppress(PermissionError):  # seen late is better than not at all
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield
    finally:
        if descriptor is not None:
            with contextlib.suppress(OSError):  # nothing was written by it
                os.close(descriptor)
