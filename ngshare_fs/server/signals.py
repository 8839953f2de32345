"""What the operator asks a serving process for, by signals, or its supervisor by its end."""

import asyncio
import os
import signal

from ngshare_fs.server.signal_pipe import SignalPipe
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
        # A worker hears from its supervisor only: Ctrl-C reaches every process of the terminal, and the supervisor
        # decides what it means.
        pipe = SignalPipe(CONTROL_SIGNALS if lifeline is None else (signal.SIGTERM,))
        loop = asyncio.get_running_loop()
        loop.add_reader(pipe.end, self._obey, pipe)
        if lifeline is not None:
            loop.add_reader(lifeline, self._supervisor_gone, lifeline)

    def ask(self) -> None:
        """Order a stop."""
        self.asked.set()

    def _obey(self, pipe: SignalPipe) -> None:
        for number in pipe.received():
            match number:
                case signal.SIGTERM:
                    self.ask()
                case signal.SIGINT:
                    self._interrupt()
                case signal.SIGHUP:
                    self._hang_up()

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
