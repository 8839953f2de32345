"""Work in the background that leaves most of the time to requests: after each piece of it comes a rest."""

import threading
import time


class Stopped(Exception):
    """The process is about to end."""


class Rests:
    """Called between pieces of work, it rests for as long as they have taken, times a factor.

    Args:
        stopping: set when the process is about to end.
        rest_per_second: so many seconds for each second of work.
        least_work: less than so many seconds are not worth a rest yet.
    """

    def __init__(self, stopping: threading.Event, rest_per_second: float, least_work: float = 0.0) -> None:
        self._stopping = stopping
        self._rest_per_second = rest_per_second
        self._least_work = least_work
        self._rested = time.monotonic()

    def __call__(self) -> None:
        """Rest, if it is time for that.

        Raises:
            Stopped: the process is about to end.
        """
        worked = time.monotonic() - self._rested
        if worked < self._least_work:
            return
        if self._stopping.wait(worked * self._rest_per_second):
            raise Stopped
        self._rested = time.monotonic()
