"""A picture of numbers over time, for an SVG in the page: where its lines go, and what stands beside them.

A library would draw it with styles of its own, which the pages' policy does not let in, and with fonts and colours that
know nothing of dark mode.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from ngshare_fs.formats.byte_size import size_in_words

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 76, 16, 12, 32
# More points than pixels help nobody.
MOST_POINTS = 300
# Between two moments there are six hours. Where more than two are missing, nobody knows what was in between.
GAP = timedelta(hours=20)


@dataclass(frozen=True)
class Series:
    """Numbers over time.

    Args:
        name: the key of the text that says what they are.
        values: each at the time of the same position.
    """

    name: str
    values: Sequence[int]


@dataclass(frozen=True)
class Line:
    """A line of the picture.

    Args:
        name: see `Series`.
        pieces: coordinates as `polyline` has them, one text for each piece between gaps.
        dots: the coordinates of pieces that are only one point.
    """

    name: str
    pieces: Sequence[str]
    dots: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Plot:
    """A picture.

    Args:
        lines: what is drawn.
        levels: heights of the grid, and what stands there.
        days: places on the axis of time, and the time that stands there.
        first, last: the ends of the axis of time.
    """

    lines: Sequence[Line]
    levels: Sequence[tuple[float, str]]
    days: Sequence[tuple[float, str]]
    first: datetime
    last: datetime
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def plot(times: Sequence[datetime], series: Sequence[Series], in_bytes: bool) -> Plot | None:
    """Lay a picture out; None where there is nothing to be shown.

    Args:
        times: ascending.
        series: what is shown, each with as many values.
        in_bytes: whether they are bytes; otherwise they are numbers of something.
    """
    if not times:
        return None
    step = -(-len(times) // MOST_POINTS)
    # Of the last moment, everybody wants to know.
    chosen = sorted({*range(0, len(times), step), len(times) - 1})
    top, unit = _levels(max(max(each.values) for each in series), in_bytes)
    first, last = times[0], times[-1]
    whole = (last - first).total_seconds()

    def x_of(time: datetime) -> float:
        share = (time - first).total_seconds() / whole if whole else 0.5
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y_of(value: float) -> float:
        return round(HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM), 1)

    lines = [_line(each, times, chosen, x_of, y_of) for each in series]
    levels = [(y_of(number * unit), _words(number * unit, in_bytes)) for number in range(round(top / unit) + 1)]
    days = [(x_of(time), f"{time:%Y-%m-%d}") for time in _days(first, last)]
    return Plot(lines, levels, days, first, last)


def _line(
    series: Series,
    times: Sequence[datetime],
    chosen: Sequence[int],
    x_of: Callable[[datetime], float],
    y_of: Callable[[float], float],
) -> Line:
    pieces: list[list[tuple[float, float]]] = [[]]
    before: int | None = None
    for position in chosen:
        if before is not None and any(times[at + 1] - times[at] > GAP for at in range(before, position)):
            pieces.append([])
        pieces[-1].append((x_of(times[position]), y_of(series.values[position])))
        before = position
    texts = [" ".join(f"{x},{y}" for x, y in piece) for piece in pieces if len(piece) > 1]
    return Line(series.name, texts, [piece[0] for piece in pieces if len(piece) == 1])


def _levels(greatest: int, in_bytes: bool) -> tuple[float, float]:
    """The height of the picture, and that of a step of its grid: four to five steps of a number that reads well."""
    least = max(greatest, 1)
    base = 1024 ** min(int(math.log(least, 1024)), 6) if in_bytes else 1
    rough = max(least / base / 5, 1e-9)
    scale = 10 ** math.floor(math.log10(rough))
    unit = next(each * scale for each in (1, 2, 5, 10) if each * scale >= rough * 0.999) * base
    unit = max(1, unit if in_bytes else round(unit))
    return math.ceil(least / unit) * unit, unit


def _words(value: float, in_bytes: bool) -> str:
    return size_in_words(round(value)) if in_bytes else f"{round(value):,}"


def _days(first: datetime, last: datetime) -> Iterator[datetime]:
    """At most five days, from the first to the last, at midnight; the only time where there is no more than a day."""
    midnight = first.astimezone(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    number = (last - midnight) // timedelta(days=1)
    if not number:
        yield last
    for each in range(1, number + 1, max(1, -(-number // 5))):
        yield midnight + timedelta(days=each)
