"""Waiting for what happens in its own time, in another process or a thread, but not for ever."""

import time
from collections.abc import Callable

PATIENCE = 120  # seconds; on a busy machine the start of a process takes many
# Seconds: short ones at first, for some wait for the moment at which to send a signal; later, what is waited for needs
# the processor that looking takes.
PAUSE, LATER_PAUSE, SOON = 0.001, 0.01, 0.2


def until(condition: Callable[[], object], what: str, log: Callable[[], str] = str, seconds: float = PATIENCE) -> None:
    """Wait until something holds.

    Args:
        what: is waited for, in words.
        log: what helps to understand why it did not happen; asked in the end alone.
        seconds: to wait at most.

    Raises:
        AssertionError: it did not in time; the message has both.
    """
    began = time.monotonic()
    while not condition():
        waited = time.monotonic() - began
        assert waited < seconds, f"within {seconds} s did not happen: {what}\n{log()}".rstrip()
        time.sleep(PAUSE if waited < SOON else LATER_PAUSE)
