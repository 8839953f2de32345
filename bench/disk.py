"""What the disk can do at the moment: flushes swing tenfold with the neighbours' use of it."""

import os
import statistics
import time
from pathlib import Path

PROBES = 15
SIZE = 100 * 2**10


def flush_milliseconds(folder: Path) -> float:
    """The median time to write 100 KiB and flush them."""
    found = []
    content = os.urandom(SIZE)
    for _ in range(PROBES):
        started = time.perf_counter()
        descriptor = os.open(folder / "flush-probe", os.O_WRONLY | os.O_CREAT)
        try:
            os.write(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
            os.unlink(folder / "flush-probe")
        found.append(1000 * (time.perf_counter() - started))
    return statistics.median(found)
