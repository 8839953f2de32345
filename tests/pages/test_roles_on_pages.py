"""Who sees which page: every role against every page, and what of an assignment that is not to be seen."""

import itertools
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.web.frame.download import FILE, Download
from ngshare_fs.web.frame.page import Page
from ngshare_fs.web.table import DOWNLOADS, PAGES
from tests.pages.browsing import ROLES, Browser, browser, feedback_on_the_newest, links, something_deleted, words
from tests.trees import tree

__all__ = ["browser"]

MEMBERS = {"root", "kevin", "tara", "lawrence", "other student"}
GRADERS = {"root", "kevin", "tara"}
# The user in the address is lawrence.
ALLOWED = {
    Who.ANYONE: set(ROLES),
    Who.MEMBER: MEMBERS,
    Who.GRADER: GRADERS,
    Who.GRADER_OR_SELF: GRADERS | {"lawrence"},
    Who.INSTRUCTOR: {"root", "kevin"},
    Who.ADMIN: {"root"},
    Who.COURSE_CREATOR: {"root"},
}
# The contract, written out once more, so that a slip in the declarations shows.
CONTRACT = {
    "": Who.ANYONE,
    "pages/course/{course}": Who.MEMBER,
    "pages/assignment/{course}/{assignment}": Who.MEMBER,
    "pages/hand-in/{course}/{assignment}": Who.MEMBER,
    "pages/release-file/{course}/{assignment}": Who.MEMBER,
    "pages/release-view/{course}/{assignment}": Who.MEMBER,
    "pages/release-zip/{course}/{assignment}": Who.MEMBER,
    "pages/submissions/{course}/{assignment}/{user}": Who.GRADER_OR_SELF,
    "pages/submission-file/{course}/{assignment}/{user}": Who.GRADER_OR_SELF,
    "pages/submission-view/{course}/{assignment}/{user}": Who.GRADER_OR_SELF,
    "pages/submission-zip/{course}/{assignment}/{user}": Who.GRADER_OR_SELF,
    "pages/receipt/{course}/{assignment}/{user}": Who.GRADER_OR_SELF,
    "pages/receipt-json/{course}/{assignment}/{user}": Who.GRADER_OR_SELF,
    "pages/feedback/{course}": Who.MEMBER,
    "pages/feedback-file/{course}/{assignment}/{user}": Who.GRADER_OR_SELF,
    "pages/feedback-view/{course}/{assignment}/{user}": Who.GRADER_OR_SELF,
    "pages/feedback-zip/{course}/{assignment}/{user}": Who.GRADER_OR_SELF,
    "pages/class/{course}": Who.GRADER,
    "pages/class-csv/{course}": Who.GRADER,
    "pages/student/{course}/{user}": Who.GRADER,
    "pages/collect/{course}/{assignment}": Who.GRADER,
    "pages/class-zip/{course}/{assignment}": Who.GRADER,
    "pages/manage/{course}/{assignment}": Who.INSTRUCTOR,
    "pages/release/{course}": Who.INSTRUCTOR,
    "pages/release-new/{course}/{assignment}": Who.INSTRUCTOR,
    "pages/release-anew/{course}/{assignment}": Who.INSTRUCTOR,
    "pages/dates/{course}/{assignment}": Who.INSTRUCTOR,
    "pages/extensions/{course}/{assignment}": Who.INSTRUCTOR,
    "pages/take-back-extension/{course}/{assignment}/{user}": Who.INSTRUCTOR,
    "pages/take-back/{course}/{assignment}": Who.INSTRUCTOR,
    "pages/delete-assignment/{course}/{assignment}": Who.INSTRUCTOR,
    "pages/roster/{course}": Who.GRADER,
    "pages/roster-entry/{course}": Who.INSTRUCTOR,
    "pages/roster-change/{course}": Who.INSTRUCTOR,
    "pages/roster-remove/{course}": Who.INSTRUCTOR,
    "pages/trash/{course}": Who.INSTRUCTOR,
    "pages/restore/{course}": Who.INSTRUCTOR,
    "pages/new-course": Who.COURSE_CREATOR,
    "pages/admin": Who.ADMIN,
    "pages/admin-rename/{course}": Who.ADMIN,
    "pages/admin-delete/{course}": Who.ADMIN,
    "pages/admin-volume": Who.ADMIN,
    "pages/admin-health": Who.ADMIN,
    "pages/admin-journal": Who.ADMIN,
    "pages/admin-journal-csv": Who.ADMIN,
    "pages/admin-trash": Who.ADMIN,
    "pages/admin-restore": Who.ADMIN,
    "pages/admin-trash-empty": Who.ADMIN,
}
EVERYTHING: tuple[Page | Download, ...] = (*PAGES, *DOWNLOADS)
NAMES = {"course": "c", "assignment": "a", "user": "lawrence"}
ASSIGNMENT = "pages/assignment/{course}/{assignment}"
RELEASE_FILE = "pages/release-file/{course}/{assignment}"


def test_the_table_of_pages_is_the_contract() -> None:
    assert {each.path: each.who for each in EVERYTHING} == CONTRACT


def test_no_name_is_taken_for_another_page() -> None:
    for each in EVERYTHING:
        parts = each.path.split("/")
        is_name = [part.startswith("{") for part in parts]
        assert is_name == sorted(is_name), each.path  # fixed words first
    words = [tuple(part for part in each.path.split("/") if not part.startswith("{")) for each in EVERYTHING]
    assert len(words) == len(set(words))


async def test_every_role_against_every_page(browser: Browser) -> None:
    """Nobody changes anything by looking: one course does for all."""
    moment, entry = await feedback_on_the_newest(browser), await something_deleted(browser)
    wrong = []
    for declared, role in itertools.product(EVERYTHING, ROLES):
        query: dict[str, Any] = {FILE: "p.ipynb"} if isinstance(declared, Download) else {}
        if declared.path.startswith("pages/feedback-"):
            query["timestamp"] = moment
        if "restore" in declared.path:
            query["entry"] = entry
        seen = await browser.look(declared.path, role, NAMES, **query)
        is_refused = seen.status == 403 and "Permission denied" in words(seen.text)
        if seen.status != 200 if role in ALLOWED[declared.who] else not is_refused:
            wrong.append((declared.path, role, seen.status))
    assert not wrong


async def test_what_is_not_there_is_a_page_that_says_so(browser: Browser) -> None:
    wrong = []
    for declared, role in itertools.product([each for each in EVERYTHING if each.conditions.course], ROLES):
        seen = await browser.look(declared.path, role, {**NAMES, "course": "no such"})
        if declared.who is Who.ADMIN and role not in ALLOWED[Who.ADMIN]:
            said = seen.status == 403  # asked before the course, as the API does
        else:
            said = seen.status == 404 and "Course not found" in words(seen.text)
        if said and declared.conditions.assignment and role in ALLOWED[declared.who]:
            seen = await browser.look(declared.path, role, {**NAMES, "assignment": "no such"})
            said = seen.status == 404 and "Assignment not found" in words(seen.text)
        if not said:
            wrong.append((declared.path, role, seen.status))
    assert not wrong


async def test_nobody_hears_from_a_page_which_assignments_there_are(browser: Browser) -> None:
    for name in ("a", "no such"):
        seen = await browser.look(ASSIGNMENT, "stranger", {**NAMES, "assignment": name})
        assert seen.status == 403


async def test_what_was_taken_back_is_for_graders_and_for_who_has_handed_in(browser: Browser) -> None:
    assert (await browser.exchange.call("PUT", "assignment/c/a/withdrawn", "kevin")).status == 200
    expected = {"root": 200, "kevin": 200, "tara": 200, "lawrence": 200, "other student": 404, "stranger": 403}
    for role, status in expected.items():
        assert (await browser.look(ASSIGNMENT, role, NAMES)).status == status, role
    own = await browser.look(ASSIGNMENT, "lawrence", NAMES)
    assert "Taken back" in words(own.text)
    assert not [link for link in links(own.text) if "release-file" in link]
    assert (await browser.look(RELEASE_FILE, "lawrence", NAMES, file="p.ipynb")).status == 404
    assert (await browser.look(RELEASE_FILE, "kevin", NAMES, file="p.ipynb")).status == 200
    for role, is_listed in (("kevin", True), ("lawrence", True), ("other student", False)):
        course = await browser.look("pages/course/{course}", role, NAMES)
        assert ("/c/a?" in course.text) == is_listed, role


async def test_what_is_scheduled_is_for_graders(browser: Browser) -> None:
    files = tree({"p.ipynb": b"{}"})
    release = "9000-01-01 00:00:00 UTC"
    answer = await browser.exchange.call("POST", "assignment/c/later", "kevin", files=files, release=release)
    assert answer.status == 200
    names = {**NAMES, "assignment": "later"}
    for role, status in (("root", 200), ("kevin", 200), ("tara", 200), ("lawrence", 404), ("stranger", 403)):
        assert (await browser.look(ASSIGNMENT, role, names)).status == status, role
        if status != 200:
            assert (await browser.look(RELEASE_FILE, role, names, file="p.ipynb")).status == status, role
        if status != 403:
            course = await browser.look("pages/course/{course}", role, NAMES)
            assert ("later" in course.text) == (status == 200), role
    assert "Scheduled" in words((await browser.look(ASSIGNMENT, "kevin", names)).text)
    assert "later" not in (await browser.look("", "lawrence")).text


async def test_only_students_are_led_to_their_feedback(browser: Browser) -> None:
    for role, is_led in (
        ("lawrence", True),
        ("other student", True),
        ("tara", False),
        ("kevin", False),
        ("root", False),
    ):
        seen = await browser.look("pages/course/{course}", role, NAMES)
        assert any("pages/feedback/" in link for link in links(seen.text)) == is_led, role


async def test_an_assignment_leads_each_role_to_what_it_does_next(browser: Browser) -> None:
    for role, words_of_links in (
        ("lawrence", {"hand-in"}),
        ("tara", {"collect", "class", "hand-in"}),
        ("kevin", {"collect", "class", "manage", "hand-in"}),
    ):
        led = links((await browser.look(ASSIGNMENT, role, NAMES)).text)
        found = {word for word in ("hand-in", "collect", "manage") if any(f"pages/{word}/c/a" in each for each in led)}
        found |= {"class"} if any("pages/class/c?" in each and "of.a=1" in each for each in led) else set()
        assert found == words_of_links, role
