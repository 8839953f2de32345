"""An input is text and the places where it is cut, so that the search varies both."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

MOST_CUTS = 7


def text_and_cuts(data: bytes) -> tuple[bytes, list[int]]:
    """What to parse, and where to cut it: one byte says how many cuts there are, each is a byte, the rest is text."""
    count = data[0] % (MOST_CUTS + 1) if data else 0
    return data[1 + count :], list(data[1 : 1 + count])


def chunks(data: bytes, cuts: list[int]) -> list[bytes]:
    """The data in pieces, cut at these places."""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places)]


def ways_to_arrive(data: bytes) -> Iterator[list[bytes]]:
    """The text of an input in one piece, cut where the input says, and byte by byte."""
    text, cuts = text_and_cuts(data)
    yield [text]
    yield chunks(text, cuts)
    yield [text[place : place + 1] for place in range(len(text))]


@contextmanager
def limits(module: ModuleType, **smaller: int) -> Iterator[None]:
    """Give a module other limits for a while, such as short inputs can pass."""
    before = {name: getattr(module, name) for name in smaller}
    vars(module).update(smaller)
    try:
        yield
    finally:
        vars(module).update(before)
