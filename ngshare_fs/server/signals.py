"""What the operator asks a serving process for, by signals, or its supervisor by its end."""

import asyncio
import contextlib
import os
import signal
import threading
from dataclasses import dataclass, field

from ngshare_fs.terminal.control_signals import CONTROL_SIGNALS
from ngshare_fs.terminal.logs import LOG

# Sent to the listening thread alone, to end it.
_ENOUGH = signal.SIGUSR1


@dataclass
class Shutdown:
    """What was asked for so far.

    The signals are blocked in every thread, and one thread waits for them. So they are heard even where the event loop
    is held up, and none is lost that arrives while this process becomes another program: it waits there.

    Attributes:
        should_exit: end.
        force_exit: end without waiting for requests under way.
        restart: make room for the same program as it is now.
        is_orphaned: the supervisor is gone.
        changed: set with each of them.
    """

    should_exit: bool = False
    force_exit: bool = False
    restart: bool = False
    is_orphaned: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _listening: threading.Thread | None = None
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def listen(self, lifeline: int | None) -> None:
        """Heed signals from now on, those included that have waited; before there is any other thread.

        Args:
            lifeline: a worker's pipe that ends with the supervisor.
        """
        loop = asyncio.get_running_loop()
        # A worker hears from its supervisor only: Ctrl-C reaches every process of the terminal, and the supervisor
        # decides what it means.
        numbers = CONTROL_SIGNALS if lifeline is None else (signal.SIGTERM,)
        self._listening = threading.Thread(target=self._listen, args=(loop, numbers), name="signals", daemon=True)
        signal.pthread_sigmask(signal.SIG_BLOCK, [*CONTROL_SIGNALS, _ENOUGH])
        self._listening.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [_ENOUGH])
        if lifeline is not None:
            loop.add_reader(lifeline, self._supervisor_gone, lifeline)

    def leave_the_rest(self) -> None:
        """Leave what is sent from now on to the next program of this process. From any thread."""
        with self._guard:
            if self._listening is not None and self._listening.ident is not None and self._listening.is_alive():
                signal.pthread_kill(self._listening.ident, _ENOUGH)
                self._listening.join()

    def ask_stop(self) -> None:
        """Order a stop."""
        self.should_exit = True
        self.changed.set()

    def _listen(self, loop: asyncio.AbstractEventLoop, numbers: tuple[signal.Signals, ...]) -> None:
        had_terminal = os.isatty(0)
        while (number := signal.sigwait([*numbers, _ENOUGH])) != _ENOUGH:
            if number == signal.SIGHUP and not (had_terminal and not os.isatty(0)):
                self.restart = True
            else:
                # The terminal was closed: nobody asked for a restart, and nobody could press Ctrl-C any more.
                self.force_exit = self.force_exit or (self.should_exit and number == signal.SIGINT)
                self.should_exit = True
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self.changed.set)

    def _supervisor_gone(self, lifeline: int) -> None:
        asyncio.get_running_loop().remove_reader(lifeline)
        LOG.error("the supervisor is gone: this worker ends too")
        self.is_orphaned = True
        self.ask_stop()
