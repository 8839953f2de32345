"""Whether what several clients saw at once could have been the work of one server that does one thing after the other.

Each operation took effect at one moment between its call and its answer, or the history is not linearizable. The search
is Wing and Gong's with Lowe's memory of what was tried, as in porcupine: take any operation that may come next, go back
where none fits, and never visit the same set of operations in the same state twice.
"""

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

State = TypeVar("State", bound=Hashable)

# Far more than any history of the tests needs; a search that runs wild shall not end with the machine's memory.
MOST_STEPS = 2_000_000


class NoAnswer:
    """In place of an answer where none came: the operation may have happened, now or later, or never."""

    def __repr__(self) -> str:
        return "no answer"


NO_ANSWER = NoAnswer()


@dataclass(frozen=True)
class Operation:
    """What a client asked and was told.

    Args:
        name: of the operation.
        argument: what was asked for.
        answer: what came back, or `NO_ANSWER`.
        started: when it was called.
        ended: when the answer was there; never, where there was none.
        where: who asked whom, for messages.
        changes: whether, with this answer, it may change anything in any state.
    """

    name: str
    argument: Hashable
    answer: Hashable
    started: float
    ended: float = math.inf
    where: str = ""
    changes: bool = True

    def __str__(self) -> str:
        ended = "..." if math.isinf(self.ended) else f"{self.ended:.4f}"
        return f"{self.started:.4f} to {ended} {self.where}: {self.name} {self.argument!r} -> {self.answer!r}"


@dataclass(frozen=True)
class Model(Generic[State]):
    """How one thing behaves that does one operation after the other.

    Args:
        start: its first state.
        after: the states that an operation with this answer may lead to, none where the answer does not fit. Of an
            operation without an answer: those after it has happened; that it may never have, nobody needs to say.
    """

    start: State
    after: Callable[[State, Operation], Sequence[State]]


class TooHard(Exception):
    """The search took too long to say anything."""


@dataclass(frozen=True)
class _Place(Generic[State]):
    """How far one branch of the search is: which operations have happened, as bits, and where that has led to."""

    happened: int
    state: State
    last: Operation | None = None
    before: "_Place[State] | None" = None


def why_not_linearizable(history: Sequence[Operation], model: Model[State]) -> str | None:
    """None where the history is linearizable, otherwise how far it could be followed, and what did not fit there.

    Raises:
        TooHard: undecided after very many steps.
    """
    operations = sorted(history, key=lambda operation: operation.started)
    answered = sum(1 << place for place, operation in enumerate(operations) if not math.isinf(operation.ended))
    furthest = _Place(0, model.start)
    ahead = [furthest]
    seen = {(0, model.start)}
    for _ in range(MOST_STEPS):
        if not ahead:
            return _explanation(operations, furthest)
        here = ahead.pop()
        if here.happened & answered == answered:
            return None
        if here.happened.bit_count() > furthest.happened.bit_count():
            furthest = here
        for following in reversed(_followers(operations, model, here)):
            if (following.happened, following.state) not in seen:
                seen.add((following.happened, following.state))
                ahead.append(following)
    raise TooHard(f"{len(operations)} operations, undecided after {MOST_STEPS} steps")


def _followers(operations: Sequence[Operation], model: Model[State], here: _Place[State]) -> list[_Place[State]]:
    found = []
    for place in _may_be_next(operations, here.happened):
        operation = operations[place]
        for state in model.after(here.state, operation):
            following = _Place(here.happened | 1 << place, state, operation, here)
            if not operation.changes:
                # What fits now and never changes anything can go first: an order with it later holds with it now, too.
                return [following]
            found.append(following)
    return found


def _may_be_next(operations: Sequence[Operation], happened: int) -> Iterator[int]:
    """The operations that no other one, still to come, has to precede because it was over when they started."""
    place = (~happened & (happened + 1)).bit_length() - 1
    latest = math.inf
    while place < len(operations) and operations[place].started <= latest:
        if not happened >> place & 1:
            yield place
            latest = min(latest, operations[place].ended)
        place += 1


def _explanation(operations: Sequence[Operation], furthest: _Place[State]) -> str:
    path: list[Operation] = []
    place: _Place[State] | None = furthest
    while place is not None and place.last is not None and len(path) < 12:
        path.append(place.last)
        place = place.before
    stuck = [operations[number] for number in _may_be_next(operations, furthest.happened)]
    return "\n".join(
        [
            f"not linearizable: {furthest.happened.bit_count()} of {len(operations)} operations have an order, ending",
            *(f"  {operation}" for operation in reversed(path)),
            f"which leads to {furthest.state!r}; none of these fits there:",
            *(f"  {operation}" for operation in stuck),
        ]
    )
