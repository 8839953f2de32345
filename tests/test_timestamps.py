"""Timestamps and the folders that they name."""

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngshare_fs.store.format import timestamp
from tests import volumes

MOMENTS = st.datetimes(datetime(1970, 1, 1), timezones=st.just(timezone.utc))


@given(MOMENTS, MOMENTS)
def test_a_timestamp_comes_back_and_folders_sort_as_time_does(one: datetime, other: datetime) -> None:
    folder = timestamp.folder_of(timestamp.of(one))
    assert timestamp.from_folder(folder) == timestamp.of(one)
    assert folder == volumes.folder_of_time(timestamp.of(one))
    assert (folder < timestamp.folder_of(timestamp.of(other))) == (one < other)


@pytest.mark.parametrize(
    "folder",
    [
        "20200230T103047.524219Z",
        "20190229T103047.524219Z",
        "20200431T103047.524219Z",
        "20201301T103047.524219Z",
        "20200100T103047.524219Z",
        "20200130T240000.000000Z",
        "20200130T106000.000000Z",
        "20200130T103060.000000Z",
        "00000130T103047.524219Z",
        "20200130T103047.524219",
        "20200130T103047.52421Z",
        "20200130T103047,524219Z",
        "20200130t103047.524219z",
        "2020\N{ARABIC-INDIC DIGIT ONE}130T103047.524219Z",
        "20200130T103047.524219Z\n",
        "2020-01-30 10:30:47.524219 UTC",
        "latest",
        "",
    ],
)
def test_folders_that_are_no_time(folder: str) -> None:
    assert timestamp.from_folder(folder) is None


def test_the_last_day_of_february() -> None:
    assert timestamp.from_folder("20200229T000000.000000Z") == "2020-02-29 00:00:00.000000 UTC"


@given(MOMENTS.filter(lambda moment: moment.year < 9999))
def test_the_next_timestamp_is_later_even_where_the_clock_was_set_back(moment: datetime) -> None:
    latest = timestamp.of(moment)
    assert timestamp.after(latest) > latest
