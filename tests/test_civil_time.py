"""Points in time and durations as people write them, on every sort of clock."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ngshare_fs.formats.civil_time import LAST_YEAR, Moment, moment_at, moment_in, zone_named
from ngshare_fs.formats.duration import LONGEST, duration_in, duration_text

# Clocks that are set by an hour, by half of one, at midnight, on other days, that lost a day, and that never are set.
ZONES = (
    "Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "America/Nuuk", "Africa/Cairo", "Africa/Casablanca",
    "Pacific/Apia", "Asia/Kolkata", "Asia/Kathmandu", "America/Caracas", "Etc/GMT+12", "UTC", "+05:30", "-0330",
)  # fmt: skip
INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(2060, 1, 1)) | st.datetimes(
    datetime(1970, 1, 2), datetime(LAST_YEAR, 1, 1)
)
# Hours around which clocks are set somewhere.
NEAR_CHANGES = st.builds(
    lambda day, second: day + timedelta(seconds=second),
    st.sampled_from([datetime(2026, 3, 29), datetime(2026, 10, 25), datetime(2026, 3, 28), datetime(2026, 10, 24),
                     datetime(2026, 4, 5), datetime(2026, 10, 4), datetime(2011, 12, 30), datetime(2026, 4, 24)]),
    st.integers(0, 86399),
)  # fmt: skip


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "at", "written"),
    [
        ("2026-11-15 23:59:59 Europe/Vienna", "2026-11-15 22:59:59", "2026-11-15 23:59:59 Europe/Vienna"),
        ("2026-11-15 23:59 UTC", "2026-11-15 23:59:00", "2026-11-15 23:59:00 UTC"),
        ("2026-11-15T08:00+05:30", "2026-11-15 02:30:00", "2026-11-15 08:00:00 +05:30"),
        ("2026-11-15", "2026-11-15 22:59:59", "2026-11-15 23:59:59 Europe/Vienna"),
        ("2028-02-29", "2028-02-29 22:59:59", "2028-02-29 23:59:59 Europe/Vienna"),
        ("2026-11-15 8:00:30.999 GMT", "2026-11-15 08:00:30", "2026-11-15 08:00:30 GMT"),
        ("2026-11-15T08:00Z", "2026-11-15 08:00:00", "2026-11-15 08:00:00 Z"),
        ("2026-11-15-0500", "2026-11-16 04:59:59", "2026-11-15 23:59:59 -0500"),
        ("9000-12-31 UTC", "9000-12-31 23:59:59", "9000-12-31 23:59:59 UTC"),
        # Clocks are set back at 3:00: 2:30 comes twice, and the first one is meant.
        ("2026-10-25 02:30", "2026-10-25 00:30:00", "2026-10-25 02:30:00 Europe/Vienna"),
    ],
)
def test_times_carry_their_zone(text: str, at: str, written: str) -> None:
    moment = moment_in(text, "Europe/Vienna")
    assert (moment.at, moment.text) == (utc(at), written)
    assert moment_in(moment.text) == moment


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tomorrow", "is no date and time such as"),
        ("2026-11-15 23:59:59", "names no time zone"),
        ("2026-02-29 UTC", "there is no 2026-02-29"),
        ("2026-11-15 24:00 UTC", "there is no 2026-11-15 24:00:00"),
        ("2026-03-29 02:30 Europe/Vienna", "clocks in Europe/Vienna were set forward"),
        ("2026-11-15 Europe/Wien", "'Europe/Wien' is no time zone"),
        ("2026-11-15 08:00 +25:00", "no offset"),
        ("2026-11-15 ../../etc/passwd", "is no date and time such as"),
        ("2026-12-31 23:59:60 UTC", "there is no 2026-12-31 23:59:60"),
        ("2026-1-5 UTC", "is no date and time such as"),
        ("2026-11-15 T 08:00 UTC", "is no date and time such as"),
        ("2026-11-15 08:00\nUTC", "is no date and time such as"),
        ("\uff12026-11-15 UTC", "is no date and time such as"),
        ("x" * 10_000, "x…' is no date and time such as"),
        ("0001-01-01 00:00 +14:00", "the year has to be one from 1970 to 9000"),
        ("9999-12-31 23:59:59 UTC", "the year has to be one from 1970 to 9000"),
        # A whole day was left out when the date line was moved.
        ("2011-12-30 Pacific/Apia", "clocks in Pacific/Apia were set forward"),
    ],
)
def test_what_is_no_time_is_told(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        moment_in(text)


def test_a_time_of_the_second_of_two_hours_is_written_so_that_it_is_read_again() -> None:
    second = utc("2026-10-25 01:30:00")
    assert moment_in(moment_at(second, "Europe/Vienna").text).at == second


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5m", 300), ("2d", 172800), ("1h30m", 5400), ("0", 0), ("90s", 90), ("1h 30m", 5400), ("2 d", 172800), ("0d", 0)],
)
def test_durations(text: str, seconds: int) -> None:
    duration = duration_in(text)
    assert duration == timedelta(seconds=seconds)
    assert duration_in(duration_text(duration)) == duration


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "5m1h", "1.5h", "99999d", "1 0m", "\uff19m", "0 0", "5m5m"])
def test_what_is_no_duration_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|days"):
        duration_in(text)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Europe", " is no time zone"),
        ("posixrules", " is no time zone"),
        ("localtime", " is no time zone"),
        ("Factory", " is no time zone"),
        ("right/Europe/Vienna", " is no time zone: did you mean Europe/Vienna?"),
        ("posix/Europe/Vienna", " is no time zone: did you mean Europe/Vienna?"),
        ("europe/vienna", ": did you mean Europe/Vienna?"),
        ("Europe/Viena", ": did you mean Europe/Vienna?"),
        ("utc", ": did you mean UTC?"),
        ("CEST", " is no time zone such as Europe/Vienna, UTC or +01:00"),
        ("tzdata.zi", " such as Europe/Vienna, UTC or"),
        ("../zoneinfo/UTC", " is no time zone"),
        ("/etc/localtime", " is no time zone"),
        ("Europe/Vienna\0", " is no time zone"),
        ("", " such as Europe/Vienna, UTC or"),
        ("x" * 5000, "x…' is no time zone"),
        ("+14:01", "is no offset from UTC"),
        ("-00:60", "is no offset from UTC"),
    ],
)
def test_what_is_no_zone_is_told(name: str, said: str) -> None:
    with pytest.raises(ValueError, match="is no") as caught:
        zone_named(name)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 250


def moments_of(local: datetime, zone: str) -> list[datetime]:
    """All points in time at which the clocks of a zone show something, in their order: none, one or two."""
    rules = zone_named(zone)
    days = (local.replace(tzinfo=timezone.utc) + timedelta(days=days) for days in (-2, -1, 0, 1, 2))
    offsets = {day.astimezone(rules).utcoffset() for day in days}
    found = [(local - offset).replace(tzinfo=timezone.utc) for offset in offsets if offset is not None]
    return sorted(at for at in found if at.astimezone(rules).replace(tzinfo=None) == local)


@given(INSTANTS | NEAR_CHANGES, st.sampled_from(ZONES))
@example(datetime(2026, 3, 29, 2, 30), "Europe/Vienna")
@example(datetime(2026, 10, 25, 2, 30), "Europe/Vienna")
def test_a_time_is_the_first_at_which_clocks_show_it(local: datetime, zone: str) -> None:
    local = local.replace(microsecond=0)
    moments = moments_of(local, zone)
    if moments:
        found = moment_in(f"{local:%Y-%m-%d %H:%M:%S}", zone)
        assert found.at == moments[0]
        assert moment_in(str(found)) == found
    else:
        with pytest.raises(ValueError, match="there was no such time that day"):
            moment_in(f"{local:%Y-%m-%d %H:%M:%S}", zone)


@given(INSTANTS | NEAR_CHANGES, st.sampled_from(ZONES))
@example(datetime(2026, 10, 25, 1, 30), "Europe/Vienna")
def test_what_is_written_of_a_point_in_time_names_it_again(instant: datetime, zone: str) -> None:
    at = instant.replace(microsecond=0, tzinfo=timezone.utc)
    assert moment_in(moment_at(at, zone).text).at == at


@given(st.text("0123456789-:.TZ+ UTCEuropeViennaGMT/_\n", max_size=40), st.none() | st.sampled_from(ZONES))
def test_any_text_is_a_time_or_told(text: str, zone: str | None) -> None:
    try:
        found = moment_in(text, zone)
    except ValueError:
        return
    assert isinstance(found, Moment)
    assert moment_in(found.text) == found


@given(st.integers(0, int(LONGEST.total_seconds())))
def test_any_duration_is_read_as_it_is_written(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert duration_in(duration_text(duration)) == duration
