"""The page of somebody of a class: who they are, where from, their work, and what it takes."""

from datetime import timedelta

import pytest

from ngshare_fs.formats.civil_time import moment_at
from ngshare_fs.store import Extension, Person, Role, Volume, dates, extensions, roster, submission, timestamp_of
from ngshare_fs.store.dates import now
from ngshare_fs.web.instructor.class_work.student import STUDENT
from tests.pages.browsing import Browser, browser, links, words
from tests.pages.visiting import visit
from tests.stores import hand_in, upload, volume

__all__ = ["browser", "volume"]

PATH = "pages/student/{course}/{user}"
NAMES = {"course": "c", "assignment": "a", "user": "lawrence"}
DAY = timedelta(days=1)


async def test_who_it_is_and_where_their_entry_is_from(browser: Browser) -> None:
    volume = browser.exchange.volume
    roster.set_student(volume, "c", "ada", Person("Ada", "<b>Lovelace", "ada@example.org"))
    roster.mark(volume, "c", [("max", Role.STUDENT, Person("Max"))])
    for user, said in (
        ("ada", "Ada <b>Lovelace"),
        ("ada", "ada@example.org"),
        ("ada", "student, entered by name"),
        ("max", "student, brought by a group of the hub"),
        ("tara", "grader, entered by name"),
        ("gone", "no: has handed in here, and left, or was never entered"),
    ):
        seen = await browser.look(PATH, "tara", {**NAMES, "user": user})
        assert (seen.status, said in words(seen.text)) == (200, True), (user, words(seen.text))
        assert "<b>Lovelace" not in seen.text


async def test_work_leads_to_submissions_receipt_and_extension(browser: Browser) -> None:
    for role, is_offered in (("kevin", True), ("tara", False)):
        seen = await browser.look(PATH, role, NAMES)
        (submissions,) = [link for link in links(seen.text) if "pages/submissions/" in link]
        assert submissions.startswith("/api/pages/submissions/c/a/lawrence?")
        (receipt,) = [link for link in links(seen.text) if "pages/receipt/" in link]
        (moment,) = submission.submissions_by(browser.exchange.volume, "c", "a", "lawrence")
        assert "timestamp=" + moment.timestamp.replace(" ", "+").replace(":", "%3A") in receipt
        extensions = [link for link in links(seen.text) if "pages/extensions/c/a?" in link]
        assert [link.endswith("for=lawrence#give") for link in extensions] == [True] * is_offered


async def test_late_extended_and_contested(browser: Browser) -> None:
    volume, present = browser.exchange.volume, now().replace(microsecond=0)
    for age in (3 * DAY, DAY):
        with upload(volume, f=b"1") as files:
            submission.submit(volume, "c", "a", "other student", files, at=timestamp_of(present - age))
    dates.change(volume, "c", "a", {"due": moment_at(present - 2 * DAY, "UTC")})
    names = {**NAMES, "user": "other student"}
    shown = words((await browser.look(PATH, "kevin", names)).text)
    assert "all 2 submissions" in shown
    assert "late by 1 day" in shown
    assert "an earlier one is in time" in shown
    extension = Extension(due=moment_at(present - DAY / 2, "UTC"), reason="ill <i>")
    extensions.extend(volume, "c", "a", "other student", extension)
    shown = words((await browser.look(PATH, "kevin", names)).text)
    assert "has been given more time Reason: ill <i>" in shown
    assert "late by" not in shown
    assert "missing" not in shown
    roster.set_student(volume, "c", "idle", Person())
    assert "missing" in words((await browser.look(PATH, "kevin", {**NAMES, "user": "idle"})).text)


@pytest.mark.parametrize(("quota", "is_nearly_full"), [(0, False), (10, True), (9, True), (100, False)])
def test_what_they_have_stored_against_their_quota(volume: Volume, quota: int, is_nearly_full: bool) -> None:
    hand_in(volume, "ada", b"123456789")
    names = {"course": "c", "user": "ada"}
    read = STUDENT.read(visit(STUDENT, volume, "kevin", names, quota_student=quota))
    assert (read["stored"], read["limit"], read["is_nearly_full"]) == (9, quota, is_nearly_full)


async def test_the_quota_of_the_course_counts_before_the_servers(browser: Browser) -> None:
    file = browser.exchange.data / "courses/c/course.yaml"
    file.write_text("quota:\n  student: 2\n" + file.read_text("utf-8"), "utf-8")
    assert "2 B of 2 B Nearly full" in words((await browser.look(PATH, "kevin", NAMES)).text)
