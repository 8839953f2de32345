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
READY_SECONDS = 120
BEGIN_SECONDS = 0.1  # so that all have heard of it
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


READY = "ready"
# In a generator: the way to who started it.
_parent: "multiprocessing.connection.Connection[Any, Any] | None" = None


def _run(pipe: "multiprocessing.connection.Connection[Any, Any]", load: Load, arguments: tuple[Any, ...]) -> None:
    global _parent
    _parent = pipe

    async def run() -> Measured:
        return await load(*arguments)

    try:
        pipe.send(asyncio.run(run()))
    except BaseException:
        pipe.send(traceback.format_exc())


async def begin_together() -> float:
    """Say that everything is prepared, and wait for the others; gives the moment (`time.perf_counter`) of the begin.

    Of use only in loads that `start_together` is called for.
    """
    assert _parent is not None
    _parent.send(READY)
    begin: float = _parent.recv()
    await asyncio.sleep(begin - time.perf_counter())
    return begin


class Generator:
    """A load that is running in a process of its own.

    Args:
        load: a function of a module; its arguments must be picklable.
    """

    def __init__(self, load: Load, *arguments: Any) -> None:
        # A fresh interpreter: nothing of this process is shared with it, not even memory to be copied on writing.
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(theirs, load, arguments), daemon=True)
        self._process.start()
        theirs.close()

    def wait_until_ready(self) -> None:
        """Wait until the load says so.

        Raises:
            RuntimeError: the generator failed or took too long.
        """
        said = self._said(READY_SECONDS)
        if said != READY:
            raise RuntimeError(said)

    def begin(self, moment: float) -> None:
        """Let it begin at this moment (`time.perf_counter`, which all processes of a machine share)."""
        self._ours.send(moment)

    def result(self, timeout: float = TIMEOUT_SECONDS) -> Measured:
        """Wait for what it measured.

        Raises:
            RuntimeError: the generator failed or took too long.
        """
        said = self._said(timeout)
        if isinstance(said, Measured):
            return said
        raise RuntimeError(said)

    def stop(self) -> None:
        """End the process, also in the middle."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self._ours.close()

    def _said(self, timeout: float) -> Any:
        try:
            return self._ours.recv() if self._ours.poll(timeout) else f"no word within {timeout} s"
        except EOFError:
            return "the load generator ended without a word"


def in_own_process(load: Load, *arguments: Any) -> Measured:
    """Run a load in a process of its own and wait for it."""
    generator = Generator(load, *arguments)
    try:
        return generator.result()
    finally:
        generator.stop()


def in_own_processes(*loads: tuple[Any, ...]) -> list[Measured]:
    """Run several, each given as its function and arguments, from one moment on: see `begin_together`."""
    generators: list[Generator] = []
    try:
        for load in loads:
            generators.append(Generator(*load))
        for generator in generators:
            generator.wait_until_ready()
        begin = time.perf_counter() + BEGIN_SECONDS
        for generator in generators:
            generator.begin(begin)
        return [generator.result() for generator in generators]
    finally:
        for generator in generators:
            generator.stop()


async def repeat(ask: Callable[[], Awaitable[None]], times: int, seconds: float) -> None:
    """Do something again and again, at least once: so many times, or less if that takes too long."""
    over = time.perf_counter() + seconds
    for number in range(times):
        if number and time.perf_counter() > over:
            return
        await ask()
