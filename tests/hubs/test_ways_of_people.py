"""The ways of a student, an instructor and an admin, from signing in at a real hub until all is done."""

import io
import zipfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, FilePayload, Page, ViewportSize, expect

from tests import servers
from tests.browser.example_course import (
    ADMIN,
    COURSE,
    DUE,
    GRADED,
    INSTRUCTOR,
    LATE_STUDENT,
    OPEN,
    STUDENT,
    fill,
    notebook,
)
from tests.browser.pictures import picture
from tests.hubs.conftest import with_a_browser
from tests.hubs.hub import ADMIN as HUB_ADMIN
from tests.hubs.hub import Hub, Plan, running_hub
from tests.hubs.visitor import sign_in

# In one worker, which starts the hub once.
pytestmark = [pytest.mark.hubs, pytest.mark.long, with_a_browser, pytest.mark.xdist_group("ways")]

WINDOW: ViewportSize = {"width": 1000, "height": 760}
PHONE: ViewportSize = {"width": 390, "height": 760}


@dataclass(frozen=True)
class Place:
    """A server with a course in the middle of its term.

    Args:
        admin: who is one.
        sign_in: goes all the way to the first page of somebody.
        is_pictured: whether pictures are made there.
    """

    admin: str
    sign_in: Callable[[Page, str], Awaitable[None]]
    is_pictured: bool

    async def picture(self, page: Page, name: str) -> None:
        """Take one for the docs."""
        if self.is_pictured:
            await picture(page, name)


@pytest.fixture(scope="module")
def hub(with_proxy: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Signing in at each version of it is tried with the others elsewhere."""
    with running_hub(tmp_path_factory.mktemp("term"), Plan()) as hub:
        fill(hub.volume)
        yield hub


@pytest.fixture(scope="module", params=["hub", "stand-alone"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A service of a hub, and a server alone."""
    if request.param == "hub":
        hub: Hub = request.getfixturevalue("hub")

        async def at_the_hub(page: Page, user: str) -> None:
            hub.add_users(user)
            await sign_in(page, hub, user)

        yield Place(HUB_ADMIN, at_the_hub, is_pictured=True)
        return
    data = tmp_path_factory.mktemp("alone") / "volume"
    fill(data)
    with servers.running(data) as server:

        async def alone(page: Page, user: str) -> None:
            await page.goto(f"{server.url}?user={user}")

        yield Place(ADMIN, alone, is_pictured=False)


async def _signed_in(browser: Browser, place: Place, user: str, window: ViewportSize = WINDOW) -> Page:
    profile = await browser.new_context(viewport=window, locale="en-GB", timezone_id="Europe/Vienna")
    profile.set_default_timeout(60_000)
    page = await profile.new_page()
    await place.sign_in(page, user)
    return page


async def _follow(page: Page, name: str) -> None:
    await page.get_by_role("link", name=name, exact=True).first.click()


def _file(name: str) -> FilePayload:
    return {"name": name, "mimeType": "application/x-ipynb+json", "buffer": notebook("answer = 42")}


async def test_a_student_hands_in_and_reads_feedback(browser: Browser, place: Place) -> None:
    page = await _signed_in(browser, place, STUDENT)
    await place.picture(page, "student-home")
    await _follow(page, OPEN)
    await _follow(page, "Hand in again")
    files = page.get_by_label("Files", exact=True)
    await files.set_input_files([_file("problem1.ipynb")])
    await expect(page.get_by_text("problem2.ipynb").last).to_be_visible()
    await place.picture(page, "student-hand-in")
    await files.set_input_files([_file("problem1.ipynb"), _file("problem2.ipynb")])
    await page.get_by_role("button", name="Hand in").click()
    await expect(page.get_by_role("heading", name="Receipt")).to_be_visible()
    await expect(page.get_by_role("row").filter(has_text="problem2.ipynb")).to_be_visible()
    await place.picture(page, "student-receipt")
    async with page.expect_download() as got:
        await _follow(page, "Download the files as a zip")
    with zipfile.ZipFile(io.BytesIO(Path(await (await got.value).path()).read_bytes())) as archive:
        assert sorted(archive.namelist()) == ["problem1.ipynb", "problem2.ipynb"]
    await _follow(page, "Your feedback")
    async with page.context.expect_page() as opened:
        await page.get_by_role("link", name="problem1.html").first.click()
    shown = await opened.value
    await expect(shown.get_by_text("Well done.")).to_be_visible()
    assert await shown.evaluate("window.origin") == "null"


async def test_a_student_on_a_phone(browser: Browser, place: Place) -> None:
    # Somebody else: whoever has agreed once that the service learns who they are is not asked again.
    page = await _signed_in(browser, place, LATE_STUDENT, PHONE)
    await _follow(page, OPEN)
    await _follow(page, "Hand in again")
    await page.get_by_label("Files", exact=True).set_input_files([_file("problem1.ipynb"), _file("problem2.ipynb")])
    await page.get_by_role("button", name="Hand in").click()
    await expect(page.get_by_role("heading", name="Receipt")).to_be_visible()


async def test_an_instructor_manages_a_course(browser: Browser, place: Place) -> None:
    page = await _signed_in(browser, place, INSTRUCTOR)
    await _follow(page, COURSE)
    await expect(page.get_by_role("heading", name="Needs action")).to_be_visible()
    await place.picture(page, "instructor-course")
    await _follow(page, "Class")
    await place.picture(page, "instructor-class")
    await page.get_by_label("Show").select_option(index=1)
    await page.get_by_role("button", name="Show").click()
    await _follow(page, COURSE)

    row = page.get_by_role("row").filter(has_text=DUE)
    await row.get_by_role("link", name="Manage").click()
    await place.picture(page, "instructor-assignment")
    await page.get_by_role("link", name="Extensions").click()
    await page.get_by_label("User names, or a table").fill("curie\nnoether")
    await page.get_by_label("Due for these students").fill("2099-12-24 12:00")
    await page.get_by_label("Reason").fill("conference")
    await page.get_by_role("button", name="Show what would change").click()
    await page.get_by_role("button", name="Give it").click()
    await expect(page.get_by_role("row").filter(has_text="curie")).to_contain_text("2099")

    await _follow(page, "Roster")
    await page.get_by_role("link", name="Paste or upload").click()
    await page.get_by_label("User names, or a table").fill("mary\nada")
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_role("listitem").filter(has_text="mary")).to_be_visible()
    await page.get_by_role("button", name="Change the roster").click()
    await expect(page.get_by_role("row").filter(has_text="mary")).to_be_visible()

    await _follow(page, COURSE)
    await page.get_by_role("row").filter(has_text=OPEN).get_by_role("link", name="Manage").click()
    await _follow(page, "Take it back")
    await page.get_by_role("button", name="Take it back").click()
    await page.get_by_role("button", name="Release it again").click()
    await expect(page.get_by_text("Students see it and can hand in.")).to_be_visible()

    await _follow(page, COURSE)
    await page.get_by_role("row").filter(has_text=GRADED).get_by_role("link", name="Collect").click()
    async with page.expect_download() as got:
        await page.get_by_role("button", name="Download").click()
    with zipfile.ZipFile(await (await got.value).path()) as archive:
        assert "manifest.csv" in archive.namelist()
        assert len([name for name in archive.namelist() if name.endswith("problem1.ipynb")]) == 14


async def test_an_admin_sees_that_all_is_well(browser: Browser, place: Place) -> None:
    page = await _signed_in(browser, place, place.admin)
    await _follow(page, "All courses")
    await expect(page.get_by_role("row").filter(has_text=COURSE)).to_be_visible()
    await place.picture(page, "admin-courses")
    await _follow(page, "Volume")
    await _follow(page, "Health")
    await _follow(page, "Journal")
    await _follow(page, "Trash")
