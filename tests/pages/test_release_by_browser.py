"""Releasing by browser: a new assignment with its dates, and new files of one that is there."""

import io
import zipfile

import pytest

from ngshare_fs.store import assignment, dates, release
from tests.pages.browsing import Browser, browser, links, words
from tests.pages.file_forms import Sent, send_files
from tests.pages.sending import NAMES, followed, journal_of, send
from tests.trees import contents

__all__ = ["browser"]

RELEASE = "pages/release/{course}"
NEW = "/api/pages/release-new/c/ps%201?user=kevin"
ANEW = "/api/pages/release-anew/c/a?user=kevin"
FILES: list[Sent] = [("files", "p.ipynb", b"{}"), ("folder", "ps1/data/x.csv", b"1")]
DATES = {"release": "", "due": "2036-11-15", "close": "", "grace": ""}


async def test_a_new_assignment_is_named_then_released_with_its_dates(browser: Browser) -> None:
    exchange = browser.exchange
    course = await browser.look("pages/course/{course}", "kevin", NAMES)
    assert [link for link in links(course.text) if "pages/release/c" in link]
    named = await followed(exchange, await send(exchange, RELEASE, "kevin", form="name", assignment=" ps 1 "))
    assert "Release ps 1" in words(named.text)
    assert not assignment.exists(exchange.volume, "c", "ps 1")
    seen = await send_files(exchange, NEW, {"_xsrf": "", **DATES}, FILES)
    done = await followed(exchange, seen)
    assert "Released: this is what students fetch from now on." in words(done.text)
    answer = await exchange.call("GET", "assignment/c/ps 1", "lawrence")
    assert contents(answer.body) == {"p.ipynb": b"{}", "data/x.csv": b"1"}
    assert str(dates.written(exchange.volume, "c", "ps 1").due) == "2036-11-15 23:59:59 UTC"
    assert [(each.what, each.by, each.assignment) for each in journal_of(exchange)] == [
        ("release", "kevin", "ps 1"),
        ("set-dates", "kevin", "ps 1"),
    ]


@pytest.mark.parametrize(
    ("texts", "files", "english", "german"),
    [
        ({}, [], "Choose what is to be released.", "Bitte auswählen"),
        ({"due": "soon"}, FILES, "is no date and time", "ist kein Zeitpunkt"),
        ({"close": "2036-01-01"}, FILES, "have to follow one another", "müssen aufeinander folgen"),
        ({"grace": "x"}, FILES, "is not a duration", "ist keine Dauer"),
        ({}, [("files", "../x", b"")], "cannot be stored", "kann nicht gespeichert werden"),
        ({}, [("zip", "x.zip", b"PK")], "is no zip", "kein Zip"),
    ],
)
async def test_what_cannot_be_released_is_said(
    browser: Browser, texts: dict[str, str], files: list[Sent], english: str, german: str
) -> None:
    for headers, said in (({}, english), ({"Accept-Language": "de"}, german)):
        seen = await send_files(browser.exchange, NEW, {"_xsrf": "", **DATES, **texts}, files, headers)
        assert (seen.status, said in words(seen.text)) == (400, True), words(seen.text)
    assert not assignment.exists(browser.exchange.volume, "c", "ps 1")
    assert not browser.exchange.left_in_staging()


async def test_a_name_that_is_there_or_cannot_be_is_refused(browser: Browser) -> None:
    exchange = browser.exchange
    for name, said in (
        ("a", "There is an assignment of this name already."),
        ("x\u202ey", "nobody sees"),
        (" ", "written"),
    ):
        seen = await send(exchange, RELEASE, "kevin", form="name", assignment=name)
        assert (seen.status, said in words(seen.text)) == (400, True)
    there = await send_files(exchange, NEW.replace("ps%201", "a"), {"_xsrf": "", **DATES}, FILES)
    assert (there.status, "There is an assignment of this name already." in words(there.text)) == (400, True)
    assert len(release.history(exchange.volume, "c", "a")) == 1


async def test_new_files_take_the_place_of_all_others(browser: Browser) -> None:
    exchange = browser.exchange
    shown = await browser.look("pages/release-anew/{course}/{assignment}", "kevin", NAMES)
    assert "Released now p.ipynb" in words(shown.text)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a/new.ipynb", "{}")
    done = await followed(
        exchange, await send_files(exchange, ANEW, {"_xsrf": ""}, [("zip", "a.zip", made.getvalue())])
    )
    assert words(done.text).count("released kevin 1 file") == 2
    assert contents((await exchange.call("GET", "assignment/c/a", "lawrence")).body) == {"new.ipynb": b"{}"}
    # Also of what was taken back.
    release.withdraw(exchange.volume, "c", "a", "kevin")
    assert (await send_files(exchange, ANEW, {"_xsrf": ""}, FILES)).status == 303
    assert release.is_open(exchange.volume, "c", "a")
    assert (await send_files(exchange, ANEW, {"_xsrf": ""}, [])).status == 400
    for role in ("tara", "lawrence", "stranger"):
        for address in (NEW, ANEW):
            refused = await send_files(exchange, address.replace("kevin", role), {"_xsrf": "", **DATES}, FILES)
            assert (refused.status, "Permission denied" in words(refused.text)) == (403, True)
    assert not exchange.left_in_staging()


async def test_a_release_that_cannot_be_read_hides_nothing_else_and_is_mended_by_the_next(browser: Browser) -> None:
    exchange = browser.exchange
    (manifest,) = (exchange.data / "courses/c/assignments/a/releases").glob("*/manifest.yaml")
    manifest.write_text("files: [\n")
    for user in ("kevin", "lawrence"):
        shown = await browser.look("pages/assignment/{course}/{assignment}", user, NAMES)
        assert (shown.status, "These files cannot be read at the moment." in words(shown.text)) == (200, True), user
    assert (await browser.look("pages/release-anew/{course}/{assignment}", "kevin", NAMES)).status == 200
    assert (await send_files(exchange, ANEW, {"_xsrf": ""}, FILES)).status == 303
    assert contents((await exchange.call("GET", "assignment/c/a", "lawrence")).body)["p.ipynb"] == b"{}"


async def test_what_fails_is_not_said_to_be_safe_to_send_twice(browser: Browser) -> None:
    releases = browser.exchange.data / "courses/c/assignments/a/releases"
    releases.rename(releases.with_name("elsewhere"))
    releases.write_text("no folder")
    seen = await send_files(browser.exchange, ANEW, {"_xsrf": ""}, FILES)
    assert seen.status >= 500
    assert "Look at the assignment before you send it again" in words(seen.text)
    assert "never handed in twice" not in words(seen.text)
