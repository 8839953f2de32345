"""Giving a file a name that must be free: a plain rename would replace what somebody else has put there meanwhile."""

import errno
import os

# What says that there are no links on this file system, and not that something is wrong.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS)


def rename_to_free_name(path: str, target: str) -> None:
    """Rename a file, unless there is something at the new name. Nothing is flushed.

    Raises:
        FileExistsError: there is.
    """
    try:
        os.link(path, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target) from None
        os.rename(path, target)
    else:
        os.unlink(path)
