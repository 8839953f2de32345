"""A table too long for one page: the rows of one part of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ngshare_fs.web.frame.addresses import number_in

Row = TypeVar("Row")
ROWS = 100
# The parameter that says which part.
PART = "part"


@dataclass(frozen=True)
class Part(Generic[Row]):
    """A part of a table.

    Args:
        rows: of this part.
        number: which part it is, counted from 1.
        parts: how many there are, at least one.
        total: how many rows there are in all parts.
    """

    rows: Sequence[Row]
    number: int
    parts: int
    total: int


def part_of(rows: Sequence[Row], wanted: str | None, at_once: int = ROWS) -> Part[Row]:
    """The part that is asked for; the nearest one where there is none of that number.

    Args:
        wanted: its number, as somebody may have typed it.
        at_once: how many rows a part has.
    """
    parts = max(1, -(-len(rows) // at_once))
    number = min(max(number_in(wanted) or 1, 1), parts)
    return Part(rows[(number - 1) * at_once : number * at_once], number, parts, len(rows))
