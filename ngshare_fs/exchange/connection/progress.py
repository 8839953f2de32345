"""A progress bar for what takes long, where somebody watches."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# What is smaller is over before anybody has read the bar.
SMALLEST = 8 * 2**20


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], object]]:
    """Show how far a transfer has come; gives a function to be told of each piece.

    Args:
        what: the verb before the bar.
        total: bytes; None where nobody knows, but it may take long.
    """
    try:
        from tqdm import tqdm
    except ImportError:
        tqdm = None  # a transfer must not fail for want of its picture
    if tqdm is None or (total is not None and total < SMALLEST) or not sys.stderr.isatty():
        yield lambda count: None
        return
    with tqdm(total=total, desc=what, unit="B", unit_scale=True, leave=False) as bar:
        yield bar.update
