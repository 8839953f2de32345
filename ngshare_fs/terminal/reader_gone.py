"""Printing to a program that has stopped reading, such as `head`, and in an encoding that lacks a character."""

import io
import os
import sys
from typing import Any


class ReaderGone(BaseException):
    """Nobody reads what is printed. No `OSError`: that would be taken for a fault of the volume."""


class _Output(io.FileIO):
    """The standard output, which tells a reader that is gone from a disk that fails."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise ReaderGone from None


def notice_readers() -> None:
    """From now on, printing raises `ReaderGone` where nobody reads, and escapes what the encoding has no character for.

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
