"""Pictures of numbers over time: whatever the numbers and times are, all of it is inside, and the grid reads well."""

from datetime import datetime, timedelta, timezone

import pytest

from ngshare_fs.web.admin.plot import HEIGHT, WIDTH, Series, plot

START = datetime(2026, 3, 28, 13, tzinfo=timezone.utc)


@pytest.mark.parametrize("in_bytes", [False, True])
@pytest.mark.parametrize("hours", [[0], [0, 0], [0, 6], [0, 6, 6000], [6 * each for each in range(4000)]])
@pytest.mark.parametrize("greatest", [0, 1, 3, 1023, 1024, 10**6, 2**40 - 1, 2**63 - 1])
def test_everything_is_inside_and_a_few_levels_are_named(greatest: int, hours: list[int], in_bytes: bool) -> None:
    times = [START + timedelta(hours=each) for each in hours]
    values = [greatest * each // len(times) for each in range(1, len(times) + 1)]
    found = plot(times, [Series("one", values), Series("two", [0] * len(times))], in_bytes)
    assert found is not None
    assert 2 <= len(found.levels) <= 8
    heights = [y for y, _ in found.levels]
    assert heights == sorted(heights, reverse=True)
    assert len({words for _, words in found.levels}) == len(found.levels)
    assert 1 <= len(found.days) <= 6
    for line in found.lines:
        points = [tuple(map(float, each.split(","))) for piece in line.pieces for each in piece.split()]
        assert 1 <= len(points + list(line.dots)) <= 302
        for x, y in (*points, *line.dots):
            assert 0 < x < WIDTH
            assert 0 < y < HEIGHT


def test_nothing_is_no_picture() -> None:
    assert plot([], [Series("one", [])], in_bytes=True) is None


def test_where_nobody_counted_there_is_no_line() -> None:
    times = [START + timedelta(hours=each) for each in (0, 6, 12, 48, 54, 200)]
    found = plot(times, [Series("one", [5] * 6)], in_bytes=False)
    assert found is not None
    [line] = found.lines
    assert [len(piece.split()) for piece in line.pieces] == [3, 2]
    assert len(line.dots) == 1
