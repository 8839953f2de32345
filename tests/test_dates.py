"""The dates of an assignment: what is seen, in time, late and refused, by the store's own verbs."""

import threading
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ngshare_fs.formats.civil_time import moment_in
from ngshare_fs.store import (
    LastCheck,
    Volume,
    assignment,
    course,
    dates,
    extensions,
    no_check,
    release,
    submission,
    timestamp_of,
)
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.errors import AssignmentClosed, AssignmentExists, AssignmentNotFound, WrongDates
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
    extensions.extend(volume, COURSE, ASSIGNMENT, "ada", Extension(due=moment_in("2026-11-20 UTC"), reason="ill"))
    of_ada, of_bob = (dates.of(volume, COURSE, ASSIGNMENT, name) for name in ("ada", "bob"))
    assert (str(of_ada.due), str(of_ada.close)) == ("2026-11-20 23:59:59 UTC",) * 2
    assert (of_bob.due, of_bob.close, of_bob.extension) == (due, close, None)
    hand_in(volume, "ada", close.at + timedelta(days=1))
    # The assignment's own date is moved beyond it: the later one counts.
    dates.change(volume, COURSE, ASSIGNMENT, {"due": moment_in("2026-11-25 UTC"), "close": None})
    assert str(dates.of(volume, COURSE, ASSIGNMENT, "ada").due) == "2026-11-25 23:59:59 UTC"
    assert extensions.take_back(volume, COURSE, ASSIGNMENT, "ada")
    assert not extensions.take_back(volume, COURSE, ASSIGNMENT, "ada")


def test_dates_out_of_order_are_refused_and_change_nothing(volume: Volume) -> None:
    dates.change(volume, COURSE, ASSIGNMENT, {"due": moment_in("2026-11-15 UTC")})
    before = Path(volume.root, "courses", COURSE, "assignments", ASSIGNMENT, "assignment.yaml").read_bytes()
    for wrong in ({"release": moment_in("2026-11-16 UTC")}, {"close": moment_in("2026-11-14 UTC")}):
        with pytest.raises(WrongDates, match="is later than the"):
            dates.change(volume, COURSE, ASSIGNMENT, wrong)
    with pytest.raises(WrongDates, match="not later than the due date of everybody"):
        extensions.extend(volume, COURSE, ASSIGNMENT, "ada", Extension(due=moment_in("2026-11-15 UTC")))
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


def path_of(volume: Volume, assignment: str = ASSIGNMENT) -> Path:
    return Path(volume.root, "courses", COURSE, "assignments", assignment, "assignment.yaml")


def release_new(volume: Volume, assignment: str, changes: Mapping[str, object], check: LastCheck = no_check) -> None:
    with volume.upload() as nothing:
        release.release(volume, COURSE, assignment, "kevin", nothing, last_check=check, changes=changes)


def release_again(volume: Volume, changes: Mapping[str, object] | None, check: LastCheck = no_check) -> None:
    with volume.upload() as nothing:
        release.release_again(volume, COURSE, ASSIGNMENT, "kevin", nothing, check, changes)


def test_dates_of_a_new_assignment_are_published_with_it(volume: Volume) -> None:
    moment = moment_in("2099-01-01 UTC")

    def check() -> None:
        assert not path_of(volume, "ps2").parent.exists(), "nothing is there before all is"

    release_new(volume, "ps2", {"release": moment, "grace": timedelta(minutes=5)}, check)
    assert path_of(volume, "ps2").read_text() == "release: 2099-01-01 23:59:59 UTC\ngrace: 5m\n"
    assert release.visible_assignments(volume, COURSE, dates.now()) == [ASSIGNMENT]
    release_new(volume, "ps3", {"due": None})
    assert not path_of(volume, "ps3").exists()
    assert list(verify_volume(Path(volume.root))) == []


def test_a_release_with_wrong_dates_is_none(volume: Volume) -> None:
    wrong = {"release": moment_in("2026-11-16 UTC"), "due": moment_in("2026-11-15 UTC")}
    with pytest.raises(WrongDates):
        release_new(volume, "ps2", wrong)
    before = set(path_of(volume).parent.rglob("*"))
    with pytest.raises(WrongDates):
        release_again(volume, wrong)
    with pytest.raises(AssignmentExists):
        release_new(volume, ASSIGNMENT, {"release": moment_in("2099-01-01 UTC")})
    assert not path_of(volume, "ps2").parent.exists()
    assert set(path_of(volume).parent.rglob("*")) == before
    assert not list(Path(volume.root).glob(".ngshare/staging/*/*"))


@pytest.mark.parametrize("withdrawn", [False, True])
def test_a_further_release_has_its_dates_before_anybody_sees_it(volume: Volume, withdrawn: bool) -> None:
    if withdrawn:
        release.withdraw(volume, COURSE, ASSIGNMENT, "kevin")
    moment = moment_in("2099-01-01 UTC")
    seen: list[tuple[bool, int]] = []

    def check() -> None:
        entries = len(list(path_of(volume).parent.glob("releases/*")))
        seen.append((dates.written(volume, COURSE, ASSIGNMENT).release == moment, entries))

    if withdrawn:
        release_new(volume, ASSIGNMENT, {"release": moment}, check)
        assert seen[-1] == (True, 2)
    else:
        release_again(volume, {"release": moment}, check)
        assert list(dict.fromkeys(seen)) == [(False, 1), (True, 1)]
    assert release.visible_assignments(volume, COURSE, dates.now()) == []
    assert release.is_open(volume, COURSE, ASSIGNMENT)


class _NotNow(Exception):
    pass


@pytest.mark.parametrize("withdrawn", [False, True])
@pytest.mark.parametrize("had_dates", [False, True])
def test_a_further_release_that_fails_leaves_the_dates_as_they_were(
    volume: Volume, withdrawn: bool, had_dates: bool
) -> None:
    due = moment_in("2026-11-15 UTC")
    if had_dates:
        dates.change(volume, COURSE, ASSIGNMENT, {"due": due})
    if withdrawn:
        release.withdraw(volume, COURSE, ASSIGNMENT, "kevin")
    before = dates.written(volume, COURSE, ASSIGNMENT)
    changes = {"release": moment_in("2026-11-01 UTC"), "due": moment_in("2099-01-01 UTC")}

    def check() -> None:
        if dates.written(volume, COURSE, ASSIGNMENT) != before:
            raise _NotNow

    with pytest.raises(_NotNow):
        release_new(volume, ASSIGNMENT, changes, check) if withdrawn else release_again(volume, changes, check)
    assert dates.written(volume, COURSE, ASSIGNMENT) == before
    assert release.is_open(volume, COURSE, ASSIGNMENT) != withdrawn

    def edited_meanwhile() -> None:
        if dates.written(volume, COURSE, ASSIGNMENT) != before:
            dates.change(volume, COURSE, ASSIGNMENT, {"grace": timedelta(minutes=1)})
            raise _NotNow

    with pytest.raises(_NotNow):
        release_new(volume, ASSIGNMENT, changes, edited_meanwhile) if withdrawn else release_again(
            volume, changes, edited_meanwhile
        )
    assert dates.written(volume, COURSE, ASSIGNMENT).grace == timedelta(minutes=1), "what others wrote is theirs"


def test_a_release_that_shows_an_assignment_is_there_before_the_dates_say_so(volume: Volume) -> None:
    dates.change(volume, COURSE, ASSIGNMENT, {"release": moment_in("2099-01-01 UTC")})
    seen: list[tuple[bool, int]] = []

    def check() -> None:
        entries = len(list(path_of(volume).parent.glob("releases/*")))
        seen.append((release.is_visible(volume, COURSE, ASSIGNMENT, dates.now()), entries))

    release_again(volume, {"release": moment_in("2026-01-01 UTC")}, check)
    assert list(dict.fromkeys(seen)) == [(False, 1), (False, 2)]
    assert release.is_visible(volume, COURSE, ASSIGNMENT, dates.now())
    dates.change(volume, COURSE, ASSIGNMENT, {"release": moment_in("2099-01-01 UTC")})
    with pytest.raises(WrongDates):
        release_again(
            volume, {"release": None, "due": moment_in("2026-11-15 UTC"), "close": moment_in("2026-01-01 UTC")}
        )
    assert len(list(path_of(volume).parent.glob("releases/*"))) == 2


def test_a_release_of_what_is_deleted_meanwhile(volume: Volume) -> None:
    def check() -> None:
        if path_of(volume).exists():
            assignment.delete(volume, COURSE, ASSIGNMENT, "kevin")

    with pytest.raises(AssignmentNotFound):
        release_again(volume, {"due": moment_in("2026-11-15 UTC")}, check)
    assert not path_of(volume).parent.exists()
    release_new(volume, ASSIGNMENT, {})
    release.withdraw(volume, COURSE, ASSIGNMENT, "kevin")
    release_new(volume, ASSIGNMENT, {"due": moment_in("2026-11-15 UTC")}, check)
    assert str(dates.of(volume, COURSE, ASSIGNMENT).due) == "2026-11-15 23:59:59 UTC"
    assert len(list(path_of(volume).parent.glob("releases/*"))) == 1, "as a new one"


def test_what_is_collected_is_what_was_in_time_for_each(volume: Volume) -> None:
    for day in (10, 12, 14, 16):
        for student in ("ada", "bob", "eve"):
            if (student, day) not in {("eve", 10), ("eve", 12)}:
                with volume.upload() as nothing:
                    moment = timestamp_of(utc(f"2026-11-{day} 12:00:00"))
                    submission.submit(volume, COURSE, ASSIGNMENT, student, nothing, at=moment)

    def days() -> list[tuple[str, str]]:
        in_time = dates.in_time(volume, COURSE, ASSIGNMENT)
        found = submission.to_collect(volume, COURSE, ASSIGNMENT, None, None, in_time)
        return [(each.student, each.timestamp[8:10]) for each in found]

    assert days() == [("ada", "16"), ("bob", "16"), ("eve", "16")]
    dates.change(volume, COURSE, ASSIGNMENT, {"due": moment_in("2026-11-12 11:59 UTC")})
    extensions.extend(volume, COURSE, ASSIGNMENT, "ada", Extension(due=moment_in("2026-11-14 UTC")))
    assert days() == [("ada", "14"), ("bob", "10"), ("eve", "16")], "who has nothing in time: the newest"
    dates.change(volume, COURSE, ASSIGNMENT, {"grace": timedelta(minutes=1)})
    assert days()[1] == ("bob", "12"), "with grace"
    both = submission.to_collect(
        volume, COURSE, ASSIGNMENT, timestamp_of(utc("2026-11-11 00:00:00")), ["ada"],
        dates.in_time(volume, COURSE, ASSIGNMENT),
    )  # fmt: skip
    assert [each.timestamp[8:10] for each in both] == ["10"]


def test_a_course_has_rules_for_all_its_assignments(volume: Volume) -> None:
    file = Path(volume.root, "courses", COURSE, "course.yaml")
    file.write_text(file.read_text() + "timezone: Europe/Vienna\ngrace: 5m\nclose_after: 2d\n")
    dates.change(volume, COURSE, ASSIGNMENT, {"due": moment_in("2026-10-23 Europe/Vienna")})
    found = dates.of(volume, COURSE, ASSIGNMENT)
    # Clocks are set back meanwhile: two days are 48 hours.
    assert (found.grace, str(found.close)) == (timedelta(minutes=5), "2026-10-25 22:59:59 Europe/Vienna")
    extension = Extension(close=moment_in("2026-10-25 22:00 Europe/Vienna"))
    with pytest.raises(WrongDates, match="not later than the close date of everybody, 2026-10-25 22:59:59"):
        extensions.extend(volume, COURSE, ASSIGNMENT, "ada", extension)
    dates.change(volume, COURSE, ASSIGNMENT, {"grace": timedelta()})
    assert dates.of(volume, COURSE, ASSIGNMENT).grace == timedelta(), "none is another thing than nothing said"


def test_extensions_of_what_is_not_there_are_refused(volume: Volume) -> None:
    def extend(**given: str) -> None:
        due, close = (moment_in(given[name]) if name in given else None for name in ("due", "close"))
        extensions.extend(volume, COURSE, ASSIGNMENT, "ada", Extension(due, close))

    with pytest.raises(WrongDates, match="needs a due date, a close date or both"):
        extend()
    with pytest.raises(WrongDates, match="there is no due date that could be extended"):
        extend(due="2026-11-15 UTC")
    with pytest.raises(WrongDates, match="never closes, so there is no close date"):
        extend(close="2026-11-15 UTC")
    dates.change(volume, COURSE, ASSIGNMENT, {"due": moment_in("2026-11-10 UTC"), "close": moment_in("2026-11-10 UTC")})
    with pytest.raises(WrongDates, match=r"the due date, .* is later than the close date"):
        extend(due="2026-11-20 UTC", close="2026-11-15 UTC")
    assert not dates.written(volume, COURSE, ASSIGNMENT).extensions
    extend(due="2026-11-20 UTC")
    with pytest.raises(WrongDates, match="ada has an extension of the due date: take that back first"):
        dates.change(volume, COURSE, ASSIGNMENT, {"due": None})
    dates.change(volume, COURSE, ASSIGNMENT, {"close": None})


def test_work_handed_in_for_a_student_by_those_who_teach_is_never_too_late(volume: Volume) -> None:
    dates.change(volume, COURSE, ASSIGNMENT, {"close": moment_in("2020-01-01 UTC")})
    with volume.upload() as nothing:
        submission.submit(volume, COURSE, ASSIGNMENT, "ada", nothing, by="kevin")
    with pytest.raises(AssignmentClosed):
        hand_in(volume, "ada", dates.now())


def test_what_several_servers_change_at_once_is_all_there(volume: Volume) -> None:
    dates.change(volume, COURSE, ASSIGNMENT, {"due": moment_in("2026-11-15 UTC")})
    other = Volume.open(Path(volume.root))

    def give(each: Volume, name: int) -> None:
        for number in range(8):
            extensions.extend(each, COURSE, ASSIGNMENT, f"{name}{number}", Extension(due=moment_in("2026-11-18 UTC")))

    threads = [threading.Thread(target=give, args=(each, name)) for name, each in enumerate((volume, other, volume))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    given = {f"{name}{number}" for name in range(3) for number in range(8)}
    assert set(dates.written(volume, COURSE, ASSIGNMENT).extensions) == given
