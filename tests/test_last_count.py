"""What is counted is left on the volume for everybody, with a history that does not grow for ever."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from ngshare_fs.api import volume_walk
from ngshare_fs.api.volume_walk import VolumeWalk
from ngshare_fs.store import Person, Volume, assignment, course, feedback, roster
from ngshare_fs.store.format import timestamp
from ngshare_fs.store.upkeep import figures, last_count
from tests import waiting
from tests.stores import hand_in, upload, volume

__all__ = ["volume"]

LAST_COUNT, HISTORY = ".ngshare/last-count.jsonl", ".ngshare/history.jsonl"


def leave(volume: Volume) -> figures.Figures:
    found = figures.collect(volume, lambda: None)
    with last_count.counting(volume) as is_ours:
        assert is_ours
        last_count.leave(volume, found)
    return found


def test_what_each_course_has_is_found_again(volume: Volume) -> None:
    roster.set_students(volume, "c", [("lawrence", Person()), ("ada", Person())])
    moment = hand_in(volume, "lawrence", b"12345")
    with upload(volume, **{"f.html": b"12"}) as given:
        feedback.give(volume, "c", "a", "lawrence", moment, "kevin", given)
    assignment.delete(volume, "c", "a", by="kevin")
    with upload(volume, f=b"1234567") as released:
        from ngshare_fs.store import release

        release.release(volume, "c", "b", "kevin", released)
    course.create(volume, "empty")
    leave(volume)
    count = last_count.count_of(volume)
    assert count is not None
    assert set(count.courses) == {"c", "empty"}
    of_course = count.courses["c"]
    assert (of_course.instructors, of_course.graders, of_course.students) == (1, 0, 2)
    assert (of_course.assignments, of_course.submissions, of_course.stored) == (1, 0, 7)
    assert of_course.last_activity is not None
    assert count.courses["empty"].last_activity is None
    [size] = count.trash.values()
    assert size > 1 + 5 + 2
    assert count.moment.bytes_total >= count.moment.bytes_free > 0


def test_a_course_whose_file_is_broken_is_counted_all_the_same(volume: Volume) -> None:
    file = Path(volume.root) / "courses/c/course.yaml"
    file.write_text("course: [\n", "utf-8")
    leave(volume)
    count = last_count.count_of(volume)
    assert count is not None
    assert (count.courses["c"].students, count.courses["c"].assignments) == (None, 1)


def test_a_roster_is_read_again_where_it_has_changed(volume: Volume) -> None:
    rosters = figures.Rosters()
    for number in (0, 1, 2):
        roster.set_students(volume, "c", [(f"s{each}", Person()) for each in range(number)])
        found = figures.collect(volume, lambda: None, rosters).of_courses["c"]
        assert found.students == number
    course.delete(volume, "c", by="root")
    assert not figures.collect(volume, lambda: None, rosters).of_courses


def moments(volume: Volume, *ages: timedelta) -> None:
    lines = [json.dumps({"time": timestamp.ago(age), "courses": 1, "bytes_total": 10, "bytes_free": 5}) for age in ages]
    (Path(volume.root) / HISTORY).write_text("".join(f"{line}\n" for line in lines), "utf-8")


def test_a_moment_is_added_when_it_is_time_for_one(volume: Volume) -> None:
    for _ in range(3):
        leave(volume)
        assert len(last_count.history_of(volume).moments) == 1
    moments(volume, timedelta(days=2), timedelta(hours=6))
    leave(volume)
    assert len(last_count.history_of(volume).moments) == 3
    # A clock that was wrong once keeps nobody from going on.
    moments(volume, timedelta(days=-400))
    leave(volume)
    assert len(last_count.history_of(volume).moments) == 2


def test_the_oldest_go_and_what_somebody_wrote_in_between_stays(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_count, "MOST_MOMENTS", 5)
    moments(volume, *(timedelta(days=age) for age in (9, 8, 7, 6, 5, 4)))
    file = Path(volume.root) / HISTORY
    file.write_bytes(file.read_bytes() + b"# moved to the new disk\n\n")
    leave(volume)
    lines = file.read_bytes().splitlines()
    assert len(lines) == 5
    assert lines[3] == b"# moved to the new disk"
    history = last_count.history_of(volume)
    assert (len(history.moments), history.broken) == (4, 1)


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"time": 1}',
        b'{"time": "2026-11-30 10:00:00 UTC"}',
        b'{"time": "2026-02-30 10:00:00.000000 UTC"}',
        b'{"time": "2026-11-30 10:00:00.000000 UTC", "stored": -1}',
        b'{"time": "2026-11-30 10:00:00.000000 UTC", "stored": 1e300}',
        b'{"time": "2026-11-30 10:00:00.000000 UTC", "stored": true}',
        b'{"time": "2026-11-30 10:00:00.000000 UTC", "stored": 99999999999999999999}',
        b'{"course": "", "stored": 1}',
        b'{"course": "x", "students": "many"}',
        b'{"course": "x", "last_activity": "soon"}',
        b'{"entry": "x", "bytes": null}',
    ],
)
def test_broken_lines_take_no_others_along(volume: Volume, line: bytes) -> None:
    leave(volume)
    for place in (LAST_COUNT, HISTORY):
        file = Path(volume.root) / place
        file.write_bytes(line + b"\n" + file.read_bytes())
    count = last_count.count_of(volume)
    assert count is not None
    assert set(count.courses) == {"c"}
    assert not count.trash
    history = last_count.history_of(volume)
    assert (len(history.moments), history.broken) == (1, 1)


@pytest.mark.parametrize("place", [LAST_COUNT, HISTORY])
def test_what_is_no_file_is_not_read(volume: Volume, place: str) -> None:
    leave(volume)
    file = Path(volume.root) / place
    file.unlink()
    file.symlink_to("/dev/zero")
    assert (last_count.count_of(volume) is None) == (place == LAST_COUNT)
    assert bool(last_count.history_of(volume).problem) == (place == HISTORY)


def test_nothing_counted_yet(volume: Volume) -> None:
    assert last_count.count_of(volume) is None
    assert last_count.history_of(volume) == last_count.History([])
    assert last_count.seconds_since_last(volume) == float("inf")


def test_one_of_all_processes_counts_without_metrics(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_SECONDS", "LOOK_FOR_PAGES_SECONDS"):
        monkeypatch.setattr(volume_walk, name, 0.01)
    counted = []
    collect = figures.collect

    def counting(*arguments: object) -> figures.Figures:
        counted.append(threading.get_ident())
        time.sleep(0.05)
        return collect(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(figures, "collect", counting)
    walks = [VolumeWalk(volume, for_metrics=False) for _ in range(4)]
    for walk in walks:
        walk.start()
    try:
        waiting.until(lambda: last_count.count_of(volume) is not None, "the first count")
        # Those who come after see that it was done.
        waiting.until(lambda: len(counted) == 1, "one count")
    finally:
        for walk in walks:
            walk.stop()
        waiting.until(
            lambda: not [each for each in threading.enumerate() if each.name == "volume walk"], "the end of the threads"
        )
    assert len(counted) == 1


@pytest.mark.parametrize("fails", [OSError(28, "No space left on device"), RuntimeError("a mistake")])
def test_what_cannot_be_left_is_logged_once_and_counted_again(
    volume: Volume, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fails: Exception
) -> None:
    for name in ("FIRST_SECONDS", "LOOK_FOR_PAGES_SECONDS"):
        monkeypatch.setattr(volume_walk, name, 0.01)
    tries = []

    def leaves(*_: object) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise fails

    monkeypatch.setattr(last_count, "leave", leaves)
    walk = VolumeWalk(volume, for_metrics=False)
    walk.start()
    try:
        waiting.until(lambda: len(tries) > 3, "another try")
    finally:
        walk.stop()
    wanted: Callable[[str], bool] = lambda text: "cannot be left" in text or "could not be counted" in text  # noqa: E731
    said = [each for each in caplog.messages if wanted(each)]
    assert len(said) == (1 if isinstance(fails, OSError) else 2)


def test_a_volume_that_cannot_be_written_is_told_of_once(
    volume: Volume, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("FIRST_SECONDS", "LOOK_FOR_PAGES_SECONDS"):
        monkeypatch.setattr(volume_walk, name, 0.01)
    lock = Path(volume.root) / ".ngshare/locks/counting.lock"
    lock.mkdir(parents=True)  # no lock is had there
    tries: list[float] = []
    counting = last_count.counting

    def trying(volume: Volume) -> AbstractContextManager[bool]:
        tries.append(time.monotonic())
        return counting(volume)

    monkeypatch.setattr(last_count, "counting", trying)
    walk = VolumeWalk(volume, for_metrics=False)
    walk.start()
    try:
        waiting.until(lambda: len(tries) > 3, "more tries")
    finally:
        walk.stop()
    assert len([each for each in caplog.messages if "cannot be left" in each]) == 1
