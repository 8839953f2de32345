"""What nbgrader has written down as the time of a submission, in whatever format and timezone."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from ngshare_fs.transfer.nbgrader.names_in_exchange import split_submission_name
from ngshare_fs.transfer.nbgrader.submission_time import DEFAULT_FORMAT, NotATime, is_time_format, read_time

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Europe/Istanbul", "Asia/Kathmandu")
MOMENTS = [
    datetime(2020, 1, 30, 10, 30, 47, 524219, timezone.utc),
    datetime(2020, 10, 25, 0, 30, 0, 1, timezone.utc),  # in Berlin, half past two comes twice
    datetime(2020, 10, 25, 1, 30, 0, 1, timezone.utc),
    datetime(1970, 1, 2, tzinfo=timezone.utc),
]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_a_time_is_read_as_it_was_written(zone: str, moment: datetime) -> None:
    there = moment.astimezone(ZoneInfo(zone))
    text = there.strftime(DEFAULT_FORMAT)  # as `Exchange.set_timestamp` does it
    assert read_time(text, DEFAULT_FORMAT, ZoneInfo(zone)) == moment
    with_offset = "%d.%m.%Y %H:%M:%S.%f %z"
    assert read_time(there.strftime(with_offset), with_offset, None) == moment
    name = f"max+moritz+ps1+{text}+aB-_90xYzQ12"
    assert split_submission_name(name, text) == ("max+moritz", "ps1", text)


def test_a_format_without_a_zone_is_in_the_one_that_was_configured() -> None:
    text, time_format = "2020-01-30 10:30:47", "%Y-%m-%d %H:%M:%S"
    assert read_time(text, time_format, None).hour == 10
    assert read_time(text, time_format, ZoneInfo("Europe/Berlin")).hour == 9


@pytest.mark.parametrize(
    ("text", "zone", "said"),
    [
        ("2020-01-30 10:30:47.524219 CET", None, "is in the timezone CET: say which that is"),
        ("2020-07-30 10:30:47.524219 CET", "Europe/Berlin", "is no time of Europe/Berlin, which has no CET then"),
        ("2020-01-30 10:30:47.524219", None, "is no time of the format"),
        ("2020-13-30 10:30:47.524219 UTC", None, "is no time of the format"),
        ("0001-01-01 00:00:00.000000 UTC", None, "is in the year 1"),
        ("9999-12-31 23:59:59.000000 -12", None, "is in the year 9999"),
        ("", None, "is no time of the format"),
        ("UTC" * 60, None, "is no time of the format"),
        ("2020-01-30 10:30:47.524219 " + "A" * 150, "Europe/Berlin", "has no A"),
        ("2020-01-30 10:30:47.524219 -9999", None, "is no time of the format"),
    ],
)
def test_what_is_no_time_says_why(text: str, zone: str | None, said: str) -> None:
    with pytest.raises(NotATime) as caught:
        read_time(text, DEFAULT_FORMAT, None if zone is None else ZoneInfo(zone))
    assert said in str(caught.value)


@pytest.mark.parametrize("time_format", ["%H:%M", "", "%Y-%m-%d", "%Q", "%", "%Y %Y", "%d %b %H:%M:%S %Z"])
def test_a_format_has_to_have_a_whole_time(time_format: str) -> None:
    assert not is_time_format(time_format)


def test_no_time_is_later_than_the_calendar() -> None:
    assert read_time("9998-12-31 23:59:59.000000 -12", DEFAULT_FORMAT, None) < datetime.max.replace(
        tzinfo=timezone.utc
    ) - timedelta(days=300)


@pytest.mark.parametrize("name", ["", "+", "++", "ps1", "a+ps1", "+ps1+2020", "a++2020", "a+ps1+"])
@pytest.mark.parametrize("time", [None, "2020"])
def test_other_names_are_none_of_submissions(name: str, time: str | None) -> None:
    assert split_submission_name(name, time) is None
