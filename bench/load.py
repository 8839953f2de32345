"""The load generator: a process of its own, so that it shares neither the server's lock of the interpreter nor ours."""

import asyncio
import gc
import multiprocessing
import multiprocessing.connection
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.client import Answer, Wrong

TIMEOUT_SECONDS = 900
WRONG_AT_MOST = 20  # messages; all are counted


@dataclass
class Measured:
    """What one load gave.

    Args:
        seconds: how long it took.
        milliseconds: of each answer, by the kind of request.
        own_cpu: seconds of processor time of the generator itself.
        wrong: what was wrong with answers.
        facts: what else the load found out.
    """

    seconds: float = 0.0
    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    own_cpu: float = 0.0
    wrong: list[str] = field(default_factory=list)
    wrong_count: int = 0
    facts: dict[str, float] = field(default_factory=dict)

    def note(self, kind: str, answer: Answer) -> None:
        """Keep the time of an answer."""
        self.milliseconds.setdefault(kind, []).append(answer.milliseconds)

    def blame(self, what: str) -> None:
        """Count a wrong answer."""
        self.wrong_count += 1
        if len(self.wrong) < WRONG_AT_MOST:
            self.wrong.append(what)

    @contextmanager
    def checking(self, what: str) -> Iterator[None]:
        """Count it if what is done here finds an answer wrong."""
        try:
            yield
        except Wrong as error:
            self.blame(f"{what}: {error}")

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Measure the time, and the generator's own part of it. The collector of garbage waits until it is over."""
        gc.collect()
        gc.disable()
        started, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.seconds = time.perf_counter() - started
            self.own_cpu = time.process_time() - cpu
            gc.enable()


Load = Callable[..., Awaitable[Measured]]


def _run(pipe: multiprocessing.connection.Connection, load: Load, arguments: tuple[Any, ...]) -> None:
    async def run() -> Measured:
        return await load(*arguments)

    try:
        pipe.send(asyncio.run(run()))
    except BaseException:
        pipe.send(traceback.format_exc())


class Generator:
    """A load that is running in a process of its own.

    Args:
        load: a function of a module; its arguments must be picklable.
    """

    def __init__(self, load: Load, *arguments: Any) -> None:
        # A fresh interpreter: nothing of this process is shared with it, not even memory to be copied on writing.
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_run, args=(theirs, load, arguments), daemon=True)
        self._process.start()
        theirs.close()

    def result(self, timeout: float = TIMEOUT_SECONDS) -> Measured:
        """Wait for what it measured; the process is gone afterwards.

        Raises:
            RuntimeError: the generator failed or took too long.
        """
        try:
            said = self._ours.recv() if self._ours.poll(timeout) else f"no result within {timeout} s"
        except EOFError:
            said = "the load generator ended without a result"
        finally:
            self.stop()
        if isinstance(said, Measured):
            return said
        raise RuntimeError(said)

    def stop(self) -> None:
        """End the process, also in the middle."""
        self._process.join(1)
        self._process.kill()
        self._process.join()
        self._ours.close()


async def wait_until(moment: float) -> None:
    """Let several generators begin at one moment (`time.perf_counter`, which all processes of a machine share).

    Raises:
        RuntimeError: it has passed.
    """
    left = moment - time.perf_counter()
    if left < 0:
        raise RuntimeError(f"the load generator was ready {-left:.1f} s too late")
    await asyncio.sleep(left)


async def repeat(ask: Callable[[], Awaitable[None]], times: int, seconds: float) -> None:
    """Do something again and again, at least once: so many times, or less if that takes too long."""
    over = time.perf_counter() + seconds
    for number in range(times):
        if number and time.perf_counter() > over:
            return
        await ask()


def in_own_process(load: Load, *arguments: Any) -> Measured:
    """Run a load in a process of its own and wait for it."""
    return Generator(load, *arguments).result()
