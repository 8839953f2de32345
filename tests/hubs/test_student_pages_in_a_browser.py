"""A student's pages in a real browser: on a phone, by keyboard, and a receipt on paper."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.async_api import BrowserContext, Page

from ngshare_fs.formats.civil_time import moment_at
from ngshare_fs.store import Person, Timestamp, Volume, course, feedback, release, roster, submission
from ngshare_fs.store.dates import now
from tests import servers
from tests.hubs.conftest import with_a_browser
from tests.stores import upload

pytestmark = [pytest.mark.hubs, with_a_browser]

# The longest word that fits nowhere.
LONG = "a" * 80
PAGES = (
    "?",
    "pages/course/c?",
    "pages/assignment/c/a?",
    "pages/submissions/c/a/ada?",
    "pages/receipt/c/a/ada?",
    "pages/feedback/c?",
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a stand-alone server with a course whose work has been handed in and has feedback."""
    data = tmp_path_factory.mktemp("pages") / "volume"
    volume = Volume.open(data)
    course.create(volume, "c", ["kevin"])
    roster.set_student(volume, "c", "ada", Person())
    due = moment_at(now().replace(microsecond=0) + timedelta(days=2), "Europe/Vienna")
    for name in ("a", LONG):
        with upload(volume, **{"p.ipynb": b"{}", f"{LONG}.ipynb": b"{}"}) as files:
            release.release(volume, "c", name, "kevin", files, changes={"due": due})
    with upload(volume, **{f"{LONG}.ipynb": b"1", **{f"p{number}.ipynb": b"1" for number in range(20)}}) as files:
        moment: Timestamp = submission.submit(volume, "c", "a", "ada", files, key="k" * 64)
    with upload(volume, **{f"{LONG}.html": b"<title>Good</title>"}) as files:
        feedback.give(volume, "c", "a", "ada", moment, "kevin", files)
    volume.close()
    with servers.running(data) as server:
        yield server.url


@pytest.mark.parametrize("language", ["en", pytest.param("de", marks=pytest.mark.long)])
async def test_no_page_is_wider_than_a_phone(profile: BrowserContext, served: str, language: str) -> None:
    page = await profile.new_page()
    await page.set_extra_http_headers({"Accept-Language": language})
    await page.set_viewport_size({"width": 320, "height": 640})
    for path in PAGES:
        response = await page.goto(f"{served}{path}user=ada")
        assert response is not None
        assert response.status == 200, path
        assert await page.locator("html").get_attribute("lang") == language
        assert await page.evaluate("document.documentElement.scrollWidth") == 320, path
        # What is to be hit with a finger is large enough, but for links inside of a sentence.
        small = await page.evaluate(
            "[...document.querySelectorAll('.steps a, .files a, .cards h3 a, summary, .menu a')].filter(each => {"
            "const box = each.getBoundingClientRect(); return box.width && (box.width < 24 || box.height < 24)"
            "}).map(each => each.outerHTML)"
        )
        assert small == [], path


@pytest.mark.long
async def test_a_receipt_is_printed_on_one_page_without_links(profile: BrowserContext, served: str) -> None:
    page = await profile.new_page()
    await page.goto(f"{served}pages/receipt/c/a/ada?user=ada")
    await page.emulate_media(media="print")
    for hidden in ("header", ".steps"):
        for each in await page.locator(hidden).all():
            assert not await each.is_visible(), hidden
    text = await page.locator("body").inner_text()
    assert "k" * 64 in text
    assert text.count(".ipynb") == 21
    assert text.count("Times are those of") == 1
    printed = await page.pdf(format="A4")
    assert printed.count(b"/Type /Page") - printed.count(b"/Type /Pages") == 1


@pytest.mark.long
async def test_feedback_is_reached_and_read_by_keyboard(profile: BrowserContext, served: str) -> None:
    page = await profile.new_page()
    await page.goto(f"{served}?user=ada")
    await _follow(page, "pages/submissions/c/a/ada?user=ada")
    await page.wait_for_url("**/submissions/**")
    async with profile.expect_page() as opening:
        await _follow(page, ".html")
    seen = await opening.value
    await seen.wait_for_load_state()
    assert await seen.title() == "Good"


async def _follow(page: Page, end: str) -> None:
    """Press the tab key until a link is reached that ends so, seen by its frame, and follow it."""
    await page.keyboard.press("Tab")
    for _ in range(60):
        focused = "document.activeElement"
        if str(await page.evaluate(f"{focused}.getAttribute('href') || ''")).endswith(end):
            assert await page.evaluate(f"getComputedStyle({focused}).outlineStyle") != "none"
            await page.keyboard.press("Enter")
            return
        await page.keyboard.press("Tab")
    pytest.fail(f"no link to {end} is reached")
