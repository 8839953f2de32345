"""Opening what has to be an ordinary file. A pipe would be waited for, and a link may lead out of the volume."""

import errno
import os
import stat
import sys

_KINDS = {
    stat.S_IFDIR: (errno.EISDIR, "a folder"),
    stat.S_IFLNK: (errno.ELOOP, "a symbolic link"),
    stat.S_IFIFO: (errno.EINVAL, "a named pipe"),
    stat.S_IFSOCK: (errno.EINVAL, "a socket"),
}
_DEVICE = (errno.EINVAL, "a device")
_PIECE = 2**20


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
    return open_and_look(path, folder)[0]


def open_and_look(path: str, folder: int | None = None) -> tuple[int, os.stat_result]:
    """The same, and what is known of the file: on a network file system each look may be a question to its server.

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
        status = os.fstat(descriptor)
        check_plain(path, status)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor, status


def read_plain(path: str) -> tuple[os.stat_result, bytes]:
    """What is known of an ordinary file, and what is in it.

    Raises:
        NotPlain, OSError: see `open_plain`.
    """
    descriptor, status = open_and_look(path)
    try:
        content = read_up_to(descriptor, status.st_size + 1)
        # More than there was a moment ago: somebody is writing it.
        return status, content if len(content) <= status.st_size else content + read_up_to(descriptor)
    finally:
        os.close(descriptor)


def read_up_to(descriptor: int, most: int = sys.maxsize) -> bytes:
    """What is in an ordinary file that is open, from where it was read last: all of it, or so many bytes.

    A file object would ask for the file's size twice more, and read once more to find its end.
    """
    pieces = []
    while most:
        wanted = min(most, _PIECE)
        pieces.append(os.read(descriptor, wanted))
        if len(pieces[-1]) < wanted:
            break
        most -= wanted
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def check_plain(path: str, status: os.stat_result) -> None:
    """Look whether a status, which does not stand for what a link leads to, is that of an ordinary file.

    Raises:
        NotPlain: it is not.
    """
    if not stat.S_ISREG(status.st_mode):
        number, kind = _KINDS.get(stat.S_IFMT(status.st_mode), _DEVICE)
        raise NotPlain(number, f"{kind}, not a file", path)
