"""Dates as the plug-ins read them out of answers, and say them."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngshare_fs.exchange.connection.dates import (
    Dates,
    Deadlines,
    Lateness,
    dates_in,
    deadlines_in,
    lateness_in,
    span,
    written,
)
from ngshare_fs.formats.lateness import late_seconds

NOW = datetime(2026, 11, 15, 12, tzinfo=timezone.utc)
DUE = "2026-11-15 22:59:59.000000 UTC"
SAID: dict[str, Any] = {
    "release": None,
    "due": DUE,
    "close": "2026-11-17 22:59:59.000000 UTC",
    "grace_seconds": 300,
    "timezone": "Europe/Vienna",
    "state": "open",
    "extended": False,
    "reason": None,
}


def dates(**more: object) -> Dates:
    found = dates_in({"dates": {**SAID, **more}})
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (0.9, "0 seconds"),
        (1, "1 second"),
        (61, "1 minute 1 second"),
        (3600, "1 hour"),
        (3601, "1 hour"),
        (2 * 86400 + 3 * 3600 + 59 * 60, "2 days 3 hours"),
        (86400 + 59, "1 day"),
        (7 * 86400 + 80_000, "7 days"),
        (400 * 86400, "400 days"),
    ],
)
def test_spans_have_two_units_at_most(seconds: float, words: str) -> None:
    assert span(seconds) == words


@given(st.integers(1, 10**9))
def test_a_span_is_never_more_than_there_is_and_little_less(seconds: int) -> None:
    sizes = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}
    words = span(seconds).split()
    said = sum(int(count) * sizes[unit.rstrip("s")] for count, unit in zip(words[::2], words[1::2], strict=True))
    assert said <= seconds
    assert seconds - said < max(seconds / 7, 1) or len(words) == 2


@pytest.mark.parametrize(
    ("more", "now", "words"),
    [
        (
            {},
            NOW,
            "due 2026-11-15 23:59:59 Europe/Vienna (in 10 hours 59 minutes); "
            "closes 2026-11-17 23:59:59 Europe/Vienna (in 2 days 10 hours)",
        ),
        (
            {"close": None},
            NOW + timedelta(hours=11),
            "due 2026-11-15 23:59:59 Europe/Vienna (1 second ago, and not late until 5 minutes after it)",
        ),
        (
            {"state": "late", "extended": True, "reason": "ill\nBye"},
            NOW + timedelta(hours=13),
            "due 2026-11-15 23:59:59 Europe/Vienna (2 hours ago: what is handed in now is late); "
            "closes 2026-11-17 23:59:59 Europe/Vienna (in 1 day 21 hours); with your extension (ill\\nBye)",
        ),
        (
            {"state": "closed", "due": None},
            NOW + timedelta(days=3),
            "closed 2026-11-17 23:59:59 Europe/Vienna (13 hours ago)",
        ),
        (
            {"state": "scheduled", "release": "2026-11-16 07:00:00.000000 UTC", "due": None, "close": None},
            NOW,
            "students see it from 2026-11-16 08:00:00 Europe/Vienna on (in 19 hours)",
        ),
        (
            {"state": "late", "close": None},
            NOW,  # a clock that is slow
            "due 2026-11-15 23:59:59 Europe/Vienna (0 seconds ago: what is handed in now is late)",
        ),
        ({"release": "2026-11-01 07:00:00.000000 UTC", "due": None, "close": None}, NOW, ""),
    ],
)
def test_dates_are_said_in_the_courses_zone_with_their_distance(
    more: dict[str, Any], now: datetime, words: str
) -> None:
    assert dates(**more).in_words(now) == words


def test_dates_go_to_programs_as_they_came() -> None:
    assert dates().as_json() == SAID
    assert dates(extended=True, reason="ill", release=DUE).as_json() == {
        **SAID,
        "extended": True,
        "reason": "ill",
        "release": DUE,
    }


def test_what_has_no_dates_or_comes_from_an_older_server_has_none() -> None:
    assert dates_in({}) is None
    assert dates_in({"dates": None}) is None
    assert deadlines_in({"dates": None, "extensions": []}) is None
    assert deadlines_in({"dates": {**SAID, "due": None}, "extensions": []}) is None
    assert lateness_in({"timestamp": DUE}) is None
    assert lateness_in({"timestamp": DUE, "due": None, "late_seconds": None}) is None
    # What is handed in is handed in, whatever is said of it.
    for due, late in (("soon", 0), ("2026-11-15 22:59:59 CET", 0), (1, 0), (DUE, "0"), (DUE, None)):
        assert lateness_in({"timestamp": DUE, "due": due, "late_seconds": late}) is None


def test_a_zone_that_this_machine_does_not_know_is_no_failure() -> None:
    assert written(NOW, "Mars/Olympus") == "2026-11-15 12:00:00 UTC"


def test_an_extension_counts_where_it_is_later() -> None:
    extensions = [
        {"student_id": "ada", "due": "2026-11-18 22:59:59.000000 UTC", "close": None},
        {
            "student_id": "eve",
            "due": "2026-11-10 22:59:59.000000 UTC",
            "close": None,
        },  # before a due date that was moved
        {"student_id": "max", "due": None, "close": "2026-11-18 22:59:59.000000 UTC"},
    ]
    deadlines = deadlines_in({"dates": SAID, "extensions": extensions})
    assert deadlines is not None
    late = deadlines.due + timedelta(hours=2)
    assert [deadlines.late_seconds(name, late) for name in ("ada", "eve", "max", "zoe")] == [0, 7200, 7200, 7200]


@given(
    st.timedeltas(timedelta(days=-40), timedelta(days=40)),
    st.integers(0, 3 * 86400),
    st.none() | st.integers(-86400, 10 * 86400),
)
def test_nbgrader_counts_as_the_server_does(late: timedelta, grace: int, extension: int | None) -> None:
    extended = {} if extension is None else {"ada": NOW + timedelta(seconds=extension)}
    deadlines = Deadlines(NOW, extended, timedelta(seconds=grace), "UTC")
    moment = NOW + late
    given_there = deadlines.extension("ada", moment)
    # As nbgrader's `SubmittedAssignment.total_seconds_late` does.
    seconds = max(0.0, (moment - (NOW + (given_there or timedelta()))).total_seconds())
    assert int(seconds) == deadlines.late_seconds("ada", moment)
    assert (seconds > 0) == (deadlines.late_seconds("ada", moment) > 0)


@pytest.mark.parametrize(
    ("late", "seconds"),
    [
        (timedelta(days=-1), 0),
        (timedelta(0), 0),
        (timedelta(seconds=300, microseconds=999_999), 0),
        (timedelta(seconds=301), 301),
        (timedelta(hours=2, microseconds=1), 7200),
    ],
)
def test_late_is_what_is_beyond_the_grace_counted_from_the_due_date(late: timedelta, seconds: int) -> None:
    assert late_seconds(NOW + late, NOW, timedelta(minutes=5)) == seconds


@pytest.mark.parametrize(
    ("at", "late", "words"),
    [
        (timedelta(days=-3), 0, "Handed in 3 days before the due date, 2026-11-15 13:00:00 Europe/Vienna"),
        (
            timedelta(minutes=2),
            0,
            "Handed in 2 minutes after the due date, 2026-11-15 13:00:00 Europe/Vienna, which does not count as late",
        ),
        (timedelta(hours=2), 7200, "Handed in LATE, 2 hours after the due date, 2026-11-15 13:00:00 Europe/Vienna"),
    ],
)
def test_a_receipt_says_how_work_lies_to_the_due_date(at: timedelta, late: int, words: str) -> None:
    assert Lateness(NOW + at, NOW, late).in_words("Europe/Vienna") == words
