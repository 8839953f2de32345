"""A small volume on which a verb is disturbed at each of its system calls in turn."""

import gc
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
from tests.durability.states import State, left_by_the_server, state_of
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


def flushing(way: str) -> list[tuple[object, str, object]]:
    """What is to be set where, to flush "by itself", "together" or "while open", whatever disk this is.

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

    def __init__(self, folder: Path, watch: Watch, data: Path) -> None:
        self.watch = watch
        self.template = folder / "template"
        self.data = data
        write_small_volume(self.template)
        self.old = state_of(self.template)

    def fresh(self) -> Path:
        """A fresh copy."""
        while self.data.exists():  # a sweep in the background may still be at work in the last one
            shutil.rmtree(self.data, ignore_errors=True)
        return Path(shutil.copytree(self.template, self.data))

    def state(self) -> State:
        """What is on the copy, less what a failure may leave and what means nothing."""
        return state_of(self.data, self.template)

    def unclean(self) -> list[str]:
        """What is wrong with the copy after a start and a stop."""
        Volume.open(self.data).close()
        deadline = time.monotonic() + SWEEP_SECONDS
        while (left := left_by_the_server(self.data)) and time.monotonic() < deadline:
            time.sleep(0.01)  # a sweep that takes long ends in the background
        return left + [str(finding) for finding in verify_volume(self.data)]


@contextmanager
def step_bench(folder: Path) -> Iterator[Bench]:
    """Make one, and be ready to fork.

    Args:
        folder: where the volume is written; its copies lie in memory where there is room.
    """
    logging.disable()  # thousands of failures, all on purpose
    try:
        place = MEMORY if os.access(MEMORY, os.W_OK) else folder
        with tempfile.TemporaryDirectory(dir=place) as copies, Watch(Path(copies, "data")) as watch:
            yield Bench(folder, watch, Path(copies, "data"))
    finally:
        logging.disable(logging.NOTSET)
        gc.collect()  # an application for each step: a gigabyte in the end, which each fork would copy
