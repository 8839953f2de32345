"""How long is waited for the exchange, in all: for a connection, for an answer, and between attempts.

Moving bytes is not waiting, unless they come one by one.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from ngshare_fs.exchange.jupyter.inside_jupyter import LONGEST_WAIT_SECONDS, this_turn

Result = TypeVar("Result")

# Where nobody wants a second attempt, the first one still takes its time.
LEAST_SECONDS = 5.0
# What comes more slowly than this is waited for.
SLOWEST_BYTES_PER_SECOND = 4096


class OutOfPatience(Exception):
    """No more is waited; what was begun goes on in its thread, and nobody looks at it any more."""


class Patience:
    """What is left of it.

    Args:
        seconds: in all; inside a Jupyter server no more than its event loop can bear.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._turn = this_turn()
        # What has moved is told by the thread that does the work; what that leaves is asked by the one that waits.
        self._lock = threading.Lock()
        self._last_move = time.monotonic()
        self.waited = 0.0

    @property
    def left(self) -> float:
        """Seconds that an attempt may still wait."""
        left = max(self._seconds, LEAST_SECONDS) - self.waited
        return left if self._turn is None else min(left, LONGEST_WAIT_SECONDS - self._turn.waited)

    def suffices(self, pause: float) -> bool:
        """Whether there may be another attempt after a pause."""
        return self.waited + pause <= self._seconds and pause <= self.left

    def pause(self, seconds: float) -> None:
        """Wait before another attempt."""
        time.sleep(seconds)
        self._spend(seconds)

    def begin_anew(self) -> None:
        """Something was achieved: the time until then does not count, but for a Jupyter server's."""
        self.waited = 0.0

    def moved(self, count: int) -> None:
        """Take note of bytes that were sent or received."""
        with self._lock:
            now = time.monotonic()
            self._spend(max(0.0, now - self._last_move - count / SLOWEST_BYTES_PER_SECOND))
            self._last_move = now

    def wait_for(self, work: Callable[[], Result]) -> Result:
        """Do what may hang.

        It is done in a thread: no limit of time that a socket has covers the resolver of names, several addresses that
        do not answer, or an answer that comes byte by byte.

        Args:
            work: may tell `moved`; bytes that it returns are told.

        Raises:
            OutOfPatience: it has hung for too long.
        """
        attempt = _Attempt(work)
        self._last_move = time.monotonic()
        threading.Thread(target=attempt.run, name="exchange", daemon=True).start()
        while not attempt.done.wait(max(0.0, self._overdue_in())):
            if self._overdue_in() <= 0 and attempt.abandon():
                self.moved(0)
                raise OutOfPatience
        if attempt.error is not None:
            self.moved(0)
            raise attempt.error
        result: Result = attempt.result
        self.moved(len(result) if isinstance(result, bytes) else 0)
        return result

    def _overdue_in(self) -> float:
        with self._lock:
            return self.left - (time.monotonic() - self._last_move)

    def _spend(self, seconds: float) -> None:
        self.waited += seconds
        if self._turn is not None:
            self._turn.waited += seconds


class _Attempt:
    """Work in a thread, whose result is thrown away where it comes too late."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._abandoned = False
        self.done = threading.Event()
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        result: Any = None
        error: BaseException | None = None
        try:
            result = self._work()
        except BaseException as raised:
            error = raised
        with self._lock:
            if not self._abandoned:
                self.result, self.error = result, error
                self.done.set()
                return
        with suppress(Exception):
            if hasattr(result, "close"):
                result.close()

    def abandon(self) -> bool:
        """Wait no more; false where it is done after all."""
        with self._lock:
            self._abandoned = not self.done.is_set()
            return self._abandoned
