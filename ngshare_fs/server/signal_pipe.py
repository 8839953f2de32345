"""Signals as bytes in a pipe, to be read by whoever waits for other things as well.

asyncio has the same, but its loop lets signals act as by default again while it closes. A thread that is at work to the
very end, and takes a signal then, would end the process as if it had been killed.
"""

import contextlib
import signal
import socket
from collections.abc import Sequence

from ngshare_fs.terminal.control_signals import CONTROL_SIGNALS

_MOST_READ = 4096


class SignalPipe:
    """From now on, signals only arrive here, also those that were blocked and have waited.

    Args:
        numbers: which ones; they are unblocked.

    Attributes:
        end: readable when one has arrived.
    """

    def __init__(self, numbers: Sequence[signal.Signals]) -> None:
        self.end, self._other_end = socket.socketpair()
        for each in (self.end, self._other_end):
            each.setblocking(False)
        signal.set_wakeup_fd(self._other_end.fileno(), warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, _nothing)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)

    def received(self) -> list[signal.Signals]:
        """Those that have arrived since, in their order."""
        with contextlib.suppress(BlockingIOError):
            return [signal.Signals(number) for number in self.end.recv(_MOST_READ)]
        return []


def heed_none_any_more() -> None:
    """Ignore all signals by which a process is told to end or to start anew: it is ending, and does so in order.

    Blocked are those that come while this is told, and nothing is left for the very end, when Python lets every signal
    act as by default again for which it has a handler.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, CONTROL_SIGNALS)
    signal.set_wakeup_fd(-1)
    for number in CONTROL_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _nothing(number: int, frame: object) -> None:
    """Python calls this; without a handler the signal would act as by default and never reach the pipe."""
