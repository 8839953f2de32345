"""Moving files to where something may be already, which is not ours to remove."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# Before the name of a copy that is not whole yet. It begins as `replacing.SCRATCH` does, so that it is never handed in,
# and is removed a day later where a command was killed.
COPY = ".ngshare-fs-copy-"


class InTheWay(FileExistsError):
    """Where a folder is to be made stands what is not ours to remove.

    Args:
        place: where.
        what: what is there; found out, where it is not said.
    """

    def __init__(self, place: str, what: str = "") -> None:
        advice = "is in the way and stays as it is: move or rename it, and try again"
        super().__init__(errno.EEXIST, f"{what or kind_of(place)} {advice}", place)


def kind_of(place: str) -> str:
    """What is there, in words."""
    if os.path.islink(place):
        if not os.path.exists(place):
            return "a link that leads nowhere (is its disk mounted?)"
        return "a link to a folder" if os.path.isdir(place) else "a link to a file"
    if os.path.isdir(place):
        return "a folder"
    return "a file" if os.path.isfile(place) else "what is neither a file nor a folder"


def move(source: str, target: str) -> None:
    """Move a file, also from one disk to another; `target` is the old file or the new one, whole, at any moment.

    Args:
        source: the file.
        target: its new place.
    """
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with _copied_beside(source, target) as copy:
            os.replace(copy, target)
        os.unlink(source)


def move_new(source: str, target: str) -> None:
    """Move a file to where nothing is, also from one disk to another.

    Args:
        source: the file.
        target: its new place.

    Raises:
        FileExistsError: something is there; it stays.
    """
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target) from None
        if error.errno == errno.EXDEV:
            with _copied_beside(source, target) as copy:
                move_new(copy, target)
        else:  # a file system that has no links: nothing comes between this look and the renaming, one hopes
            os.rename(source, target)
            return
    os.unlink(source)


@contextmanager
def _copied_beside(source: str, target: str) -> Iterator[str]:
    copy = os.path.join(os.path.dirname(target), COPY + secrets.token_hex(8))
    try:
        shutil.copyfile(source, copy)
        yield copy
    except BaseException:
        with suppress(OSError):
            os.unlink(copy)
        raise
