"""A small volume on which a verb is disturbed at each of its system calls in turn."""

import logging
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import ngshare_fs.store.volume
from ngshare_fs.store import Volume
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.writing import flushers
from ngshare_fs.store.writing.flushers import AllTogether, EachByItself, WhileOpen
from tests.durability.quick_copy import quick_copy
from tests.durability.states import Contents, State, left_by_the_server, state_of
from tests.durability.system_calls import Watch
from tests.durability.verbs import write_small_volume

# In memory where there is such a folder: a disk that others keep busy makes minutes of seconds.
MEMORY = "/dev/shm"
SWEEP_SECONDS = 60
STRIDE = 20  # in the short check, every twentieth step
MOST_WRONG = 10  # after so many, the rest says nothing new

# Gives the numbers of the calls to disturb, of so many.
Steps = Callable[[int], Iterable[int]]


def steps_for(name: str, all_of_them: bool) -> Steps:
    """All of them, until there are no more; or else a sample, which is another one for each name."""

    def some(calls: int) -> Iterable[int]:
        first = zlib.crc32(name.encode()) % max(1, min(STRIDE, calls))
        return range(1 + first, calls + 1, STRIDE)

    return (lambda _: count(1)) if all_of_them else some


WAYS_TO_FLUSH = ("by itself", "together", "while open")


def flushing(way: str) -> list[tuple[object, str, object]]:
    """What is to be set where, to flush in one of these ways, whatever disk this is.

    One flush comes after the other, so that the calls have an order.
    """
    ways = {
        "by itself": lambda root: EachByItself(),
        "together": lambda root: AllTogether(root, EachByItself()),
        "while open": lambda root: WhileOpen(),
    }
    return [(flushers, "THREADS", 1), (flushers, "FEW", 0), (ngshare_fs.store.volume, "flusher_for", ways[way])]


class Bench:
    """A small volume, to be copied for each case, and the watch over the calls."""

    def __init__(self, watch: Watch, template: Path, data: Path) -> None:
        self.watch = watch
        self.template = template
        self.data = data
        self._contents: Contents = {}
        self._verified: dict[tuple[tuple[str, str], ...], list[str]] = {}
        write_small_volume(self.template)
        self.old = state_of(self.template)

    def fresh(self) -> Path:
        """A fresh copy."""
        while self.data.exists():  # a sweep in the background may still be at work in the last one
            shutil.rmtree(self.data, ignore_errors=True)
        return quick_copy(self.template, self.data)

    def state(self) -> State:
        """What is on the copy, less what a failure may leave and what means nothing."""
        return state_of(self.data, self.template, self._contents)

    def unclean(self) -> list[str]:
        """What is wrong with the copy after a start and a stop, where there is anything that they may remove."""
        if left_by_the_server(self.data):
            Volume.open(self.data).close()
        deadline = time.monotonic() + SWEEP_SECONDS
        while (left := left_by_the_server(self.data)) and time.monotonic() < deadline:
            time.sleep(0.01)  # a sweep that takes long ends in the background
        # Most steps leave the same, of which it has the same to say.
        state = tuple(state_of(self.data, contents=self._contents).items())
        if state not in self._verified:
            self._verified[state] = [str(finding) for finding in verify_volume(self.data)]
        return left + self._verified[state]

    def check_template(self) -> None:
        """Nobody has changed a file in place: the copies share the template's."""
        assert state_of(self.template) == self.old


@contextmanager
def step_bench(folder: Path) -> Iterator[Bench]:
    """Make one, and be ready to fork.

    Args:
        folder: where the volume and its copies lie where there is no room in memory.
    """
    logging.disable()  # thousands of failures, all on purpose
    try:
        place = MEMORY if os.access(MEMORY, os.W_OK) else folder
        with tempfile.TemporaryDirectory(dir=place) as name, Watch(Path(name, "data")) as watch:
            bench = Bench(watch, Path(name, "template"), Path(name, "data"))
            yield bench
            bench.check_template()
    finally:
        logging.disable(logging.NOTSET)
