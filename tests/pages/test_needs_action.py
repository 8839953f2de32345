"""What needs action on the page of a course: each thing in words, with where to do it, and nothing else."""

import os
from datetime import timedelta
from typing import Any

import pytest

from ngshare_fs.formats.civil_time import moment_at
from ngshare_fs.store import (
    Extension,
    Person,
    Volume,
    assignment,
    dates,
    extensions,
    feedback,
    release,
    roster,
    submission,
    timestamp_of,
)
from ngshare_fs.store.dates import now
from ngshare_fs.store.upkeep import figures, last_count
from ngshare_fs.web.instructor.class_work.needs import Need
from ngshare_fs.web.student.course import COURSE
from tests.pages.browsing import Browser, browser, links, words
from tests.pages.visiting import visit
from tests.stores import upload, volume

__all__ = ["browser", "volume"]

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PATH = "pages/course/{course}"


def needs(volume: Volume, user: str = "kevin", **settings: Any) -> dict[str, tuple[str, int]]:
    """What is needed, and of how many."""
    found: list[Need] = COURSE.read(visit(COURSE, volume, user, {"course": "c"}, **settings))["needs"]
    return {need.what: (need.assignment, need.count) for need in found}


def set_dates(volume: Volume, **ages: timedelta | None) -> None:
    present = now().replace(microsecond=0)
    changes = {name: None if age is None else moment_at(present - age, "UTC") for name, age in ages.items()}
    dates.change(volume, "c", "a", changes)


def hand_in(volume: Volume, student: str, age: timedelta) -> None:
    with upload(volume, f=b"1") as work:
        submission.submit(volume, "c", "a", student, work, at=timestamp_of(now() - age))


@pytest.fixture
def class_(volume: Volume) -> Volume:
    """Three students; one has handed in two days ago."""
    roster.set_students(volume, "c", [(name, Person()) for name in ("ada", "max", "zoe")])
    hand_in(volume, "ada", 2 * DAY)
    return volume


def test_what_was_due_wants_grades_and_those_who_are_missing(class_: Volume) -> None:
    set_dates(class_, due=-DAY)
    assert needs(class_) == {}
    set_dates(class_, due=DAY)
    assert needs(class_) == {"ungraded": ("a", 1), "missing": ("a", 2)}
    moment = submission.newest_of(class_, "c", "a", "ada")
    assert moment is not None
    with upload(class_, f=b"1") as work:
        feedback.give(class_, "c", "a", "ada", moment, "kevin", work, at=timestamp_of(now() - HOUR))
    assert needs(class_) == {"missing": ("a", 2)}
    hand_in(class_, "max", HOUR / 2)
    assert needs(class_) == {"new": ("a", 1), "missing": ("a", 1)}


def test_what_nobody_waits_for_any_more_is_not_named(class_: Volume) -> None:
    set_dates(class_, due=15 * DAY)
    assert needs(class_) == {"ungraded": ("a", 1)}
    submission.delete(class_, "c", "a", "ada", submission.submissions_to(class_, "c", "a")[0].timestamp, "kevin")
    hand_in(class_, "ada", 61 * DAY)
    assert needs(class_) == {}


def test_an_extension_that_runs_out(class_: Volume) -> None:
    set_dates(class_, due=20 * DAY)
    for student in ("ada", "max"):
        extension = Extension(due=moment_at(now().replace(microsecond=0) + 2 * DAY, "UTC"))
        extensions.extend(class_, "c", "a", student, extension)
    assert needs(class_) == {"ungraded": ("a", 1), "extension": ("a", 1)}
    hand_in(class_, "max", HOUR)
    assert needs(class_) == {"ungraded": ("a", 2)}


def test_work_on_what_students_do_not_see(class_: Volume) -> None:
    set_dates(class_, release=-DAY)
    assert needs(class_) == {"work-while-scheduled": ("a", 1)}
    set_dates(class_, release=None)
    release.withdraw(class_, "c", "a", "kevin")
    assert needs(class_) == {"work-while-withdrawn": ("a", 1)}


def test_trash_that_will_be_gone(class_: Volume) -> None:
    with upload(class_, f=b"1") as files:
        release.release(class_, "c", "b", "kevin", files)
    assignment.delete(class_, "c", "b", "kevin")
    (entry,) = os.listdir(f"{class_.root}/trash")
    old = timestamp_of(now() - 85 * DAY)
    folder = f"{old[:4]}{old[5:7]}{old[8:10]}T{old[11:13]}{old[14:16]}{old[17:26]}Z{entry[23:]}"
    assert "trash" not in needs(class_)
    os.rename(f"{class_.root}/trash/{entry}", f"{class_.root}/trash/{folder}")
    assert needs(class_)["trash"] == ("", 1)
    assert "trash" not in needs(class_, trash_days=0)
    assert "trash" not in needs(class_, trash_days=100)
    roster.set_grader(class_, "c", "tara", Person())
    assert "trash" not in needs(class_, "tara")


def test_a_course_that_is_nearly_full(class_: Volume) -> None:
    assert "room" not in needs(class_, quota_course=2)  # nobody has counted
    with last_count.counting(class_):
        last_count.leave(class_, figures.collect(class_, lambda: None))
    assert needs(class_, quota_course=2)["room"] == ("", 100)  # the release and ada's file, a byte each
    assert "room" not in needs(class_, quota_course=3)
    assert "room" not in needs(class_)
    roster.set_grader(class_, "c", "tara", Person())
    assert "room" not in needs(class_, "tara", quota_course=2)


async def test_each_need_is_a_sentence_with_a_link(browser: Browser) -> None:
    volume = browser.exchange.volume
    set_dates(volume, due=DAY)
    for german, said in ((False, "1 student has handed in nothing"), (True, "1 Abgabe fehlt")):
        seen = await browser.look(PATH, "tara", {"course": "c"}, german=german)
        assert said in words(seen.text)
    who = next(link for link in links(seen.text) if "show=missing" in link)
    missing = await browser.follow(who)
    assert "other student" in words(missing.text)
    assert "lawrence" not in words(missing.text)
    collect = next(link for link in links(seen.text) if "pages/collect/" in link)
    assert (await browser.follow(collect)).status == 200
    assert "Needs action" not in words((await browser.look(PATH, "lawrence", {"course": "c"})).text)


async def test_of_many_assignments_the_nearest_are_counted_and_any_other_on_request(browser: Browser) -> None:
    volume = browser.exchange.volume
    students = [(f"s{number:04}", Person()) for number in range(2000)]
    roster.set_students(volume, "c", students)
    for number in range(6):
        due = moment_at(now().replace(microsecond=0) + (number * 10 - 30) * DAY, "UTC")
        with upload(volume, f=b"1") as files:
            release.release(volume, "c", f"b{number}", "kevin", files, changes={"due": due})
    seen = await browser.look(PATH, "kevin", {"course": "c"})
    assert "Counted are the 3 assignments" in words(seen.text)
    others = [link for link in links(seen.text) if "count-of=" in link]
    assert [link.partition("count-of=")[2] for link in others] == ["b5", "b2", "b1", "b0"]
    again = await browser.follow(others[-1])
    assert "count-of=b0" not in again.text
    assert again.text.count("count-of=") == 4
