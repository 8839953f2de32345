"""A process that changes a volume, killed at each of its steps in turn: after every call that leaves something."""

import contextlib
import errno
import itertools
import os
import shutil
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from ngshare_fs.store import StoreError, Volume
from tests.durability.system_calls import Attempt, Watch, failing
from tests.durability.which_calls import changes, leaves_something
from tests.rounds import rounds

ENDED = 17
FAILED = 18
# In the short check, every fourth step.
STRIDE = 4 // rounds(4)


@pytest.fixture
def quick_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is such a place: what is flushed after each step waits for no disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as folder:
        yield Path(folder)


def killed_at_each_step(
    template: Path, data: Path, act: Callable[[Volume], object], is_full: bool = False
) -> Iterator[int]:
    """Do something on a copy of a volume, in a process that ends after its first change, a later one, and so on.

    Args:
        template: the volume.
        data: where the copies are to be.
        act: what is done.
        is_full: whether at that change the disk has no room instead, and the process goes on as it then does.

    Yields:
        the number of the change; the copy is at `data`, with what such an end has left.
    """
    fault, wanted = (failing(errno.ENOSPC), changes) if is_full else (_end, leaves_something)
    with Watch(data) as watch:
        for step in itertools.count(1, STRIDE):
            shutil.rmtree(data, ignore_errors=True)
            shutil.copytree(template, data)
            code = _ended(data, act, watch, partial(watch.count, step, fault, wanted))
            assert code in (0, ENDED), f"step {step} ended with {code}"
            if code == 0:
                return
            yield step


def _ended(data: Path, act: Callable[[Volume], object], watch: Watch, count: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            volume = Volume.open(data)
            count()
            with contextlib.suppress(OSError, StoreError):
                act(volume)
            disturbed = watch.stop()
            volume.close()
            os._exit(ENDED if disturbed else 0)
        except BaseException:
            traceback.print_exc()
            os._exit(FAILED)
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise


def _end(attempt: Attempt) -> None:
    attempt.perform()
    os._exit(ENDED)
