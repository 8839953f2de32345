"""How the exchange behaves where one request comes after the other, a thing at a time.

What a client was told is the answer where it succeeded, and `Refused` with the message where not; `DONE` where there is
nothing to tell. An operation that never got an answer is taken as one that succeeded.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple, TypeVar

from tests.durability.linearizability import NO_ANSWER, Model, Operation

State = TypeVar("State")

DONE = "done"


class Refused(NamedTuple):
    """A refusal, by its message."""

    message: str


NO_COURSE = Refused("Course not found")
NO_ASSIGNMENT = Refused("Assignment not found")
NO_SUBMISSION = Refused("Submission not found")
NO_STUDENT = Refused("Student not found")
COURSE_EXISTS = Refused("Course already exists")
ASSIGNMENT_EXISTS = Refused("Assignment already exists")


class Handed(NamedTuple):
    """A submission: its timestamp, what tells its content from every other, and the same of its feedback."""

    moment: str
    content: str
    feedback: str | None = None


class Work(NamedTuple):
    """What a student has handed in to an assignment, and whether that is withdrawn."""

    handed: tuple[Handed, ...] = ()
    withdrawn: bool = False


class Released(NamedTuple):
    """An assignment: what its newest release holds, and whether it is withdrawn."""

    content: str
    withdrawn: bool = False


# What is known of the people of a course; None where there is none.
People = frozenset[tuple[str, str]] | None


def student_work(state: Work | None, operation: Operation) -> Sequence[Work | None]:
    """One student's submissions to one assignment, and the feedback on them."""
    answer = operation.answer
    if operation.name in _OF_RELEASES:
        return _released(state, operation, Work(() if state is None else state.handed))
    if state is None:
        # Where there is no assignment there is no submission either: a refusal has to be true, not the first in order.
        return [state] if answer in (NO_ASSIGNMENT, NO_SUBMISSION) else []
    if operation.name == "submit":
        if isinstance(answer, Refused):
            return [state] if state.withdrawn and answer == NO_ASSIGNMENT else []
        # Work that lands in the instant in which the assignment is withdrawn is taken.
        new = Handed(str(answer), str(operation.argument))
        too_early = state.handed and new.moment <= state.handed[-1].moment
        return [] if too_early else [state._replace(handed=(*state.handed, new))]
    if operation.name == "list submissions":
        return [state] if answer == tuple(handed.moment for handed in state.handed) else []
    if operation.name == "collect the latest":
        return [state] if answer == (state.handed[-1][:2] if state.handed else NO_SUBMISSION) else []
    if operation.name == "give feedback":
        return _with_feedback(state, operation)
    by_moment = {handed.moment: handed for handed in state.handed}
    found = by_moment.get(str(operation.argument))
    if found is None:
        return [state] if answer == NO_SUBMISSION else []
    assert operation.name in ("collect", "get feedback")
    return [state] if answer == (found[:2] if operation.name == "collect" else (found.feedback,)) else []


def _with_feedback(state: Work, operation: Operation) -> Sequence[Work]:
    assert isinstance(operation.argument, tuple)
    moment, content = operation.argument
    there = any(handed.moment == moment for handed in state.handed)
    if not there:
        return [state] if operation.answer == NO_SUBMISSION else []
    given = [handed._replace(feedback=content) if handed.moment == moment else handed for handed in state.handed]
    return [state._replace(handed=tuple(given))] if operation.answer in (DONE, NO_ANSWER) else []


def assignment(state: Released | None, operation: Operation) -> Sequence[Released | None]:
    """An assignment's existence, what its newest release holds, and whether students see it."""
    if operation.name in _OF_RELEASES:
        return _released(state, operation, Released(str(operation.argument)))
    is_open = state is not None and not state.withdrawn
    if operation.name == "list assignments":
        return [state] if operation.answer == (state is not None) else []
    if operation.name == "list open assignments":
        return [state] if operation.answer == is_open else []
    assert operation.name in ("fetch", "fetch as a student")
    seen = state is not None if operation.name == "fetch" else is_open
    return [state] if operation.answer == (state.content if state is not None and seen else NO_ASSIGNMENT) else []


_OF_RELEASES = ("release", "release again", "withdraw", "delete assignment")
Withdrawable = TypeVar("Withdrawable", Work, Released)


def _released(state: Withdrawable | None, operation: Operation, new: Withdrawable) -> Sequence[Withdrawable | None]:
    """What comes of an assignment that is released, for the first time or again, withdrawn or deleted."""
    name, done = operation.name, operation.answer in (DONE, NO_ANSWER)
    if name == "release" and state is not None and not state.withdrawn:
        return [state] if operation.answer == ASSIGNMENT_EXISTS else []
    if name != "release" and state is None:
        return [state] if operation.answer == NO_ASSIGNMENT else []
    if not done:
        return []
    if name == "withdraw":
        assert state is not None
        return [state._replace(withdrawn=True)]
    return [None if name == "delete assignment" else new]


def people(state: People, operation: Operation) -> Sequence[People]:
    """A course's existence and its roster: who, with which email."""
    answer, argument = operation.answer, operation.argument
    if operation.name in ("create course", "delete course"):
        return _made_or_deleted(state, operation, frozenset(), COURSE_EXISTS, NO_COURSE)
    if operation.name == "list courses":
        return [state] if answer == (state is not None) else []
    if state is None:
        return [state] if answer == NO_COURSE else []
    known = dict(state)
    if operation.name == "list students":
        return [state] if answer == state else []
    if operation.name == "set students":
        assert isinstance(argument, tuple)
        return [frozenset({**known, **dict(argument)}.items())] if answer in (DONE, NO_ANSWER) else []
    name = str(argument)
    if name not in known:
        return [state] if answer == NO_STUDENT else []
    if operation.name == "remove student":
        del known[name]
        return [frozenset(known.items())] if answer in (DONE, NO_ANSWER) else []
    assert operation.name == "get student"
    return [state] if answer == known[name] else []


def _made_or_deleted(
    state: State | None, operation: Operation, new: State, taken: Refused, missing: Refused
) -> Sequence[State | None]:
    """What can be made only where it is missing, and deleted only where it is there."""
    makes = operation.name == "create course"
    possible = (state is None) == makes
    if possible:
        return [new if makes else None] if operation.answer in (DONE, NO_ANSWER) else []
    return [state] if operation.answer == (taken if makes else missing) else []


_MODELS: dict[str, Callable[[Any, Operation], Sequence[Any]]] = {
    "work": student_work,
    "assignment": assignment,
    "people": people,
}


def model_of(kind: str, start: Hashable) -> Model[Any]:
    """The model of a kind of thing, in the state that the clients found it in."""
    return Model(start, _MODELS[kind])
