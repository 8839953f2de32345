"""Names that lead to something else by the time that it is used.

On a network file system, and on FUSE, a name is looked up first and what it led to is asked second. Where another
process replaces the file in between, the system says "stale file handle" (ESTALE). Linux then looks again, once; beside
somebody who replaces a file a hundred times a second, that is not enough for one reader in fifty (GlusterFS 10.3). Once
in ten thousand times, NFS says in such a moment that there is no file of that name (Linux 6.1).
"""

import contextlib
import errno
import os
from collections.abc import Callable
from typing import ParamSpec, TypeVar

# More in a row is no race any more: the volume itself is gone.
LOOKS = 20

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def retry_on_estale(
    look: Callable[Parameters, Result], *arguments: Parameters.args, **keywords: Parameters.kwargs
) -> Result:
    """Look something up by its name, again where that has come to lead to something else meanwhile.

    Args:
        look: changes nothing, for example `os.stat`. What it opens it also reads: on GlusterFS the system may forget a
            file that was replaced even where somebody has it open.

    Raises:
        OSError: what `look` raised; ESTALE where it went on.
    """
    for _ in range(LOOKS - 1):
        try:
            return look(*arguments, **keywords)
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
    return look(*arguments, **keywords)


def look_again_if_listed(look: Callable[[], Result], path: str) -> Result:
    """After a file was not found that is never removed by itself: look again, for as long as its folder has its name.

    Args:
        look: see `retry_on_estale`.
        path: of the file.

    Raises:
        FileNotFoundError: its folder does not have it, or is not there.
    """
    for _ in range(LOOKS):
        if not is_listed(path):
            break
        with contextlib.suppress(FileNotFoundError):
            return look()
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


def is_listed(path: str) -> bool:
    """Whether the folder of something has its name.

    A shared file system may answer for a single name from its memory, for a second or so; a list is read anew.
    """
    try:
        return os.path.basename(path) in os.listdir(os.path.dirname(path))
    except OSError:
        return False
