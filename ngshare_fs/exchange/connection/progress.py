"""A progress bar for what takes long, where somebody watches."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

# What is smaller is over before anybody has read the bar.
SMALLEST = 8 * 2**20


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], object]]:
    """Show how far a transfer has come; gives a function to be told of each piece.

    Args:
        what: the verb before the bar.
        total: bytes; None where nobody knows, but it may take long.
    """
    bar_of = None if (total is not None and total < SMALLEST) or not sys.stderr.isatty() else _tqdm()
    if bar_of is None:
        yield lambda count: None
        return
    with bar_of(total=total, desc=what, unit="B", unit_scale=True, leave=False) as bar:
        yield bar.update


def _tqdm() -> Any:
    """What makes bars, imported for those alone: it takes as long as handing in small work does."""
    try:
        from tqdm import tqdm
    except ImportError:
        return None  # a transfer must not fail for want of its picture
    return tqdm
