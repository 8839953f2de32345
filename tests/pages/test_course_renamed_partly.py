"""Renaming takes several steps: where a later one fails, the page does not say that nothing was done."""

from ngshare_fs.store import course
from tests.pages.browsing import Browser, browser, send, words

__all__ = ["browser"]

PATH = "pages/admin-rename/{course}"


async def test_what_has_its_new_name_is_not_said_to_have_failed(browser: Browser) -> None:
    exchange = browser.exchange
    in_the_way = exchange.data / "journal/courses/d"
    in_the_way.write_text("no folder")
    status, location, text = await send(exchange, PATH, "root", {"course": "c"}, form="rename", new_name="d")
    assert (status, "done=course-renamed-partly" in location) == (303, True), words(text)
    assert "ngshare-fs course rename" in words((await browser.follow(location)).text)
    assert course.all_courses(exchange.volume) == ["d"]


async def test_what_has_its_old_name_still_has_failed(browser: Browser) -> None:
    exchange = browser.exchange
    (exchange.data / "courses/c/course.yaml").write_text("instructors: [\n")
    status, _, text = await send(exchange, PATH, "root", {"course": "c"}, form="rename", new_name="d")
    assert (status, course.all_courses(exchange.volume)) == (503, ["c"]), words(text)
