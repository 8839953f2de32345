"""What a student sees of courses and assignments: dates of their own, and how their work stands."""

from datetime import timedelta

import pytest

from ngshare_fs.formats.civil_time import moment_at
from ngshare_fs.store import submission, timestamp_of
from ngshare_fs.store.dates import now
from tests.conftest import Exchange, MakeExchange
from tests.pages.browsing import Browser, browser, document, links, words
from tests.stores import upload
from tests.trees import tree

__all__ = ["browser"]

NAMES = {"course": "c", "assignment": "a"}
HAND_IN = "pages/hand-in/{course}/{assignment}"
ASSIGNMENT = "pages/assignment/{course}/{assignment}"
COURSE = "pages/course/{course}"


async def set_dates(browser: Browser, **days: float) -> None:
    present = now().replace(microsecond=0)
    changes = {name: moment_at(present + timedelta(days=count), "UTC").text for name, count in days.items()}
    answer = await browser.exchange.call("PATCH", "assignment/c/a", "kevin", **changes)
    assert answer.status == 200, answer


@pytest.mark.parametrize(
    ("days", "not_handed_in", "handed_in", "state"),
    [
        ({}, "not handed in", "handed in", "Open."),
        ({"due": 1}, "not handed in", "handed in, in time", "Open."),
        ({"due": -1}, "not handed in, past the due date", "handed in, late by 1 day", "Past the due date"),
        ({"due": -2, "close": -1}, "not handed in, closed", "handed in, late by 2 days", "Closed"),
    ],
)
async def test_how_work_stands_is_said_in_words(
    browser: Browser, days: dict[str, float], not_handed_in: str, handed_in: str, state: str
) -> None:
    if days:
        await set_dates(browser, **days)
    for user, said in (("lawrence", handed_in), ("other student", not_handed_in)):
        assert said in words((await browser.look(COURSE, user, NAMES)).text)
        assert state in words((await browser.look(ASSIGNMENT, user, NAMES)).text)
    home = words((await browser.look("", "other student")).text)
    assert (not_handed_in in home) == ("close" not in days)
    home = words((await browser.look("", "lawrence")).text)
    assert ("Nothing to do" in home) == (days != {"due": 1})


async def test_dates_are_ones_own_and_in_the_zone_of_the_course(browser: Browser) -> None:
    file = browser.exchange.data / "courses/c/course.yaml"
    file.write_text("timezone: Europe/Vienna\n" + file.read_text("utf-8"), "utf-8")
    due = {"due": "2030-01-31 23:59:59 Europe/Vienna"}
    assert (await browser.exchange.call("PATCH", "assignment/c/a", "kevin", **due)).status == 200
    more = {"due": "2030-02-05 12:00 Europe/Vienna", "reason": "ill <b>"}
    assert (await browser.exchange.call("PUT", "extension/c/a/lawrence", "kevin", **more)).status == 200
    for path in ("", COURSE, ASSIGNMENT):
        others = (await browser.look(path, "other student", NAMES)).text
        assert '<time datetime="2030-01-31T22:59:59Z">31 January 2030, 23:59:59 CET</time>' in others, path
        own = await browser.look(path, "lawrence", NAMES, german=True)
        assert '<time datetime="2030-02-05T11:00:00Z">5. Februar 2030, 12:00 CET</time>' in own.text, path
        assert "2030-01-31" not in own.text
    own = await browser.look(ASSIGNMENT, "lawrence", NAMES)
    assert "You have been given more time. Reason: ill <b>" in words(own.text)
    assert "more time" not in (await browser.look(ASSIGNMENT, "other student", NAMES)).text
    assert "Times are those of Europe/Vienna." in words(own.text)


async def test_the_submission_that_counts_is_marked_and_feedback_is_shown(browser: Browser) -> None:
    call = browser.exchange.call
    assert (await call("POST", "submission/c/a", "lawrence", files=tree({"p.ipynb": b"{ }"}))).status == 200
    listed = (await call("GET", "submissions/c/a/lawrence", "lawrence")).body["submissions"]
    first, second = (each["timestamp"] for each in listed)
    remarks = tree({"p.html": b"good"})
    assert (await call("POST", "feedback/c/a/lawrence", "kevin", timestamp=first, files=remarks)).status == 200
    shown = (await browser.look(ASSIGNMENT, "lawrence", NAMES)).text
    rows = shown[shown.index('id="own"') :].split("<tr>")[2:]
    assert [("this one counts" in row, "none yet" in row) for row in rows] == [(True, True), (False, False)]
    assert second[:10] in rows[0]
    assert "feedback given" in words((await browser.look(COURSE, "lawrence", NAMES)).text)


async def test_where_the_newest_is_late_and_an_earlier_one_is_not_both_are_named(browser: Browser) -> None:
    work = (browser.exchange.volume, "c", "a", "lawrence")
    present = now()
    for days in (3, 1):
        with upload(browser.exchange.volume, f=b"1") as files:
            submission.submit(*work, files, at=timestamp_of(present - timedelta(days=days)))
    await set_dates(browser, due=-2)
    assert "It is late, and an earlier one is not" in words((await browser.look(ASSIGNMENT, "lawrence", NAMES)).text)
    assert "an earlier one is not" not in words((await browser.look(ASSIGNMENT, "gone", NAMES)).text)


async def test_who_teaches_sees_how_many_have_handed_in_lately(browser: Browser) -> None:
    await set_dates(browser, due=-1)
    for user in ("kevin", "tara"):
        assert "1 of 2 students" in words((await browser.look("", user)).text), user
    for user in ("lawrence", "root", "stranger"):
        assert "1 of 2 students" not in words((await browser.look("", user)).text), user
    await set_dates(browser, due=-20)
    assert "1 of 2 students" not in words((await browser.look("", "kevin")).text)


async def test_long_tables_have_parts(exchange: Exchange) -> None:
    browser = Browser(exchange)
    for number in range(250):
        assert (await exchange.call("POST", f"course/c{number:03}", "root")).status == 200
    for part, first, last, leads in (("1", 0, 99, {"2"}), ("3", 200, 249, {"2"}), ("2", 100, 199, {"1", "3"})):
        text = (await browser.look("", "root", part=part)).text
        listed = [link.partition("?")[0][-4:] for link in links(text) if "pages/course/" in link]
        assert listed == [f"c{number:03}" for number in range(first, last + 1)]
        assert {link.partition("part=")[2] for link in links(text) if "part=" in link} == leads
    for odd, number in (("0", 1), ("-1", 1), ("9999", 3), ("x", 1), ("9" * 50, 1), ("\u0662", 1), ("", 1)):
        assert f"Part {number} of 3, 250 rows" in words((await browser.look("", "root", part=odd)).text), odd


async def test_broken_files_hide_nothing_else_and_are_named_to_who_grades(browser: Browser) -> None:
    assert (await browser.exchange.call("POST", "assignment/c/b", "kevin", files=tree({"f": b"1"}))).status == 200
    (browser.exchange.data / "courses/c/assignments/b/assignment.yaml").write_text("due: [1]\n", "utf-8")
    for user, is_named in (("kevin", True), ("lawrence", False)):
        seen = await browser.look(COURSE, user, NAMES)
        assert seen.status == 200
        assert "/c/a?" in seen.text
        assert ("assignments/b/assignment.yaml" in seen.text) == is_named
        assert (await browser.look("", user)).status == 200
        broken = await browser.look(ASSIGNMENT, user, {**NAMES, "assignment": "b"}, german=True)
        assert broken.status == 503
        assert "ngshare-fs verify" in broken.text
        assert '<html lang="de">' in broken.text
        assert "assignment.yaml" not in broken.text


async def test_every_page_says_its_language_and_can_be_used_without_a_mouse(browser: Browser) -> None:
    await set_dates(browser, due=1)
    for german in (False, True):
        for path in ("", COURSE, ASSIGNMENT, HAND_IN, "pages/course/no%20such", "pages/nowhere"):
            parsed = document((await browser.look(path, "lawrence", NAMES, german=german)).text)
            elements = parsed.elements
            ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
            assert len(ids) == len(set(ids))
            tags = [tag for tag, _ in elements]
            assert tags.count("h1") == tags.count("main") == 1
            assert next(attributes for tag, attributes in elements if tag == "html")["lang"] == (
                "de" if german else "en"
            )
            assert next(attributes for tag, attributes in elements if tag == "a") == {
                "class": "skip",
                "href": "#content",
            }
            assert not [attributes for tag, attributes in elements if tag == "th" and "scope" not in attributes]
            labels = [attributes["aria-labelledby"] for _, attributes in elements if "aria-labelledby" in attributes]
            assert set(labels) <= set(ids)
            assert "style" not in tags
            assert not [attributes for tag, attributes in elements if tag == "script" and "src" not in attributes]
            assert not [attributes for _, attributes in elements if "style" in attributes]


async def test_what_the_server_fails_at_is_a_page(make_exchange: MakeExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = await make_exchange()

    def fails(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("ngshare_fs.web.home.courses_seen_by", fails)
    seen = await Browser(exchange).look("", "kevin", german=True)
    assert (seen.status, "Etwas ist schiefgegangen" in seen.text, "secret" in seen.text) == (500, True, False)


async def test_a_file_that_is_damaged_is_refused_before_anything_of_it_is_sent(browser: Browser) -> None:
    (file,) = browser.exchange.data.glob("courses/c/assignments/a/releases/*/files/p.ipynb")
    path = "pages/release-file/{course}/{assignment}"
    whole = await browser.look(path, "lawrence", NAMES, file="p.ipynb")
    assert (whole.status, whole.text, whole.headers["Content-Length"]) == (200, "{}\n", "3")
    for harm in (lambda: file.write_bytes(b"longer"), file.unlink, lambda: file.symlink_to("/etc/passwd")):
        harm()
        seen = await browser.look(path, "lawrence", NAMES, german=True, file="p.ipynb")
        assert (seen.status, "beschädigt" in seen.text, "passwd" in seen.text) == (500, True, False)


async def test_a_course_without_anything_and_one_that_goes_meanwhile(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await browser.exchange.call("POST", "course/empty", "root", instructors='["kevin"]')).status == 200
    shown = await browser.look(COURSE, "kevin", {"course": "empty"})
    assert "There is no assignment yet." in words(shown.text)
    monkeypatch.setattr("ngshare_fs.web.home.courses_seen_by", lambda *_: ["c", "gone"])
    home = words((await browser.look("", "kevin")).text)
    assert "gone just deleted" in home
    assert "c instructor" in home
