"""WCAG 2.2 AA, as far as a machine can tell: axe, the keyboard alone, a narrow window, forced colours, dark."""

import json
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from ngshare_fs.web.table import PAGES
from tests.browser.conftest import AFTER_A_FORM, Reached
from tests.browser.example_course import INSTRUCTOR, STUDENT
from tests.hubs.conftest import with_a_browser

pytestmark = [pytest.mark.hubs, with_a_browser]

RULES: dict[str, Any] = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
OF_COLOURS = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
# What students and instructors have before them each day.
OF_MOST = ((STUDENT, "home"), (STUDENT, "hand-in"), (INSTRUCTOR, "course"), (INSTRUCTOR, "class"))
# 400 % of a window that is 1280 pixels wide.
NARROW = {"width": 320, "height": 256}
WIDE = {"width": 1280, "height": 1024}
# What a page is loaded with; of the first, the colours are looked at in the dark as well.
LOOKS: dict[str, dict[str, Any]] = {
    "wide": {},
    "narrow, dark and in German": {"viewport": NARROW, "color_scheme": "dark", "locale": "de-DE"},
}
# Notes what the keyboard comes to, and whether that can be seen.
NOTE = """() => {
  const all = [...document.querySelectorAll("*")];
  window.visited = [];
  document.addEventListener("focusin", ({target}) => {
    const style = getComputedStyle(target);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    window.visited.push([all.indexOf(target), outlined && target.getClientRects().length > 0]);
  });
}"""
# What there is to be reached; of radio buttons, the keyboard enters each group once.
USABLE = """() => {
  const all = [...document.querySelectorAll("*")];
  const wanted =
    "a[href], button, input:not([type=hidden]):not([type=radio]), select, textarea, summary, [tabindex='0']";
  return [...document.querySelectorAll(wanted)]
    .filter((element) => !element.disabled && element.checkVisibility())
    .map((element) => [all.indexOf(element), element.outerHTML.slice(0, 100)]);
}"""
TOO_SMALL = """() => [
  ...document.querySelectorAll("button, input:not([type=hidden]), select, textarea, summary, td a, th a")]
  .filter((element) => element.checkVisibility() && element.type !== "checkbox" && element.type !== "radio")
  .filter((element) => element.getBoundingClientRect().height < 24)
  .map((element) => element.outerHTML.slice(0, 100))"""


async def test_every_page_is_reached_by_links(reached: Reached) -> None:
    assert {page.template for page in PAGES} - AFTER_A_FORM == {template for _, template in reached} - AFTER_A_FORM


async def test_axe_finds_nothing_on_the_pages_of_most(browser: Browser, reached: Reached) -> None:
    await _try_axe(browser, {who: address for who, address in reached.items() if who in OF_MOST}, "wide")


@pytest.mark.long
@pytest.mark.parametrize("look", [*LOOKS])
async def test_axe_finds_nothing(browser: Browser, reached: Reached, look: str) -> None:
    await _try_axe(browser, reached, look)


async def _try_axe(browser: Browser, addresses: Reached, look: str) -> None:
    page = await _window(browser, **LOOKS[look])
    problems: dict[str, str] = {}
    for who, address in addresses.items():
        await page.goto(address)
        found = await Axe().run(page, options={**RULES, "resultTypes": ["violations"]})
        if found.violations_count:
            problems[f"{who}"] = found.generate_report()
        if "color_scheme" not in LOOKS[look]:
            await page.emulate_media(color_scheme="dark")
            in_the_dark = await page.evaluate("async (rules) => (await axe.run(rules)).violations", OF_COLOURS)
            if in_the_dark:
                problems[f"{who} in the dark"] = json.dumps(in_the_dark, indent=2)
            await page.emulate_media(color_scheme="light")
    assert not problems, "\n".join(f"{who}: {problem}" for who, problem in problems.items())


@pytest.mark.long
async def test_the_keyboard_alone_reaches_everything_and_is_seen(browser: Browser, reached: Reached) -> None:
    page = await _window(browser)
    problems = []
    for who, address in reached.items():
        await page.goto(address)
        usable = {int(index): element for index, element in await page.evaluate(USABLE)}
        await page.evaluate(NOTE)
        visited: dict[int, bool] = {}
        # Of a date, the keyboard goes through the parts, which show it themselves.
        for tabs in (len(usable), *[5] * 4):
            if usable.keys() <= visited.keys():
                break
            for _ in range(tabs):
                await page.keyboard.press("Tab")
            for index, is_seen in await page.evaluate("window.visited"):
                visited[index] = visited.get(index, False) or is_seen
        problems += [f"{who}: not reached: {usable[index]}" for index in usable.keys() - visited.keys()]
        problems += [f"{who}: not seen: {usable.get(index, index)}" for index, seen in visited.items() if not seen]
    assert not problems, "\n".join(problems)


@pytest.mark.long
async def test_a_narrow_window_scrolls_down_only_and_targets_are_large_enough(
    browser: Browser, reached: Reached
) -> None:
    page = await _window(browser, viewport=NARROW)
    problems = []
    for who, address in reached.items():
        await page.goto(address)
        width = await page.evaluate("document.documentElement.scrollWidth")
        if width > NARROW["width"]:
            problems.append(f"{who}: {width} pixels wide")
        problems += [f"{who}: too small: {element}" for element in await page.evaluate(TOO_SMALL)]
    assert not problems, "\n".join(problems)


@pytest.mark.long
async def test_forced_colours_keep_what_is_told_apart(browser: Browser, reached: Reached) -> None:
    """Backgrounds go there: what has one has a border as well."""
    page = await _window(browser, forced_colors="active")
    script = """() => [...document.querySelectorAll(".warning, .problem, .done")]
      .filter((element) => getComputedStyle(element).borderTopStyle === "none")
      .map((element) => element.className)"""
    for who, address in reached.items():
        await page.goto(address)
        assert not await page.evaluate(script), who


async def _window(browser: Browser, **look: Any) -> Page:
    profile = await browser.new_context(**{"viewport": WIDE, **look})
    page = await profile.new_page()
    page.on("console", lambda said: print(said.text))
    page.set_default_timeout(60_000)
    return page
