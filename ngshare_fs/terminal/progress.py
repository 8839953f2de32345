"""A progress bar for what takes long, where somebody watches."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

# What is smaller is over before anybody has read the bar.
SMALLEST_BYTES = 8 * 2**20
_shown: "list[tqdm[Any]]" = []


@contextmanager
def progress(what: str, total: int | Callable[[], int] | None, unit: str = "") -> Iterator[Callable[[int], object]]:
    """Show on the standard error how far something has come; gives a function to be told of each piece.

    Args:
        what: the verb before the bar.
        total: steps, or bytes; what counts them where there is a bar; None where nobody knows, but it may take long.
        unit: what the steps are, in the plural; empty for bytes.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda count: None
        return
    if callable(total):
        total = total()
    if not unit and total is not None and total < SMALLEST_BYTES:
        yield lambda count: None
        return
    # Imported for bars alone: it takes as long as handing in small work does.
    from tqdm import tqdm

    shown_as = {"unit": f" {unit}"} if unit else {"unit": "B", "unit_scale": True}
    with tqdm(total=total, desc=what, leave=False, **shown_as) as bar:
        _shown.append(bar)
        try:
            yield bar.update
        finally:
            _shown.remove(bar)


def without_bar() -> AbstractContextManager[None]:
    """Take the bar away, if there is one, while a line is printed: on a terminal it would stand behind the bar."""
    return _shown[-1].external_write_mode() if _shown else nullcontext()
