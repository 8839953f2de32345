"""An instructor manages a course in a real browser, without any script."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from ngshare_fs.store import Person, Volume, course, dates, release, roster
from ngshare_fs.store.journal import search
from ngshare_fs.store.journal.events import Entry
from tests import servers
from tests.hubs.conftest import ACTION_SECONDS, with_a_browser
from tests.stores import upload

pytestmark = [pytest.mark.hubs, with_a_browser]

EVENTS = [
    ("release", "ps2"),
    ("set-dates", "ps2"),
    ("extend", "ps2"),
    ("set-students", ""),
    ("remove-students", ""),
    ("withdraw", "ps2"),
    ("release", "ps2"),
    ("delete-assignment", "ps1"),
]


@pytest.fixture
def taught(tmp_path: Path) -> Iterator[tuple[str, Volume]]:
    """A server, and its volume with a course."""
    data = tmp_path / "volume"
    with contextlib.closing(Volume.open(data)) as volume:
        course.create(volume, "NBG 101", ["kevin"])
        roster.set_students(volume, "NBG 101", [(name, Person()) for name in ("ada", "lawrence")])
        with upload(volume, **{"p.ipynb": b"{}"}) as files:
            release.release(volume, "NBG 101", "ps1", "kevin", files)
        with servers.running(data, "--debug") as server:
            yield server.url, volume


async def follow(page: Page, *names: str) -> None:
    for name in names:
        await page.get_by_role("link", name=name, exact=True).first.click()


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()


async def says(page: Page, text: str) -> None:
    await expect(page.get_by_role("status").or_(page.get_by_role("alert"))).to_contain_text(text)


async def test_a_course_is_managed_without_any_script(
    browser: Browser, taught: tuple[str, Volume], tmp_path: Path
) -> None:
    url, volume = taught
    profile = await browser.new_context(java_script_enabled=False)
    profile.set_default_timeout(ACTION_SECONDS * 1000)
    page = await profile.new_page()
    await page.goto(f"{url}?user=kevin")
    await follow(page, "NBG 101", "Release an assignment")
    await page.get_by_label("Name of the assignment").fill("ps2")
    await press(page, "Next: choose the files")
    notebook = tmp_path / "new.ipynb"
    notebook.write_text("{}")
    await page.locator("#field-files").set_input_files(notebook)
    await press(page, "Release it")
    await says(page, "Released: this is what students fetch from now on.")

    await follow(page, "Change the dates")
    await page.get_by_label("Due").fill("15.11.2036")
    await press(page, "Show what would change")
    await expect(page.get_by_role("alert")).to_contain_text("is no date and time such as")
    await page.get_by_label("Due").fill("2036-11-15")
    await press(page, "Show what would change")
    await expect(page.locator("main")).to_contain_text("2036-11-15 23:59:59 UTC")
    await press(page, "Save these dates")
    await says(page, "The dates are set.")

    await follow(page, "Extensions: 0 students have more time")
    await page.get_by_label("User names, or a table").fill("ada\n")
    await page.get_by_label("Due for these students").fill("2036-11-18")
    await page.get_by_label("Reason").fill("ill")
    await press(page, "Show what would change")
    await press(page, "Give it")
    await says(page, "One student has more time.")

    await follow(page, "Roster", "Paste or upload a list of students")
    await page.get_by_label("User names, or a table").fill("student_id,first_name\nada,Ada\nmax,Max\n")
    await page.get_by_label("The list is complete").check()
    await press(page, "Show what would change")
    await expect(page.locator("main")).to_contain_text("Come: 1. Change: 1. Go: 1.")
    await press(page, "Change the roster")
    await says(page, "The roster is changed: 3 entries.")
    await page.get_by_label("Name contains").fill("max")
    await press(page, "Show")
    await expect(page.get_by_role("rowheader")).to_have_text(["max"])

    await follow(page, "NBG 101", "ps2", "Manage this assignment", "Take it back")
    await press(page, "Take it back")
    await says(page, "Taken back")
    assert not release.is_open(volume, "NBG 101", "ps2")
    await press(page, "Release it again")
    await says(page, "Released again")
    assert release.is_open(volume, "NBG 101", "ps2")

    await follow(page, "NBG 101", "ps1", "Manage this assignment", "Delete it")
    await page.get_by_label("Name of the assignment").fill("ps1")
    await press(page, "Delete it")
    await says(page, "The assignment is in the trash")

    file = dates.written(volume, "NBG 101", "ps2")
    assert (str(file.due), file.extensions["ada"].reason) == ("2036-11-15 23:59:59 UTC", "ill")
    assert roster.of(volume, "NBG 101").students.keys() == {"ada", "max"}
    events = [each.event for each in search.found(volume, search.Wanted()) if isinstance(each, Entry)]
    assert [(each.what, each.assignment) for each in events] == EVENTS
    assert {(each.by, each.via) for each in events} == {("kevin", "page")}
