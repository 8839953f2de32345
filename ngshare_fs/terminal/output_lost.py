"""Printing to a program that has stopped reading, such as `head`, to a full disk, or in a poorer encoding."""

import errno
import io
import os
import sys
from typing import Any


class OutputLost(BaseException):
    """What is printed cannot be written. No `OSError`: that would be taken for a fault of the volume.

    Args:
        problem: why, in the system's words; empty where nobody reads any more.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class _Output(io.FileIO):
    """The standard output, which tells its own failures from those of other files."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise OutputLost("" if error.errno == errno.EPIPE else str(error.strerror)) from None


def watch_output() -> None:
    """From now on, printing raises `OutputLost` where it fails, and escapes what the encoding has no character for.

    Where the output is closed, or is none of the system's, it stays as it is.
    """
    if not isinstance(sys.stdout, io.TextIOWrapper):
        return
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(_Output(sys.stdout.fileno(), "wb", closefd=False)),
        encoding=sys.stdout.encoding,
        errors="backslashreplace",
        line_buffering=sys.stdout.line_buffering or sys.stdout.write_through,
    )


def stop_printing() -> None:
    """Let what is still to be printed go nowhere, so that the interpreter can end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
