"""Handing in with a real browser, with and without its script, to a stand-alone server."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Dialog, Page, expect

from ngshare_fs.formats.civil_time import moment_at
from ngshare_fs.store import Person, Submission, Volume, course, dates, release, roster, submission
from tests.faulty_proxy import LOST_ANSWER, LOST_REQUEST, Fault, faulty_proxy
from tests.hubs.conftest import with_a_browser
from tests.servers import Server, running
from tests.stores import upload
from tests.zips import zipped

pytestmark = [pytest.mark.hubs, with_a_browser]

PLACE = "pages/hand-in/c/{assignment}?user=lawrence"
RECEIPT = re.compile(r".*/pages/receipt/c/.*done=handed-in.*")
RELEASED = {"p1.ipynb": b"{}", "data/p2.ipynb": b"{}", "data/x.csv": b"1"}
NEW_YORK = "America/New_York"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an assignment for each test, one of them late."""
    data = tmp_path_factory.mktemp("served") / "volume"
    volume = Volume.open(data)
    course.create(volume, "c", ["kevin"])
    roster.set_students(volume, "c", [("lawrence", Person())])
    yesterday = moment_at(dates.now().replace(microsecond=0) - timedelta(days=1), "Europe/Vienna")
    changes = {"late": {"due": yesterday}, "closed": {"due": yesterday, "close": yesterday}}
    for name in ("script", "plain", "double", "lost", "cancelled", "folders", "late", "closed"):
        with upload(volume, **RELEASED) as files:
            release.release(volume, "c", name, "kevin", files, changes=changes.get(name, {}))
    volume.close()
    with running(data, "--debug") as server:
        yield server


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with all that was released, and what an editor keeps beside it."""
    folder = tmp_path / "my work"
    for path in (*RELEASED, ".ipynb_checkpoints/p1-checkpoint.ipynb"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"mine " + path.encode())
    return folder


def handed_in(served: Server, assignment: str) -> list[Submission]:
    """What was."""
    volume = Volume.read_only(served.log_file.with_suffix(""))
    try:
        return submission.submissions_by(volume, "c", assignment, "lawrence")
    finally:
        volume.close()


def files_of(served: Server, assignment: str) -> dict[str, int]:
    """The newest submission's files and their sizes."""
    volume = Volume.read_only(served.log_file.with_suffix(""))
    try:
        with submission.collect(volume, "c", assignment, "lawrence", None) as tree:
            return {file.path: file.size for file in tree.manifest.files}
    finally:
        volume.close()


@pytest_asyncio.fixture(loop_scope="session")
async def without_script(browser: Browser) -> BrowserContext:
    """A browser that runs no script."""
    return await browser.new_context(java_script_enabled=False)


async def opened(profile: BrowserContext, url: str, assignment: str) -> Page:
    page = await profile.new_page()
    await page.goto(url + PLACE.format(assignment=assignment))
    return page


async def drop(page: Page, *paths: Path) -> None:
    """Drop files and folders on the form, as a hand does."""
    box = await page.locator("#drop").bounding_box()
    assert box is not None
    devtools = await page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        await devtools.send(
            "Input.dispatchDragEvent", {"type": kind, "x": box["x"] + 50, "y": box["y"] + 20, "data": data}
        )


async def test_with_the_script(profile: BrowserContext, served: Server, work: Path) -> None:
    page = await opened(profile, served.url, "script")
    # What is missing is named before anything is sent.
    await page.set_input_files("#field-files", work / "p1.ipynb")
    await expect(page.locator("#missing li")).to_have_text(["data/p2.ipynb"])
    await expect(page.locator("#field-although")).to_be_visible()
    await page.click("#send")
    assert await page.evaluate("document.getElementById('field-although').validity.valueMissing")
    await page.click("#clear")
    # The folder as a whole.
    await drop(page, work)
    await expect(page.locator("#list li")).to_have_count(3)
    await expect(page.locator("#compared")).to_have_text("All notebooks of the assignment are there.")
    await expect(page.locator("#field-although")).to_be_hidden()
    # No other script may run, though it is of the same origin.
    blocked = await page.evaluate(
        """async (address) => {
          const said = new Promise((resolve) =>
            addEventListener("securitypolicyviolation", (event) => resolve(event.violatedDirective)));
          const script = document.createElement("script");
          script.src = address;
          document.body.append(script);
          return said;
        }""",
        served.url + "pages/release-file/c/script?user=lawrence&file=p1.ipynb",
    )
    assert blocked == "script-src-elem"
    # What the policy forbids, or a script fails at, is told there.
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    await page.click("#send")
    await page.wait_for_url(RECEIPT)
    assert len(handed_in(served, "script")) == 1
    assert files_of(served, "script") == {path: len(path) + 5 for path in RELEASED}
    assert not [each for each in said if "404" not in each]


async def test_without_script(without_script: BrowserContext, served: Server, work: Path) -> None:
    page = await opened(without_script, served.url, "plain")
    await page.set_input_files("#field-files", work / "p1.ipynb")
    await page.click("#send")
    await expect(page.locator("#missing li")).to_have_text(["data/p2.ipynb"])
    assert not handed_in(served, "plain")
    await page.set_input_files("#field-files", work / "p1.ipynb")
    await page.check("#field-although")
    await page.click("#send")
    await page.wait_for_url(RECEIPT)
    assert files_of(served, "plain") == {"p1.ipynb": 13}
    page = await opened(without_script, served.url, "plain")
    await page.set_input_files("#field-folder", work)
    await page.click("#send")
    await page.wait_for_url(RECEIPT)
    assert files_of(served, "plain") == {path: len(path) + 5 for path in RELEASED}


@pytest.mark.long
@pytest.mark.parametrize("script", [True, False])
async def test_a_double_click_hands_in_once(browser: Browser, served: Server, work: Path, script: bool) -> None:
    before = len(handed_in(served, "double"))
    page = await opened(await browser.new_context(java_script_enabled=script), served.url, "double")
    await page.set_input_files("#field-folder", work)
    await page.dblclick("#send")
    await page.wait_for_url(RECEIPT)
    assert len(handed_in(served, "double")) == before + 1


@pytest.mark.long
async def test_what_was_lost_is_sent_again_and_handed_in_once(
    profile: BrowserContext, served: Server, work: Path
) -> None:
    with faulty_proxy(served.url) as proxy:
        page = await opened(profile, proxy.url, "lost")
        await page.set_input_files("#field-folder", work)
        # The browser itself may try a lost request once more.
        for fault, stored in ((LOST_REQUEST, 0), (LOST_ANSWER, 1)):
            proxy.faults.extend([fault] * 2)
            await page.click("#send")
            await expect(page.locator("#said")).to_contain_text("The connection was lost")
            assert len(handed_in(served, "lost")) == stored
            proxy.faults.clear()
            await expect(page.locator("#send")).to_have_text("Send again")
        busy = Fault(status=502, headers=(("Content-Type", "text/html"),), body=b"<h1>Bad Gateway</h1>")
        proxy.faults.append(busy)
        await page.click("#send")
        await expect(page.locator("#said")).to_contain_text("502")
        await page.click("#send")
        await page.wait_for_url(RECEIPT)
    assert len(handed_in(served, "lost")) == 1


@pytest.mark.long
async def test_progress_is_told_and_sending_can_be_cancelled(
    profile: BrowserContext, served: Server, work: Path, tmp_path: Path
) -> None:
    (work / "large").write_bytes(bytes(40_000_000))
    page = await opened(profile, served.url, "cancelled")
    devtools = await profile.new_cdp_session(page)
    await page.set_input_files("#field-folder", work)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 2_000_000}
    await devtools.send("Network.enable")
    await devtools.send("Network.emulateNetworkConditions", slow)
    await page.click("#send")
    await expect(page.locator("#saying")).to_contain_text("% of 38 MiB sent")
    await expect(page.locator("#sent")).to_be_visible()
    await expect(page.locator("#send")).to_be_disabled()
    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    page.on("dialog", stay)
    await page.click("#cancel")
    await expect(page.locator("#saying")).to_contain_text("Cancelled")
    await expect(page.locator("#sent")).to_be_hidden()
    assert not handed_in(served, "cancelled")
    await devtools.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    await page.click("#send")
    await page.wait_for_url(RECEIPT)
    assert files_of(served, "cancelled")["large"] == 40_000_000
    assert not asked


@pytest.mark.long
async def test_several_files_folders_and_a_zip_are_dropped(
    profile: BrowserContext, served: Server, work: Path, tmp_path: Path
) -> None:
    page = await opened(profile, served.url, "folders")
    # A folder that the assignment has, too, keeps its name.
    await drop(page, work / "data", work / "p1.ipynb")
    await expect(page.locator("#list li bdi")).to_have_text(
        ["data/p2.ipynb", "data/x.csv", "p1.ipynb"], use_inner_text=True
    )
    await expect(page.locator("#compared")).to_have_text("All notebooks of the assignment are there.")
    await page.click("#send")
    await page.wait_for_url(RECEIPT)
    assert files_of(served, "folders") == {path: len(path) + 5 for path in RELEASED}
    # Two folders, of which none is the work as a whole.
    page = await opened(profile, served.url, "folders")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/y").write_bytes(b"1")
    await drop(page, work, tmp_path / "other")
    await expect(page.locator("#missing li")).to_have_text(["data/p2.ipynb", "p1.ipynb"])
    await page.click("#clear")
    # A zip is compared when it is sent.
    (tmp_path / "work.zip").write_bytes(zipped({"w/p1.ipynb": b"1", "w/.DS_Store": b""}))
    await drop(page, tmp_path / "work.zip")
    await expect(page.locator("#list li bdi")).to_have_text(["work.zip"])
    await page.click("#send")
    await expect(page.locator("#said #missing li")).to_have_text(["data/p2.ipynb"])
    await page.check("#field-although")
    await page.click("#send")
    await page.wait_for_url(RECEIPT)
    assert files_of(served, "folders") == {"p1.ipynb": 1}


@pytest.mark.long
async def test_late_work_and_times_on_this_device(browser: Browser, served: Server, work: Path) -> None:
    page = await opened(await browser.new_context(timezone_id=NEW_YORK), served.url, "late")
    await expect(page.locator(".here")).to_contain_text("on this device")
    await page.set_input_files("#field-folder", work)
    await page.click("#send")  # the browser asks for the box to be ticked
    assert await page.evaluate("document.getElementById('field-late').validity.valueMissing")
    await page.check("#field-late")
    await page.click("#send")
    await page.wait_for_url(RECEIPT)
    here = await opened(await browser.new_context(timezone_id="UTC"), served.url, "late")
    await expect(here.locator("time")).to_have_count(1)
    await expect(here.locator(".here")).to_have_count(0)


@pytest.mark.long
async def test_the_page_of_what_is_closed_has_no_form_and_no_mistake(profile: BrowserContext, served: Server) -> None:
    page = await profile.new_page()
    failed: list[str] = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    await page.goto(served.url + PLACE.format(assignment="closed"))
    await expect(page.locator("#said")).to_contain_text("It is too late for this assignment")
    await expect(page.locator("form")).to_have_count(0)
    assert not failed
