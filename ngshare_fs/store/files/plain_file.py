"""Opening what has to be an ordinary file. A pipe would be waited for, and a link may lead out of the volume."""

import errno
import os
import stat

_KINDS = {
    stat.S_IFDIR: (errno.EISDIR, "a folder"),
    stat.S_IFLNK: (errno.ELOOP, "a symbolic link"),
    stat.S_IFIFO: (errno.EINVAL, "a named pipe"),
    stat.S_IFSOCK: (errno.EINVAL, "a socket"),
}
_DEVICE = (errno.EINVAL, "a device")


class NotPlain(OSError):
    """Something else stands where an ordinary file has to be; `strerror` says what."""


def open_plain(path: str, folder: int | None = None) -> int:
    """A descriptor of an ordinary file, for reading; the caller closes it. Nothing is waited for, no link is followed.

    Args:
        folder: a descriptor of the folder to which `path` is relative.

    Raises:
        NotPlain: it is no ordinary file.
        OSError: it cannot be opened.
    """
    try:
        # Without O_NONBLOCK, this waits until somebody writes into a pipe.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path, flags, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.ENODEV):
            # ELOOP may be about a folder above as well.
            check_plain(path, os.stat(path, dir_fd=folder, follow_symlinks=False))
        raise
    try:
        check_plain(path, os.fstat(descriptor))
    except NotPlain:
        os.close(descriptor)
        raise
    return descriptor


def read_plain(path: str) -> tuple[os.stat_result, bytes]:
    """What is known of an ordinary file, and what is in it.

    Raises:
        NotPlain, OSError: see `open_plain`.
    """
    # Unbuffered: what has to be read is read by one call, and nobody asks whether it is a terminal.
    with open(open_plain(path), "rb", buffering=0) as file:
        return os.fstat(file.fileno()), file.read()


def check_plain(path: str, status: os.stat_result) -> None:
    """Look whether a status, which does not stand for what a link leads to, is that of an ordinary file.

    Raises:
        NotPlain: it is not.
    """
    if not stat.S_ISREG(status.st_mode):
        number, kind = _KINDS.get(stat.S_IFMT(status.st_mode), _DEVICE)
        raise NotPlain(number, f"{kind}, not a file", path)
