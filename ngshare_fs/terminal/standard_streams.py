"""Standard input, output and error, where a process was started without them."""

import os
import sys

LAST = 2


def open_standard_streams() -> None:
    """Have the null device where one is closed.

    Otherwise a socket or a file of ours would get its number, and whatever writes there would write into that.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= LAST:
        pass
    os.close(descriptor)
    sys.stderr = sys.stderr or os.fdopen(LAST, "w", closefd=False)
