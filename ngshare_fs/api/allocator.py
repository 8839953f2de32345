"""The C library's memory, which Python's larger pieces come from."""

import contextlib
import ctypes

# Of `mallopt`, in glibc.
M_ARENA_MAX = -8
ARENAS = 2


def share_arenas() -> None:
    """Let all threads take their memory from a few arenas; to be called before there are threads.

    glibc gives them up to eight for each core. What is free in one serves no thread of another: in a rush, that is a
    tenth of all that the process has. Other C libraries have no such thing, and nothing happens.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)
