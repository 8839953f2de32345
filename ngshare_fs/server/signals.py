"""What the operator asks a serving process for, by signals, or its supervisor by its end."""

import asyncio
import os
import signal

from ngshare_fs.terminal.control_signals import CONTROL_SIGNALS
from ngshare_fs.terminal.logs import LOG

NO_RESTART = (
    "SIGHUP: one process cannot replace itself, and serves on as it is. For another configuration or version stop and "
    "start it (in Kubernetes: a rolling update; behind a socket of systemd's, no request is lost meanwhile), or serve "
    "with --workers 2, whose workers are replaced one by one"
)


class Shutdown:
    """The order to stop.

    Attributes:
        asked: set once it is there.
        at_once: whether requests under way are not waited for.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.at_once = False
        self._had_terminal = os.isatty(0)

    def listen(self, lifeline: int | None) -> None:
        """Heed signals from now on, those included that were blocked and have waited.

        Args:
            lifeline: a worker's pipe that ends with the supervisor.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.ask)
        if lifeline is None:
            loop.add_signal_handler(signal.SIGINT, self._interrupt)
            loop.add_signal_handler(signal.SIGHUP, self._hang_up)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, CONTROL_SIGNALS)
        else:
            # A worker hears from its supervisor only: Ctrl-C reaches every process of the terminal, and the supervisor
            # decides what it means.
            loop.add_reader(lifeline, self._supervisor_gone, lifeline)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])

    def ask(self) -> None:
        """Order a stop."""
        self.asked.set()

    def end(self) -> None:
        """Heed no signal any more: the process is about to end, and asyncio forgets its handlers before that."""
        signal.pthread_sigmask(signal.SIG_BLOCK, CONTROL_SIGNALS)

    def _interrupt(self) -> None:
        self.at_once = self.asked.is_set()
        self.ask()

    def _hang_up(self) -> None:
        if self._had_terminal and not os.isatty(0):
            self.ask()  # the terminal was closed: nobody could press Ctrl-C any more
        else:
            LOG.warning(NO_RESTART)

    def _supervisor_gone(self, lifeline: int) -> None:
        asyncio.get_running_loop().remove_reader(lifeline)
        LOG.error("the supervisor is gone: this worker ends too")
        self.ask()
