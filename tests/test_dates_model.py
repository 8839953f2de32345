"""Dates drawn at random, compared with a model that knows nothing but numbers of seconds."""

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.civil_time import Moment, moment_at
from ngshare_fs.store import Volume, course, dates, extensions, release, submission, timestamp_of
from ngshare_fs.store.dates import applying
from ngshare_fs.store.errors import AssignmentClosed, WrongDates
from ngshare_fs.store.format import assignment_file
from ngshare_fs.store.format.assignment_file import AssignmentFile, Extension
from ngshare_fs.store.format.course_rules import CourseRules
from tests.rounds import rounds

# The night in which clocks are set back in Vienna, so that hours come twice.
START = datetime(2026, 10, 24, 20, tzinfo=timezone.utc)
ZONES = ("Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "UTC", "+05:30")
STUDENT, OTHER = "ada", "bob"
# Often near one another, so that they meet to the second.
SECONDS = st.integers(0, 12) | st.integers(0, 40_000)
DATE = st.none() | SECONDS


@dataclass(frozen=True)
class Drawn:
    """Dates and durations in seconds since `START`; None where there is none."""

    release: int | None
    due: int | None
    close: int | None
    grace: int | None
    extended_due: int | None
    extended_close: int | None
    grace_of_course: int | None
    close_after: int | None
    zone: str

    @property
    def file(self) -> AssignmentFile:
        given = Extension(self.moment(self.extended_due), self.moment(self.extended_close))
        has_extension = (self.extended_due, self.extended_close) != (None, None)
        return AssignmentFile(
            self.moment(self.release),
            self.moment(self.due),
            self.moment(self.close),
            span(self.grace),
            {STUDENT: given} if has_extension else {},
        )

    @property
    def rules(self) -> CourseRules:
        return CourseRules(timezone=self.zone, grace=span(self.grace_of_course), close_after=span(self.close_after))

    def moment(self, second: int | None) -> Moment | None:
        return None if second is None else moment_at(START + timedelta(seconds=second), self.zone)

    def due_of(self, student: str) -> int | None:
        if self.due is None:
            return None
        extended = self.extended_due if student == STUDENT else None
        return max(self.due, -1 if extended is None else extended)

    def close_of(self, student: str) -> int | None:
        due, close = self.due_of(student), self.close
        if close is None:
            if due is None or self.close_after is None:
                return None
            close = due + self.close_after
        extended = (self.extended_due, self.extended_close) if student == STUDENT else ()
        later: int = max(close, *(each for each in (*extended, -1) if each is not None))
        return later

    def late(self, student: str, microseconds: int) -> int | None:
        due = self.due_of(student)
        if due is None:
            return None
        late = microseconds // 1_000_000 - due
        grace = self.grace_of_course if self.grace is None else self.grace
        return late if late > (grace or 0) else 0

    def is_closed(self, student: str, microseconds: int) -> bool:
        close = self.close_of(student)
        return close is not None and microseconds // 1_000_000 > close

    def state(self, student: str, microseconds: int) -> str:
        if self.release is not None and microseconds < self.release * 1_000_000:
            return "scheduled"
        if self.is_closed(student, microseconds):
            return "closed"
        return "late" if self.late(student, microseconds) else "open"

    def disorder(self) -> bool:
        named = [each for each in (self.release, self.due, self.close) if each is not None]
        return named != sorted(named)


def span(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


DRAWN = st.builds(Drawn, DATE, DATE, DATE, DATE, DATE, DATE, DATE, DATE, st.sampled_from(ZONES))
# Where something changes, and between.
CLOCKS = st.builds(lambda second, part: second * 1_000_000 + part, SECONDS, st.sampled_from([0, 1, 500_000, 999_999]))


def at(microseconds: int) -> datetime:
    return START + timedelta(microseconds=microseconds)


@given(DRAWN, st.sampled_from([STUDENT, OTHER]), st.lists(CLOCKS, min_size=1, max_size=5))
def test_dates_mean_what_the_model_says(drawn: Drawn, student: str, clocks: list[int]) -> None:
    found = applying(drawn.file, drawn.rules, student)
    assert found.due == drawn.moment(drawn.due_of(student))
    assert found.zone == drawn.zone
    for clock in clocks:
        now = at(clock)
        assert found.late_seconds(now) == drawn.late(student, clock)
        assert found.late_seconds(timestamp_of(now)) == drawn.late(student, clock), "the same of a timestamp"
        assert found.is_closed(now) == drawn.is_closed(student, clock)
        assert found.state(now) == drawn.state(student, clock)


@given(DRAWN)
def test_what_is_written_is_read_again_as_it_was(drawn: Drawn) -> None:
    file = drawn.file
    assert yaml_text.parse(file.to_yaml(), "assignment.yaml", assignment_file.understand) == file


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
TEXT = st.none() | st.text(st.characters(codec="utf-8"), max_size=20)
MORE = st.dictionaries(st.text("xyz 0", min_size=1, max_size=9), TEXT | st.lists(TEXT, max_size=2), max_size=2)


@given(st.dictionaries(NAMES, st.tuples(SECONDS, TEXT, TEXT, MORE), max_size=3), MORE)
def test_whoever_has_an_extension_and_whatever_else_is_written_there_stays(
    given_to: dict[str, tuple[int, str | None, str | None, dict[str, yaml_text.Node]]], more: dict[str, yaml_text.Node]
) -> None:
    extensions = {
        name: Extension(moment_at(START + timedelta(seconds=second), "UTC"), None, reason, by, None, said)
        for name, (second, reason, by, said) in given_to.items()
    }
    file = AssignmentFile(due=moment_at(START, "UTC"), extensions=extensions, more=more)
    found = yaml_text.parse(file.to_yaml(), "assignment.yaml", assignment_file.understand)
    assert found == file
    assert list(found.extensions) == list(extensions), "in their order"


@given(DRAWN, DATE, DATE)
def test_only_dates_in_order_are_written(drawn: Drawn, due: int | None, close: int | None) -> None:
    changes = {"due": drawn.moment(due), "close": drawn.moment(close)}
    after = replace(drawn, due=due, close=close)
    is_of_nothing = drawn.due is not None and due is None and drawn.extended_due is not None
    if after.disorder() or is_of_nothing:
        with pytest.raises(WrongDates, match=r"is later than the|take that back first"):
            dates.changed(drawn.file, changes)
    else:
        assert dates.changed(drawn.file, changes) == after.file


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Volume, Volume]]:
    """Two servers on one folder."""
    folder: Path = tmp_path_factory.mktemp("dates") / "volume"
    first, second = Volume.open(folder), Volume.open(folder)
    course.create(first, "c", ["kevin"])
    with first.upload() as nothing:
        release.release(first, "c", "a", "kevin", nothing)
    yield first, second
    first.close()
    second.close()


@settings(max_examples=rounds(80), deadline=None)
@given(DRAWN.filter(lambda drawn: not drawn.disorder()), st.lists(CLOCKS, min_size=1, max_size=6), st.booleans())
def test_two_servers_agree_at_once_whatever_their_clocks_say(
    volumes: tuple[Volume, Volume], drawn: Drawn, clocks: list[int], by_first: bool
) -> None:
    """The clocks go back and forth: nothing is remembered of what they said before."""
    writer, other = volumes if by_first else volumes[::-1]
    file = drawn.file
    for student in dates.written(writer, "c", "a").extensions:
        extensions.take_back(writer, "c", "a", student)
    dates.change(other, "c", "a", {"release": file.release, "due": file.due, "close": file.close, "grace": file.grace})
    # The course has no rules, and an extension may be refused as none.
    model = replace(drawn, extended_due=None, extended_close=None, grace_of_course=None, close_after=None)
    for given_to in file.extensions.values():
        with contextlib.suppress(WrongDates):
            extensions.extend(writer, "c", "a", STUDENT, given_to)
            model = replace(drawn, grace_of_course=None, close_after=None)
    for clock, volume in zip(clocks, itertools.cycle([writer, other])):
        for student in (STUDENT, OTHER):
            assert dates.of(volume, "c", "a", student).state(at(clock)) == model.state(student, clock)
        with volume.upload() as nothing:
            if model.is_closed(STUDENT, clock):
                with pytest.raises(AssignmentClosed):
                    submission.submit(volume, "c", "a", STUDENT, nothing, arrived=at(clock))
            else:
                submission.submit(volume, "c", "a", STUDENT, nothing, arrived=at(clock))
        is_seen = model.state(OTHER, clock) != "scheduled"
        assert release.is_visible(volume, "c", "a", at(clock)) == is_seen
        assert release.visible_assignments(volume, "c", at(clock)) == (["a"] if is_seen else [])
