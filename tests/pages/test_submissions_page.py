"""All that somebody has handed in: which counts, whether it was in time, its files, and the feedback on it."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from ngshare_fs.formats.civil_time import moment_at
from ngshare_fs.store import Timestamp, submission, timestamp_of
from ngshare_fs.store.dates import now
from tests.pages.browsing import Browser, browser, document, feedback_on_the_newest, links, words
from tests.stores import upload
from tests.trees import tree

__all__ = ["browser"]

NAMES = {"course": "c", "assignment": "a", "user": "lawrence"}
OTHERS = {**NAMES, "user": "other student"}
SUBMISSIONS = "pages/submissions/{course}/{assignment}/{user}"
FEEDBACK = "pages/feedback/{course}"


def hand_in(browser: Browser, days_ago: float, **files: bytes) -> Timestamp:
    """Hand in for `other student`."""
    at = timestamp_of(now() - timedelta(days=days_ago))
    with upload(browser.exchange.volume, **(files or {"f": b"1"})) as work:
        return submission.submit(browser.exchange.volume, "c", "a", "other student", work, at=at)


async def set_due(browser: Browser, days: float, **more: str) -> None:
    due = moment_at(now().replace(microsecond=0) + timedelta(days=days), "UTC").text
    assert (await browser.exchange.call("PATCH", "assignment/c/a", "kevin", due=due, **more)).status == 200


def entries(text: str) -> list[str]:
    """The submissions on a page, as they are read."""
    listed = text.partition('<ol class="entries">')[2].partition("</ol>")[0]
    return [words("<li id" + part) for part in listed.split("<li id")[1:]]


async def test_the_newest_one_comes_first_and_counts(browser: Browser) -> None:
    await set_due(browser, -2.1)
    hand_in(browser, 3)
    hand_in(browser, 1, **{"p.ipynb": b"{}", "data/x.csv": b"1" * 3000})
    for user in ("other student", "tara", "kevin", "root"):
        seen = await browser.look(SUBMISSIONS, user, OTHERS)
        newest, earlier = entries(seen.text)
        assert "this one counts, late by 1 day 2 hours" in newest
        assert "2 files p.ipynb 2 B View p.ipynb, in a new tab Download p.ipynb data/x.csv 2.9 KiB" in newest
        assert "counts" not in earlier
        assert "in time" in earlier
        assert "1 file f 1 B Download f" in earlier  # nobody knows what is in it
        assert "It is late, and an earlier one is not" in words(seen.text)
        assert [each.count("No feedback yet.") for each in (newest, earlier)] == [1, 1]
        handing_in = [link for link in links(seen.text) if "hand-in" in link]
        assert len(handing_in) == (user == "other student")
        assert ("pages/student/c/other%20student" in seen.text) == (user != "other student")


async def test_feedback_is_with_the_submission_that_it_is_on(browser: Browser) -> None:
    moment = await feedback_on_the_newest(browser, {"p.html": b"<p>Good", "extra.bin": b"1"})
    assert (await browser.exchange.call("POST", "submission/c/a", "lawrence", files=tree({"f": b"2"}))).status == 200
    seen = await browser.look(SUBMISSIONS, "lawrence", NAMES)
    newest, first = entries(seen.text)
    assert "No feedback yet." in newest
    assert "p.html 7 B View p.html, in a new tab Download p.html extra.bin 1 B Download extra.bin" in first
    (view,) = [link for link in links(seen.text) if "feedback-view" in link]
    assert (await browser.follow(view)).text == "<p>Good"
    anchors = {str(attributes.get("id")) for _, attributes in document(seen.text).elements}
    assignment = await browser.look("pages/assignment/{course}/{assignment}", "lawrence", NAMES)
    (there,) = [link for link in links(assignment.text) if "#on-" in link]
    assert there.partition("#")[2] == "on-2"
    assert {"on-1", "on-2"} <= anchors
    listed = await browser.look(FEEDBACK, "lawrence", NAMES)
    assert "You have handed in again since." in words(listed.text)
    assert [link for link in links(listed.text) if "feedback-view" in link] == [view]
    assert moment[:10].replace("-", "") not in listed.text  # a time in words
    assert "You have been given no feedback" in words((await browser.look(FEEDBACK, "kevin", NAMES)).text)


@pytest.mark.parametrize("german", [False, True])
async def test_what_opens_a_new_tab_says_so_and_leaves_no_way_back(browser: Browser, german: bool) -> None:
    await feedback_on_the_newest(browser, {"p.html": b"1"})
    for path in (SUBMISSIONS, FEEDBACK, "pages/assignment/{course}/{assignment}"):
        seen = await browser.look(path, "lawrence", NAMES, german=german)
        views = [
            attributes for tag, attributes in document(seen.text).elements if tag == "a" and "target" in attributes
        ]
        assert views
        for each in views:
            assert (each["target"], each["rel"]) == ("_blank", "noopener")
        assert words(seen.text).count(", in neuem Tab" if german else ", in a new tab") == len(views)
        assert not [link for link in links(seen.text) if "-view/" in link and link not in {x["href"] for x in views}]


async def test_who_has_left_goes_on_reading_their_own_and_nothing_leads_where_they_may_not_go(browser: Browser) -> None:
    names = {**NAMES, "user": "gone"}
    seen = await browser.look(SUBMISSIONS, "gone", names)
    assert len(entries(seen.text)) == 1
    for link in links(seen.text):
        if link.startswith("/"):
            assert (await browser.follow(link)).status == 200, link
    assert "hand-in" not in seen.text
    # Others see it still, and what else there is of them.
    kept = await browser.look(SUBMISSIONS, "kevin", names)
    (whole,) = [link for link in links(kept.text) if "pages/student/" in link]
    assert (await browser.follow(whole)).status == 200
    for user, other in (("gone", "lawrence"), ("stranger", "gone"), ("stranger", "stranger"), ("lawrence", "gone")):
        assert (await browser.look(SUBMISSIONS, user, {**NAMES, "user": other})).status == 403, (user, other)
    for name in ("other", "no such"):
        assert (await browser.look(SUBMISSIONS, "gone", {**names, "assignment": name})).status == 403
    assert (await browser.look(FEEDBACK, "gone", NAMES)).status == 403


async def test_what_is_taken_back_or_closed_is_read_and_offers_no_handing_in(browser: Browser) -> None:
    assert (await browser.exchange.call("PUT", "assignment/c/a/withdrawn", "kevin")).status == 200
    seen = await browser.look(SUBMISSIONS, "lawrence", NAMES)
    assert (seen.status, len(entries(seen.text)), "hand-in" in seen.text) == (200, 1, False)
    assert (await browser.look(SUBMISSIONS, "other student", OTHERS)).status == 404


async def test_nothing_handed_in_and_somebody_unknown(browser: Browser) -> None:
    seen = await browser.look(SUBMISSIONS, "other student", OTHERS)
    assert "Nothing was handed in." in words(seen.text)
    assert [link for link in links(seen.text) if "pages/hand-in/c/a" in link]
    unknown = await browser.look(SUBMISSIONS, "kevin", {**NAMES, "user": "nobody"})
    assert (unknown.status, "Student not found" in words(unknown.text)) == (404, True)


async def test_many_submissions_have_parts_and_many_files_are_cut(browser: Browser) -> None:
    for number in range(45):
        hand_in(browser, 50 - number)
    hand_in(browser, 0.5, **{f"f{number}": b"1" for number in range(60)})
    seen = await browser.look(SUBMISSIONS, "other student", OTHERS)
    assert len(entries(seen.text)) == 10
    assert "Part 1 of 5, 46 rows" in words(seen.text)
    assert "60 files" in entries(seen.text)[0]
    assert "And 10 more, in the zip." in entries(seen.text)[0]
    last = await browser.look(SUBMISSIONS, "other student", OTHERS, part=5)
    assert len(entries(last.text)) == 6
    assert "counts" not in "".join(entries(last.text))


async def test_damage_hides_nothing_else(browser: Browser) -> None:
    await feedback_on_the_newest(browser, {"p.html": b"1"})
    hand_in(browser, 2)
    hand_in(browser, 1)
    below = browser.exchange.data / "courses/c/assignments/a"
    first, second = sorted((below / "submissions/other student").iterdir())
    (first / "manifest.yaml").write_text("kind: [\n", "utf-8")
    (second / "files/f").unlink()
    for user in ("other student", "kevin"):
        newest, earlier = entries((await browser.look(SUBMISSIONS, user, OTHERS)).text)
        assert "1 file f 1 B" in newest
        assert "These files cannot be read at the moment." in earlier
    (given,) = (below / "submissions/lawrence").glob("*/feedback/*")
    (given / "manifest.yaml").unlink()
    for path in (SUBMISSIONS, FEEDBACK):
        seen = await browser.look(path, "lawrence", NAMES)
        assert (seen.status, "These files cannot be read" in words(seen.text)) == (200, True), path
    (below / "assignment.yaml").write_text("due: [1]\n", "utf-8")
    for path in (SUBMISSIONS, "pages/receipt/{course}/{assignment}/{user}"):
        seen = await browser.look(path, "lawrence", NAMES, german=True)
        assert (seen.status, "lässt sich zurzeit nicht sagen" in words(seen.text)) == (200, True), path
        assert "hand-in" not in seen.text
    shutil.rmtree(below / "releases")
    assert (await browser.look(SUBMISSIONS, "lawrence", NAMES)).status == 200
    (browser.exchange.data / "courses/c/course.yaml").write_text("x: [", "utf-8")
    assert (await browser.look(SUBMISSIONS, "lawrence", NAMES)).status == 200  # what it said before counts


async def test_new_feedback_is_on_the_first_page_for_two_weeks(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "New feedback" not in words((await browser.look("", "lawrence")).text)
    await feedback_on_the_newest(browser, {"p.html": b"1"})
    home = await browser.look("", "lawrence")
    assert "New feedback a (c), " in words(home.text)
    for user in ("other student", "kevin"):
        assert "New feedback" not in words((await browser.look("", user)).text)
    (given,) = Path(browser.exchange.data).glob("courses/c/assignments/a/submissions/lawrence/*/feedback/*")
    given.rename(given.with_name("20200130T103047.524219Z"))
    assert "New feedback" not in words((await browser.look("", "lawrence")).text)


async def test_what_to_do_next_is_said_with_the_time_that_is_left(browser: Browser) -> None:
    await set_due(browser, 2.1)
    home = await browser.look("", "other student")
    assert "2 days 2 hours left Hand in: a" in words(home.text)
    for path in ("", "pages/course/{course}", "pages/assignment/{course}/{assignment}"):
        mine = await browser.look(path, "other student", NAMES)
        assert "2 days 2 hours left" in words(mine.text), path
        assert [link for link in links(mine.text) if "pages/hand-in/c/a" in link], path
        handed_in = await browser.look(path, "lawrence", NAMES)
        assert "Hand in again" in words(handed_in.text), path
    for user in ("kevin", "tara", "root"):
        assert "pages/hand-in" not in (await browser.look("pages/course/{course}", user, NAMES)).text
    close = moment_at(now().replace(microsecond=0) + timedelta(days=1.1), "UTC").text
    await set_due(browser, -1, close=close)
    late = words((await browser.look("pages/assignment/{course}/{assignment}", "other student", NAMES)).text)
    assert "1 day 2 hours left until nothing is taken any more" in late
