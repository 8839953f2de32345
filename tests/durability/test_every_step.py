"""A fault at each system call of each verb in turn: no space, a failing disk, a refusal, and the end of the process.

First a verb runs undisturbed: that gives the state after it. Then it runs again and again on a fresh copy of a small
volume, disturbed at its first change, its second, and so on until it makes no more; and at calls that only read, once
at each place in the program. Each time the volume has the state before or the state after, wholly, and nothing else but
what lies in staging and is swept at the next start.

What is answered: 200 only where the new state is there and every flush has succeeded. An error otherwise; where the
fault comes after the rename that publishes (the last flush fails), the answer is an error although the new state is
there, for nobody knows whether it would outlive a power cut.
"""

import asyncio
import contextlib
import errno
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from ngshare_fs.api import volume_walk
from ngshare_fs.server.application import make_application
from ngshare_fs.settings import read_settings
from ngshare_fs.store import Volume
from tests.conftest import Answer, Exchange
from tests.durability.states import State, difference
from tests.durability.step_bench import (
    MOST_WRONG,
    STRIDE,
    WAYS_TO_FLUSH,
    Bench,
    Steps,
    flushing,
    step_bench,
    steps_for,
)
from tests.durability.system_calls import FLUSHES, Attempt, SystemCall, Wanted, failing
from tests.durability.verbs import OF_DATES, VERBS, Verb
from tests.durability.which_calls import ReadsAtNewPlaces, changes, flushes, leaves_something, locks, of_kind
from tests.fork_server import fork_server
from tests.servers import REPOSITORY

pytestmark = pytest.mark.durability

PATIENCE = 60
PATIENCE_WITH_ALL = 900
Start = Callable[[], contextlib.AbstractContextManager[Exchange]]
# What it imports that ends at each step.
OF_A_SMALL_PROCESS = ("tests.durability.step_bench",)
# What the API promises for each error, and the calls that are tried with it.
ERRORS = {
    "ENOSPC": (errno.ENOSPC, 507, changes),
    "EIO": (errno.EIO, 503, changes),
    # In another way to flush, whatever else is the same: see below.
    "EIO of a flush": (errno.EIO, 503, flushes),
    "EACCES": (errno.EACCES, 503, changes),
    # What a volume says that is mounted without locks: nothing may then be written as if it had some.
    "ENOSYS": (errno.ENOSYS, 503, locks),
}


def each_verb_with(
    names: tuple[str, ...], ways: Sequence[tuple[str, ...]], verbs: Iterable[str] = VERBS
) -> pytest.MarkDecorator:
    """Each verb, by its name, in each of these ways, in the short check in every other one."""
    return pytest.mark.parametrize(
        ("name", *names),
        [
            pytest.param(
                name,
                *way,
                id="-".join([*way, name]),
                marks=pytest.mark.long if (number + place) % 2 else (),
            )
            for number, name in enumerate(verbs)
            for place, way in enumerate(ways)
        ],
        indirect=[name for name in names if name == "flushed"],
    )


@pytest.fixture
def flushed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way to flush."""
    set_flushing(monkeypatch, request.param)


def set_flushing(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Flush in this way from now on."""
    for module, name, value in flushing(way):
        monkeypatch.setattr(module, name, value)


@pytest.fixture
def bench(tmp_path: Path, flushed: None) -> Iterator[Bench]:
    with step_bench(tmp_path) as bench:
        yield bench


@contextlib.asynccontextmanager
async def serving(volume: Volume) -> AsyncIterator[Exchange]:
    """A server in this process, that counts nothing in the background."""
    flags: dict[str, str | list[str] | bool] = {"standalone": True, "data": volume.root, "admins": "root"}
    application = make_application(volume, read_settings(flags, {}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(volume_walk, "FIRST_SECONDS", threading.TIMEOUT_MAX)
        async with TestClient(TestServer(application)) as client:
            yield Exchange(client, volume, Path(volume.root))


def opened(data: Path) -> Volume:
    """A volume without a journal: its lines are written by a thread of its own, at any moment, and fail nobody.

    See `test_journal.py`.
    """
    volume = Volume.open(data)
    volume.journal.is_on = False
    return volume


@contextlib.asynccontextmanager
async def on_fresh_copies(bench: Bench) -> AsyncIterator[Start]:
    """What gives a server that has just started on a fresh copy.

    It is one application, whose volume becomes another one each time: to make it takes a third of a step.
    """
    volume = Volume.read_only(bench.template)

    @contextlib.contextmanager
    def start() -> Iterator[Exchange]:
        vars(volume).update(vars(opened(bench.fresh())))
        try:
            yield Exchange(exchange.client, volume, bench.data)
        finally:
            volume.close()

    async with serving(volume) as exchange:
        yield start


async def ask(exchange: Exchange, verb: Verb) -> Answer:
    """Send the request of a verb."""
    return await asyncio.wait_for(exchange.call(*verb.request, verb.user, **verb.fields), PATIENCE)


async def undisturbed(bench: Bench, start: Start, verb: Verb) -> tuple[State, list[SystemCall]]:
    """The state after a verb, and the calls that it takes."""
    with start() as exchange:
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

    def __init__(self, bench: Bench, start: Start, verb: Verb, new: State, status: int) -> None:
        self.bench = bench
        self.start = start
        self.verb = verb
        self.new = new
        self.status = status
        self.wrong: list[str] = []

    async def run(self, number: int, fault: Callable[[Attempt], Any], wanted: Wanted) -> SystemCall | None:
        """Try it; gives the call that was disturbed."""
        watch = self.bench.watch
        with self.start() as exchange:
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
    """All of them; in the short check a sample."""
    return steps_for(request.node.name, request.config.getoption("--long"))


@each_verb_with(
    ("flushed", "error"),
    [
        *(("by itself", error) for error in ("ENOSPC", "EIO", "EACCES", "ENOSYS")),
        ("together", "EIO of a flush"),
        ("while open", "EIO of a flush"),
    ],
)
async def test_a_call_that_fails_leaves_the_old_state_or_the_new(
    bench: Bench, name: str, error: str, steps: Steps
) -> None:
    verb = VERBS[name]
    number, status, wanted = ERRORS[error]
    wrong: list[str] = []
    async with on_fresh_copies(bench) as start:
        new, calls = await undisturbed(bench, start, verb)
        expected = {call.kind for call in calls if wanted(call)}
        for step in steps(sum(map(wanted, calls))):
            case = Case(bench, start, verb, new, status)
            disturbed = await case.run(step, failing(number), wanted)
            wrong += [f"{error} at call {step}, {disturbed}: {text}" for text in case.wrong]
            if disturbed is None or len(wrong) > MOST_WRONG:
                break
            expected.discard(disturbed.kind)
        else:
            expected.clear()
        # A large body arrives in pieces that are cut anew each time, so that a number may miss a call: by its name it
        # is found.
        for kind in sorted(expected):
            case = Case(bench, start, verb, new, status)
            disturbed = await case.run(1, failing(number), of_kind(kind))
            assert disturbed is not None, f"{kind} was never disturbed"
            wrong += [f"{error} at {disturbed}: {text}" for text in case.wrong]
    assert not wrong, "\n".join(wrong)


async def test_a_call_that_reads_and_fails_leaves_the_old_state_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Each call at each place once, whichever verb comes there first."""
    number, status = errno.EIO, 503
    is_long = request.config.getoption("--long")
    places = ReadsAtNewPlaces(1 if is_long else STRIDE)
    wrong: list[str] = []
    tried = 0
    for way in WAYS_TO_FLUSH:
        set_flushing(monkeypatch, way)
        with step_bench(tmp_path / way) as bench:
            async with on_fresh_copies(bench) as start:
                for name, verb in VERBS.items():
                    new, _ = await undisturbed(bench, start, verb)
                    disturbed: SystemCall | None
                    while disturbed := await (case := Case(bench, start, verb, new, status)).run(
                        1, failing(number), places.next()
                    ):
                        wrong += [f"{name}, {way}: EIO at {disturbed}: {text}" for text in case.wrong]
                        tried += 1
    assert not wrong, "\n".join(wrong[:MOST_WRONG])
    assert tried > (200 if is_long else 0)


def test_in_each_way_to_flush_the_same_is_left_in_the_same_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the other tests look at the other ways for their flushes alone."""
    order: dict[str, set[tuple[str, ...]]] = {}
    for way in WAYS_TO_FLUSH:
        set_flushing(monkeypatch, way)
        with step_bench(tmp_path / way) as bench:
            for name, verb in (VERBS | OF_DATES).items():
                with contextlib.closing(opened(bench.fresh())) as volume:
                    bench.watch.count(wanted=leaves_something)
                    verb.act(volume)
                    bench.watch.stop()
                order.setdefault(name, set()).add(tuple(call.kind for call in bench.watch.calls))
    assert {name: len(found) for name, found in order.items()} == dict.fromkeys(order, 1)


@each_verb_with(("end",), [("after",), ("within",)], verbs=(*VERBS, *OF_DATES))
def test_a_process_that_ends_leaves_the_old_state_or_the_new(
    name: str, end: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Tried in a process that is small: each fork copies the tables of all the memory that its process has."""
    sample = "" if request.config.getoption("--long") else request.node.name
    words = ["-m", "tests.durability.ends_at_each_step", str(tmp_path), name, end, sample]
    done = fork_server(Path(sys.executable), *OF_A_SMALL_PROCESS).run(words, REPOSITORY, {}, PATIENCE_WITH_ALL)
    assert done.returncode == 0, done.stdout
