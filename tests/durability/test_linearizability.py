"""The checker itself: tiny histories that are linearizable, and tiny ones that are not."""

import itertools
import math
import random
from collections.abc import Hashable, Sequence

import pytest

from tests.durability import linearizability
from tests.durability.linearizability import NO_ANSWER, Model, Operation, TooHard, why_not_linearizable

pytestmark = pytest.mark.durability


def _register(state: int, operation: Operation) -> Sequence[int]:
    if operation.name == "write":
        assert isinstance(operation.argument, int)
        return [operation.argument]
    return [state] if operation.answer == state else []


def _set(state: frozenset[str], operation: Operation) -> Sequence[frozenset[str]]:
    if operation.name == "add":
        return [state | {str(operation.argument)}]
    return [state] if operation.answer == state else []


REGISTER = Model(0, _register)
SET: Model[frozenset[str]] = Model(frozenset(), _set)


def write(value: int, started: float, ended: float) -> Operation:
    return Operation("write", value, NO_ANSWER if math.isinf(ended) else None, started, ended)


def read(value: Hashable, started: float, ended: float) -> Operation:
    return Operation("read", None, value, started, ended, changes=False)


@pytest.mark.parametrize(
    "history",
    [
        [],
        [read(0, 0, 1)],
        [write(1, 0, 1), read(1, 2, 3)],
        [write(1, 0, 10), read(0, 1, 2), read(1, 3, 4)],  # the write takes effect between two reads
        [write(1, 0, 10), write(2, 0, 10), read(2, 1, 2), read(1, 3, 4)],
        [write(1, 0, math.inf), read(0, 1, 2), read(1, 5, 6)],  # no answer: happened late
        [write(1, 0, math.inf), read(0, 1, 2), read(0, 5, 6)],  # no answer: never happened
        [write(1, 0, 1), read(0, 1, 2)],  # the same moment counts as at once
    ],
)
def test_histories_that_one_after_the_other_explains(history: list[Operation]) -> None:
    for order in itertools.permutations(history):
        assert why_not_linearizable(order, REGISTER) is None


@pytest.mark.parametrize(
    "history",
    [
        [read(1, 0, 1)],  # out of nothing
        [write(1, 0, 1), read(0, 2, 3)],  # a stale read
        [write(1, 0, 10), read(1, 1, 2), read(0, 3, 4)],  # back in time
        [write(1, 0, 1), write(2, 2, 3), read(1, 4, 5)],  # out of order
        [write(1, 0, 10), write(2, 0, 10), read(1, 1, 2), read(2, 3, 4), read(1, 5, 6)],  # each happens once
        [read(1, 0, 1), write(1, 2, math.inf)],  # before it was asked for
        [write(1, 0, math.inf), read(1, 1, 2), read(0, 3, 4)],  # what was seen cannot have never happened
    ],
)
def test_histories_that_nothing_explains(history: list[Operation]) -> None:
    for order in itertools.permutations(history):
        assert "not linearizable" in str(why_not_linearizable(order, REGISTER))


def test_a_lost_update_shows() -> None:
    both = [Operation("add", "ada", None, 0, 3), Operation("add", "bob", None, 1, 2)]
    whole = Operation("read", None, frozenset({"ada", "bob"}), 4, 5)
    lost = Operation("read", None, frozenset({"bob"}), 4, 5)
    assert why_not_linearizable([*both, whole], SET) is None
    reason = why_not_linearizable([*both, lost], SET)
    assert reason is not None
    assert "2 of 3 operations" in reason
    assert str(lost) in reason


def test_an_update_that_went_half_is_no_update() -> None:
    half = Operation("read", None, frozenset({"ad"}), 1, 2)
    assert why_not_linearizable([Operation("add", "ada", None, 0, 3), half], SET)


def _every_order(history: Sequence[Operation]) -> bool:
    """The definition, spelled out: some order that respects time, of all answered operations, explains the answers."""
    unanswered = [operation for operation in history if math.isinf(operation.ended)]
    answered = [operation for operation in history if not math.isinf(operation.ended)]
    for count in range(len(unanswered) + 1):
        for happened in itertools.combinations(unanswered, count):
            if any(_explains(order) for order in itertools.permutations([*answered, *happened])):
                return True
    return False


def _explains(order: Sequence[Operation]) -> bool:
    state = 0
    for place, operation in enumerate(order):
        if any(later.ended < operation.started for later in order[place:]):
            return False
        states = _register(state, operation)
        if not states:
            return False
        state = states[0]
    return True


def test_the_search_agrees_with_the_definition() -> None:
    outcomes = []
    for seed in range(600):
        dice = random.Random(seed)
        history = []
        for _ in range(5):
            started = dice.randrange(10)
            if dice.random() < 0.5:
                history.append(write(dice.randrange(3), started, dice.choice([started + dice.randrange(6), math.inf])))
            else:
                history.append(read(dice.randrange(3), started, started + dice.randrange(6)))
        outcomes.append(_every_order(history))
        assert (why_not_linearizable(history, REGISTER) is None) == outcomes[-1], history
    assert 50 < sum(outcomes) < 550  # neither is rare


def test_long_histories_are_quick_and_hopeless_ones_end(monkeypatch: pytest.MonkeyPatch) -> None:
    history = [write(number, number, number + 4) for number in range(2000)]
    assert why_not_linearizable(history, REGISTER) is None
    monkeypatch.setattr(linearizability, "MOST_STEPS", 1000)
    together = [Operation("add", str(number), None, 0, 100) for number in range(20)]
    with pytest.raises(TooHard):
        why_not_linearizable([*together, Operation("read", None, frozenset({"none"}), 0, 100)], SET)
