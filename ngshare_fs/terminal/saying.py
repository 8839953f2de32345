"""What commands print."""

from typing import TextIO

from ngshare_fs.formats.one_line import in_one_line
from ngshare_fs.terminal.progress import without_bar


def counted(number: int, what: str, plural: str = "") -> str:
    """`1 file`, `2 files`.

    Args:
        plural: of what; with an `s` where left out.
    """
    return f"{number} {what if number == 1 else plural or what + 's'}"


def say(text: str, stream: TextIO | None = None) -> None:
    """Print a line.

    Args:
        stream: instead of the standard output.
    """
    with without_bar():
        print(in_one_line(text), file=stream)
