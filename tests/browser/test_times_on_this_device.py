"""Times of a course on a device in another zone."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import Reached
from tests.browser.example_course import GRADER, INSTRUCTOR
from tests.hubs.conftest import with_a_browser

pytestmark = [pytest.mark.hubs, with_a_browser]


async def test_tables_keep_them_for_who_points_and_say_so_once(browser: Browser, reached: Reached) -> None:
    page = await (await browser.new_context(timezone_id="America/New_York")).new_page()
    await page.goto(reached[GRADER, "class"])
    times = page.locator("td time")
    assert await times.count() > 5
    for each in await times.all():
        assert "on this device" in (await each.get_attribute("title") or "")
    await expect(page.locator(".here")).to_have_count(0)
    await expect(page.get_by_text("America/New_York")).to_have_count(1)
    await page.goto(reached[INSTRUCTOR, "manage"])
    await expect(page.locator("dd .here")).to_contain_text("on this device")


@pytest.mark.long
async def test_nothing_is_added_where_both_show_the_same(browser: Browser, reached: Reached) -> None:
    page = await (await browser.new_context(timezone_id="Europe/Berlin")).new_page()
    for who in ((GRADER, "class"), (INSTRUCTOR, "manage")):
        await page.goto(reached[who])
        await expect(page.locator("time[title], .here")).to_have_count(0)
        await expect(page.locator("#times")).not_to_contain_text("Berlin")
