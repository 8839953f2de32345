"""The dates of an assignment: what is seen, in time, late and refused, by the store's own verbs."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ngshare_fs.formats.civil_time import moment_at, moment_in
from ngshare_fs.formats.duration import duration_in, duration_text
from ngshare_fs.store import Volume, course, dates, release, submission, timestamp_of
from ngshare_fs.store.errors import AssignmentClosed, AssignmentNotFound, WrongDates
from ngshare_fs.store.format.assignment_file import Extension

COURSE, ASSIGNMENT = "course1", "ps1"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    opened = Volume.open(tmp_path / "volume")
    course.create(opened, COURSE, ["kevin"])
    with opened.upload() as nothing:
        release.release(opened, COURSE, ASSIGNMENT, "kevin", nothing)
    yield opened
    opened.close()


def hand_in(volume: Volume, student: str, arrived: datetime, key: str | None = None) -> str:
    with volume.upload() as nothing:
        return submission.submit(volume, COURSE, ASSIGNMENT, student, nothing, key=key, arrived=arrived)


@pytest.mark.parametrize(
    ("text", "at", "written"),
    [
        ("2026-11-15 23:59:59 Europe/Vienna", "2026-11-15 22:59:59", "2026-11-15 23:59:59 Europe/Vienna"),
        ("2026-11-15 23:59 UTC", "2026-11-15 23:59:00", "2026-11-15 23:59:00 UTC"),
        ("2026-11-15T08:00+05:30", "2026-11-15 02:30:00", "2026-11-15 08:00:00 +05:30"),
        ("2026-11-15", "2026-11-15 22:59:59", "2026-11-15 23:59:59 Europe/Vienna"),
        ("2028-02-29", "2028-02-29 22:59:59", "2028-02-29 23:59:59 Europe/Vienna"),
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
        ("0001-01-01 00:00 +14:00", "beyond the calendar"),
    ],
)
def test_what_is_no_time_is_told(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        moment_in(text)


def test_a_time_of_the_second_of_two_hours_is_written_so_that_it_is_read_again() -> None:
    second = utc("2026-10-25 01:30:00")
    assert moment_in(moment_at(second, "Europe/Vienna").text).at == second


@pytest.mark.parametrize(("text", "seconds"), [("5m", 300), ("2d", 172800), ("1h30m", 5400), ("0", 0), ("90s", 90)])
def test_durations(text: str, seconds: int) -> None:
    duration = duration_in(text)
    assert duration == timedelta(seconds=seconds)
    assert duration_in(duration_text(duration)) == duration


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "5m1h", "1.5h", "99999d"])
def test_what_is_no_duration_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|days"):
        duration_in(text)


def test_work_is_in_time_late_and_refused(volume: Volume) -> None:
    due, close = moment_in("2026-11-15 UTC"), moment_in("2026-11-17 UTC")
    dates.change(volume, COURSE, ASSIGNMENT, {"due": due, "close": close, "grace": timedelta(minutes=5)})
    found = dates.of(volume, COURSE, ASSIGNMENT)
    late = [found.late_seconds(due.at + timedelta(seconds=seconds)) for seconds in (-1, 0.9, 300.9, 301, 86400)]
    assert late == [0, 0, 0, 301, 86400]
    assert found.late_seconds(timestamp_of(due.at + timedelta(seconds=301.5))) == 301
    states = [found.state(due.at + timedelta(hours=hours)) for hours in (-1, 1, 49)]
    assert states == ["open", "late", "closed"]
    first = hand_in(volume, "ada", close.at + timedelta(seconds=0.9), "key")
    with pytest.raises(AssignmentClosed, match="ps1 closed at 2026-11-17 23:59:59 UTC"):
        hand_in(volume, "ada", close.at + timedelta(seconds=1))
    assert hand_in(volume, "ada", close.at + timedelta(days=1), "key") == first, "its receipt once more"


def test_an_extension_moves_dates_for_one_student_and_only_to_later(volume: Volume) -> None:
    due, close = moment_in("2026-11-15 UTC"), moment_in("2026-11-17 UTC")
    dates.change(volume, COURSE, ASSIGNMENT, {"due": due, "close": close})
    dates.extend(volume, COURSE, ASSIGNMENT, "ada", Extension(due=moment_in("2026-11-20 UTC"), reason="ill"))
    of_ada, of_bob = (dates.of(volume, COURSE, ASSIGNMENT, name) for name in ("ada", "bob"))
    assert (str(of_ada.due), str(of_ada.close)) == ("2026-11-20 23:59:59 UTC",) * 2
    assert (of_bob.due, of_bob.close, of_bob.extension) == (due, close, None)
    hand_in(volume, "ada", close.at + timedelta(days=1))
    # The assignment's own date is moved beyond it: the later one counts.
    dates.change(volume, COURSE, ASSIGNMENT, {"due": moment_in("2026-11-25 UTC"), "close": None})
    assert str(dates.of(volume, COURSE, ASSIGNMENT, "ada").due) == "2026-11-25 23:59:59 UTC"
    assert dates.take_back_extension(volume, COURSE, ASSIGNMENT, "ada")
    assert not dates.take_back_extension(volume, COURSE, ASSIGNMENT, "ada")


def test_dates_out_of_order_are_refused_and_change_nothing(volume: Volume) -> None:
    dates.change(volume, COURSE, ASSIGNMENT, {"due": moment_in("2026-11-15 UTC")})
    before = Path(volume.root, "courses", COURSE, "assignments", ASSIGNMENT, "assignment.yaml").read_bytes()
    for wrong in ({"release": moment_in("2026-11-16 UTC")}, {"close": moment_in("2026-11-14 UTC")}):
        with pytest.raises(WrongDates, match="is later than the"):
            dates.change(volume, COURSE, ASSIGNMENT, wrong)
    with pytest.raises(WrongDates, match="not later than the due date of everybody"):
        dates.extend(volume, COURSE, ASSIGNMENT, "ada", Extension(due=moment_in("2026-11-15 UTC")))
    assert Path(volume.root, "courses", COURSE, "assignments", ASSIGNMENT, "assignment.yaml").read_bytes() == before
    with pytest.raises(AssignmentNotFound):
        dates.change(volume, COURSE, "ps2", {"due": moment_in("2026-11-15 UTC")})


def test_before_its_release_students_do_not_see_an_assignment(volume: Volume) -> None:
    moment = moment_in("2026-11-02 08:00 UTC")
    dates.change(volume, COURSE, ASSIGNMENT, {"release": moment})
    just_before = moment.at - timedelta(microseconds=1)
    assert not release.is_visible(volume, COURSE, ASSIGNMENT, just_before)
    assert release.visible_assignments(volume, COURSE, just_before) == []
    assert release.visible_assignments(volume, COURSE, moment.at) == [ASSIGNMENT]
