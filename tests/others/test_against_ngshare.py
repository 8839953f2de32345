"""Plays the same calls to our server and to the released ngshare 0.6.0, and compares the answers."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.servers import running

from .calls import Call, Side, comparable
from .ngshare_reference import NotInstallable, python, running_ngshare
from .same_answers import SCENARIOS, WITH_DEBUG, WITHOUT_DEBUG

pytestmark = pytest.mark.others


@dataclass
class Pair:
    """Both servers, empty and in the same mode."""

    ours: Side
    ngshare: Side
    debug: bool

    def expected(self, call: Call) -> str:
        """Out of debug mode, `Permission denied` gives no reason."""
        return call.expected if self.debug else re.sub(r" \(not .*\)$", "", call.expected)

    def play(self, calls: Sequence[Call]) -> None:
        """Make each call to both, and compare the two answers."""
        our_times: dict[str, str] = {}
        ngshares_times: dict[str, str] = {}
        for number, call in enumerate(calls, 1):
            ngshares, ours = self.ngshare.ask(call), self.ours.ask(call)
            where = f"call {number}, {call}"
            assert ngshares.outcome == self.expected(call), f"ngshare answers otherwise to {where}: {ngshares.text}"
            assert ours.outcome == self.expected(call), f"{where}: {ours.text}"
            assert ours.content_type == "application/json", where
            assert comparable(ours.body, our_times) == comparable(ngshares.body, ngshares_times), where


@pytest.fixture(scope="module", params=["debug", "no debug"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    debug = request.param == "debug"
    options = ["--debug"] if debug else []
    try:
        python()
    except NotInstallable as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("servers")
    with ExitStack() as stack:
        ngshare = stack.enter_context(running_ngshare(folder / "ngshare", "--vngshare", *options))
        ours = stack.enter_context(running(folder / "ours", *options))
        yield Pair(Side(ours.url), Side(ngshare.url), debug)


@pytest.fixture
def empty_pair(pair: Pair) -> Pair:
    pair.ours.remove_courses()
    pair.ngshare.remove_courses()
    return pair


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_answers_are_the_same(empty_pair: Pair, scenario: str) -> None:
    empty_pair.play(SCENARIOS[scenario])


def test_debug_actions_answer_the_same(empty_pair: Pair) -> None:
    empty_pair.play(WITH_DEBUG if empty_pair.debug else WITHOUT_DEBUG)
