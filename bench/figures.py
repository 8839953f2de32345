"""What rounds gave: medians, ratios within a round, and whether a target is reached."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

# Rounds of one work by rival; each round is figures by name.
Rounds = Mapping[str, Sequence[Mapping[str, float]]]
# Figures of one round by rival.
Round = Mapping[str, Mapping[str, float]]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of them does not exceed."""
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)] if values else math.nan


def number(value: float) -> str:
    """Three digits that count."""
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(values: Sequence[float]) -> str:
    """The median, and how far rounds were apart."""
    if not values:
        return "-"
    middle = number(statistics.median(values))
    if len(values) == 1 or number(min(values)) == number(max(values)):
        return middle
    return f"{middle} [{number(min(values))} to {number(max(values))}]"


@dataclass(frozen=True)
class Target:
    """What is to be reached.

    Args:
        wanted: in the words of the table.
        value: the figure of one round; None where a rival is missing.
        limit: what the median must be at least, or at most.
        note: what to know about the figure.
    """

    wanted: str
    value: Callable[[Round], float | None]
    limit: float
    at_least: bool = False
    unit: str = ""
    note: str = ""

    def figures(self, rounds: Rounds) -> list[float]:
        """The figure of each round in which all rivals that it needs took part."""
        how_many = min((len(of_one) for of_one in rounds.values()), default=0)
        found = []
        for index in range(how_many):
            try:
                value = self.value({rival: of_one[index] for rival, of_one in rounds.items()})
            except KeyError:
                continue
            if value is not None and not math.isnan(value):
                found.append(value)
        return found

    def reached(self, rounds: Rounds) -> bool | None:
        """Whether the median is good enough; None where there is no figure."""
        figures = self.figures(rounds)
        if not figures:
            return None
        middle = statistics.median(figures)
        return middle >= self.limit if self.at_least else middle <= self.limit


def of(rival: str, name: str) -> Callable[[Round], float]:
    """A figure of a rival."""
    return lambda figures: figures[rival][name]


def ratio(name: str, rival: str, to: str, as_much_as: str | None = None) -> Callable[[Round], float]:
    """How many times the figure of another rival."""
    return lambda figures: figures[rival][name] / figures[to][as_much_as or name]
