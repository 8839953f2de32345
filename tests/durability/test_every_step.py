"""A fault at each system call of each verb in turn: no space, a failing disk, a refusal, and the end of the process.

First a verb runs undisturbed: that gives the state after it. Then it runs again and again on a fresh copy of a small
volume, disturbed at its first call, its second, and so on until it makes no more. Each time the volume has the state
before or the state after, wholly, and nothing else but what lies in staging and is swept at the next start.

What is answered: 200 only where the new state is there and every flush has succeeded. An error otherwise; where the
fault comes after the rename that publishes (the last flush fails), the answer is an error although the new state is
there, for nobody knows whether it would outlive a power cut.
"""

import asyncio
import contextlib
import errno
import gc
import itertools
import logging
import os
import select
import shutil
import signal
import tempfile
import time
import traceback
import warnings
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from ngshare_fs.server.application import make_application
from ngshare_fs.settings import read_settings
from ngshare_fs.store import StoreError, Volume
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.writing import flushers
from ngshare_fs.store.writing.flushers import AllTogether, EachByItself, WhileOpen
from tests.conftest import Answer, Exchange
from tests.durability.states import State, difference, left_by_the_server, state_of
from tests.durability.system_calls import (
    FLUSHES,
    Attempt,
    SystemCall,
    Wanted,
    Watch,
    anything,
    changes,
    failing,
    locks,
    of_kind,
    writes,
)
from tests.durability.verbs import OF_DATES, VERBS, Verb, write_small_volume

pytestmark = pytest.mark.durability

PATIENCE = 60
SWEEP_SECONDS = 60
STRIDE = 20  # in the short check, every twentieth step
MOST_WRONG = 10  # after so many, the rest says nothing new
# What the API promises for each error, and the calls that are tried with it: those that only read fail in one way.
ERRORS = {
    "ENOSPC": (errno.ENOSPC, 507, changes),
    "EIO": (errno.EIO, 503, anything),
    "EACCES": (errno.EACCES, 503, changes),
    # What a volume says that is mounted without locks: nothing may then be written as if it had some.
    "ENOSYS": (errno.ENOSYS, 503, locks),
}

# Gives the numbers of the calls to disturb, of so many.
Steps = Callable[[int], Iterable[int]]


def each_verb_with(
    names: tuple[str, ...], ways: Sequence[tuple[Any, ...]], verbs: Mapping[str, Verb] = VERBS
) -> pytest.MarkDecorator:
    """Each verb in each of these ways, in the short check in every other one; the first of a way is how to flush."""
    return pytest.mark.parametrize(
        ("verb", *names),
        [
            pytest.param(
                verb,
                *way,
                id="-".join([*(getattr(part, "__name__", part) for part in way), name]),
                marks=pytest.mark.long if (number + place) % 2 else (),
            )
            for number, (name, verb) in enumerate(verbs.items())
            for place, way in enumerate(ways)
        ],
        indirect=["flushing"],
    )


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


@pytest.fixture
def flushing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way to flush, whatever disk this is; one flush after the other, so that the calls have an order."""
    monkeypatch.setattr(flushers, "THREADS", 1)
    monkeypatch.setattr(flushers, "FEW", 0)
    chosen = {
        "by itself": lambda root: EachByItself(),
        "together": lambda root: AllTogether(root, EachByItself()),
        "while open": lambda root: WhileOpen(),
    }
    monkeypatch.setattr("ngshare_fs.store.volume.flusher_for", chosen[request.param])


@pytest.fixture
def bench(tmp_path: Path, flushing: None) -> Iterator[Bench]:
    # In memory where there is such a folder: a disk that others keep busy makes minutes of seconds.
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) else tmp_path
    gc.freeze()  # a fork copies what the collector of its child would touch
    logging.disable()  # thousands of failures, all on purpose
    try:
        with tempfile.TemporaryDirectory(dir=place) as folder, Watch(Path(folder, "data")) as watch:
            yield Bench(tmp_path, watch, Path(folder, "data"))
    finally:
        logging.disable(logging.NOTSET)
        gc.unfreeze()


@contextlib.asynccontextmanager
async def serving(data: Path) -> AsyncIterator[Exchange]:
    """A server in this process, on a volume that is opened for it."""
    flags: dict[str, str | list[str] | bool] = {"standalone": True, "data": str(data), "admins": "root"}
    volume = Volume.open(data)
    # Its lines are written by a thread of its own, at any moment, and fail nobody: see `test_journal.py`.
    volume.journal.is_on = False
    try:
        async with TestClient(TestServer(make_application(volume, read_settings(flags, {})))) as client:
            yield Exchange(client, volume, data)
    finally:
        volume.close()


async def ask(exchange: Exchange, verb: Verb) -> Answer:
    """Send the request of a verb."""
    return await asyncio.wait_for(exchange.call(*verb.request, verb.user, **verb.fields), PATIENCE)


async def undisturbed(bench: Bench, verb: Verb) -> tuple[State, list[SystemCall]]:
    """The state after a verb, and the calls that it takes."""
    async with serving(bench.fresh()) as exchange:
        bench.watch.count()
        answer = await ask(exchange, verb)
        bench.watch.stop()
        assert answer.status == 200, answer
        assert exchange.left_in_staging() == []
    new = bench.state()
    assert new != bench.old
    assert bench.unclean() == []
    return new, bench.watch.calls


class Case:
    """One request with a fault at one of its calls, and what is wrong with what came of it."""

    def __init__(self, bench: Bench, verb: Verb, new: State, status: int) -> None:
        self.bench = bench
        self.verb = verb
        self.new = new
        self.status = status
        self.wrong: list[str] = []

    async def run(self, number: int, fault: Callable[[Attempt], Any], wanted: Wanted) -> SystemCall | None:
        """Try it; gives the call that was disturbed."""
        watch = self.bench.watch
        async with serving(self.bench.fresh()) as exchange:
            watch.count(number, fault, wanted)
            answer = await ask(exchange, self.verb)
            disturbed = watch.stop()
            state = self.bench.state()
            self._judge(answer, state, disturbed)
            # Once the new state is there, the fault may be that something could not be removed.
            if state == self.bench.old and exchange.left_in_staging():
                self.wrong.append(f"left in staging: {exchange.left_in_staging()}")
            again = await ask(exchange, self.verb)
            self._judge_again(again, state)
        self.wrong += self.bench.unclean()
        return disturbed

    def _judge(self, answer: Answer, state: State, disturbed: SystemCall | None) -> None:
        if answer.status == 200:
            if state != self.new:
                self.wrong.append(f"200, but {difference(state, self.new)}")
            if disturbed is not None and disturbed.name in FLUSHES:
                self.wrong.append("200 after a flush that failed")
        elif answer.status != self.status:
            self.wrong.append(f"{answer.status} {answer.message} instead of {self.status}")
        if state not in (self.bench.old, self.new):
            self.wrong.append(f"a mixture: {difference(state, self.bench.old)} | {difference(state, self.new)}")

    def _judge_again(self, again: Answer, before: State) -> None:
        expected = 200 if before == self.bench.old else self.verb.again
        if again.status != expected:
            self.wrong.append(f"the same request later: {again.status} {again.message} instead of {expected}")
        if before == self.bench.old and self.bench.state() != self.new:
            self.wrong.append(f"the same request later: {difference(self.bench.state(), self.new)}")


@pytest.fixture
def steps(request: pytest.FixtureRequest) -> Steps:
    """All of them, until there are no more; in the short check a sample, which is another one for each test."""

    def some(calls: int) -> Iterable[int]:
        first = zlib.crc32(request.node.name.encode()) % max(1, min(STRIDE, calls))
        return range(1 + first, calls + 1, STRIDE)

    return (lambda _: itertools.count(1)) if request.config.getoption("--long") else some


@each_verb_with(
    ("flushing", "error"), [*(("by itself", error) for error in ERRORS), ("together", "EIO"), ("while open", "EIO")]
)
async def test_a_call_that_fails_leaves_the_old_state_or_the_new(
    bench: Bench, verb: Verb, error: str, steps: Steps
) -> None:
    number, status, wanted = ERRORS[error]
    new, calls = await undisturbed(bench, verb)
    expected = {call.kind for call in calls if wanted(call)}
    wrong: list[str] = []
    for step in steps(sum(map(wanted, calls))):
        case = Case(bench, verb, new, status)
        disturbed = await case.run(step, failing(number), wanted)
        wrong += [f"{error} at call {step}, {disturbed}: {text}" for text in case.wrong]
        if disturbed is None or len(wrong) > MOST_WRONG:
            break
        expected.discard(disturbed.kind)
    else:
        expected.clear()
    # A large body arrives in pieces that are cut anew each time, so that a number may miss a call: it is found by name.
    for kind in sorted(expected):
        case = Case(bench, verb, new, status)
        disturbed = await case.run(1, failing(number), of_kind(kind))
        assert disturbed is not None, f"{kind} was never disturbed"
        wrong += [f"{error} at {disturbed}: {text}" for text in case.wrong]
    assert not wrong, "\n".join(wrong)


class Child:
    """A process that does a verb by the store and may end on the way.

    Args:
        bench: where.
        verb: what it does.
        end: what it does instead of the last call.
        wanted: which calls count.
        number: that of the last one.

    Attributes:
        calls: how many it made, where it did not end on the way.
    """

    calls = 0

    def __init__(self, bench: Bench, verb: Verb, end: Callable[[Attempt], Any], wanted: Wanted, number: int) -> None:
        self._bench = bench
        self._verb = verb
        self._number = number
        self._end = end
        self._wanted = wanted

    def run(self) -> str:
        """Gives the call at which it ended, and nothing where it did not."""
        self._bench.fresh()
        readable, writable = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the other threads of this process are pytest's
            child = os.fork()
        if child == 0:
            self._act(writable)
        os.close(writable)
        try:
            return self._hear(child, readable)
        finally:
            os.close(readable)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    def _act(self, writable: int) -> None:
        try:

            def end(attempt: Attempt) -> None:
                os.write(writable, f"ended at {attempt.call}".encode())
                self._end(attempt)
                os._exit(0)

            volume = Volume.open(self._bench.data)
            self._bench.watch.count(self._number, end, self._wanted)
            self._verb.act(volume)
            self._bench.watch.stop()
            os.write(writable, f"done after {len(self._bench.watch.calls)}".encode())
        except BaseException:
            os.write(writable, traceback.format_exc().encode())
        finally:
            os._exit(0)

    def _hear(self, child: int, readable: int) -> str:
        heard = b""
        deadline = time.monotonic() + PATIENCE
        while select.select([readable], [], [], max(0, deadline - time.monotonic()))[0]:
            part = os.read(readable, 65536)
            if not part:
                text = heard.decode()
                if text.startswith("done after "):
                    self.calls = int(text.removeprefix("done after "))
                    return ""
                assert text.startswith("ended at "), text
                return text.removeprefix("ended at ")
            heard += part
        raise AssertionError(f"the process {child} hangs: {heard.decode()}")


def before(_: Attempt) -> None:
    """The call is not made any more."""


def after(attempt: Attempt) -> None:
    """The call is the last one."""
    attempt.perform()


def within(attempt: Attempt) -> None:
    """The last call is made by half."""
    assert attempt.in_part is not None
    attempt.in_part()


@each_verb_with(
    ("flushing", "end", "wanted"),
    [
        ("by itself", before, changes),
        ("by itself", after, changes),
        ("by itself", within, writes),
        ("together", after, changes),
        ("while open", after, changes),
    ],
    verbs={**VERBS, **OF_DATES},
)
def test_a_process_that_ends_leaves_the_old_state_or_the_new(
    bench: Bench, verb: Verb, end: Callable[[Attempt], None], wanted: Wanted, steps: Steps
) -> None:
    wrong = []
    undisturbed = Child(bench, verb, end, wanted, 0)
    assert undisturbed.run() == ""
    new = bench.state()
    for step in steps(undisturbed.calls):
        call = Child(bench, verb, end, wanted, step).run()
        state = bench.state()
        if state not in ((bench.old, new) if call else (new,)):
            wrong.append(f"{step}, {call}: {difference(state, bench.old)} | {difference(state, new)}")
        volume = Volume.open(bench.data)
        try:
            verb.act(volume)
            if state == bench.old and bench.state() != new:
                wrong.append(f"{step}, {call}: the same later: {difference(bench.state(), new)}")
        except StoreError as error:
            if state == bench.old or verb.again == 200:
                wrong.append(f"{step}, {call}: the same later: {error!r}")
        finally:
            volume.close()
        wrong += [f"{step}, {call}: {text}" for text in bench.unclean()]
        if not call or len(wrong) > MOST_WRONG:
            break
    assert not wrong, "\n".join(wrong)
