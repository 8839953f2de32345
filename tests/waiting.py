"""Waiting for what happens in its own time, in another process or a thread, but not for ever."""

import time
from collections.abc import Callable

PATIENCE = 120  # seconds; on a busy machine the start of a process takes many
PAUSE = 0.001  # seconds; short, for some wait for the moment at which to send a signal


def until(condition: Callable[[], object], what: str, log: Callable[[], str] = str, seconds: float = PATIENCE) -> None:
    """Wait until something holds.

    Args:
        what: is waited for, in words.
        log: what helps to understand why it did not happen; asked in the end alone.
        seconds: to wait at most.

    Raises:
        AssertionError: it did not in time; the message has both.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"within {seconds} s did not happen: {what}\n{log()}".rstrip()
        time.sleep(PAUSE)
