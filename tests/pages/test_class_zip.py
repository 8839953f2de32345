"""The work of a class as one zip: what is in it, how large it is said to be, what the journal says."""

import asyncio
import csv
import io
import zipfile
from datetime import timedelta

import pytest

from ngshare_fs.formats.civil_time import moment_at
from ngshare_fs.store import dates, journal, submission, timestamp_of
from ngshare_fs.store.dates import now
from ngshare_fs.web.instructor.class_work.collect import COLLECT
from tests.pages.browsing import Browser, browser, words
from tests.pages.test_hostile_names import NAMES as HOSTILE
from tests.pages.visiting import visit
from tests.stores import upload
from tests.trees import tree

__all__ = ["browser"]

NAMES = {"course": "c", "assignment": "a"}
ZIP = "pages/class-zip/{course}/{assignment}"
PAGE = "pages/collect/{course}/{assignment}"


async def fetched(browser: Browser, user: str = "kevin", **query: str) -> dict[str, bytes]:
    """What is in the zip."""
    answer = await browser.exchange.client.get("/api/pages/class-zip/c/a", params={"user": user, **query})
    assert answer.status == 200, await answer.text()
    assert answer.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(await answer.read())) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def table(files: dict[str, bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files["manifest.csv"].decode("utf-8-sig"))))


@pytest.fixture
async def graded(browser: Browser) -> Browser:
    """`lawrence` has handed in thrice, the last time late; on the second there is feedback."""
    volume, present = browser.exchange.volume, now().replace(microsecond=0)
    submission.delete(volume, "c", "a", "lawrence", submission.submissions_by(volume, "c", "a", "lawrence")[0][1], "x")
    for number, hours in enumerate((30, 20, 1)):
        with upload(volume, **{"p.ipynb": f"{number}".encode()}) as files:
            submission.submit(volume, "c", "a", "lawrence", files, at=timestamp_of(present - timedelta(hours=hours)))
    dates.change(volume, "c", "a", {"due": moment_at(present - timedelta(hours=10), "UTC")})
    second = submission.submissions_by(volume, "c", "a", "lawrence")[1].timestamp
    answer = await browser.exchange.call(
        "POST", "feedback/c/a/lawrence", "kevin", timestamp=second, files=tree({"p.html": b"good"})
    )
    assert answer.status == 200
    return browser


async def test_newest_in_time_and_all_with_feedback(graded: Browser) -> None:
    newest = await fetched(graded)
    assert {name: newest[name] for name in newest if name != "manifest.csv"} == {
        "lawrence/p.ipynb": b"2",
        "gone/p.ipynb": b"{}",
    }
    in_time = await fetched(graded, which="in-time")
    assert {name for name in in_time} == {"lawrence/p.ipynb", "manifest.csv"}
    assert in_time["lawrence/p.ipynb"] == b"1"
    every = await fetched(graded, "tara", which="all", feedback="1")
    assert sorted(content for name, content in every.items() if name.endswith(".ipynb")) == [b"0", b"1", b"2", b"{}"]
    assert [name.split("/")[2:] for name in every if name.endswith(".html")] == [["feedback", "p.html"]]
    rows = table(every)
    assert {(row["student"], row["kind"]) for row in rows} == {
        ("lawrence", "submission"),
        ("gone", "submission"),
        ("lawrence", "feedback"),
    }
    assert [int(row["late_seconds"]) > 0 for row in rows if row["student"] == "gone"] == [True]


async def test_the_page_says_what_each_has_and_how_much_it_is(graded: Browser) -> None:
    shown = words((await graded.look(PAGE, "tara", NAMES)).text)
    assert "The newest of each student 2 submissions of 2 students, 3 B" in shown
    assert "All 4 submissions of 2 students, 5 B There is feedback on 1 of them: 4 B more." in shown
    assert "in time, extension and grace included 1 submission of 1 student, 1 B" in shown
    assert "estimated" not in shown
    nothing = await graded.exchange.call("POST", "assignment/c/empty", "kevin", files=tree({"f": b"1"}))
    assert nothing.status == 200
    assert "Nobody has handed in." in words((await graded.look(PAGE, "tara", {**NAMES, "assignment": "empty"})).text)


async def test_of_many_the_size_is_estimated(browser: Browser) -> None:
    volume = browser.exchange.volume
    for number in range(250):
        with upload(volume, **{"p.ipynb": b"x" * (1000 if number % 2 else 3000)}) as files:
            submission.submit(volume, "c", "a", f"s{number:03}", files)
    offers = COLLECT.read(visit(COLLECT, volume, "kevin", NAMES))["offers"]
    assert offers[0].submissions == 252
    assert offers[0].size == pytest.approx(250 * 2000, rel=0.15)
    assert "estimated" in (await browser.look(PAGE, "kevin", NAMES)).text


async def test_hostile_names_stay_inside(browser: Browser) -> None:
    volume = browser.exchange.volume
    for name in HOSTILE:
        with upload(volume, **{"f": b"1"}) as work:
            submission.submit(volume, "c", "a", name, work)
    files = await fetched(browser, which="all")
    assert len(files) == len(HOSTILE) + 3
    for name in files:
        assert not name.startswith(("/", "\\"))
        assert ".." not in name.split("/")
        assert "\\" not in name
    assert {row["student"].removeprefix("'") for row in table(files)} >= {name.strip() for name in HOSTILE[:2]}


@pytest.mark.parametrize(("german", "said"), [(False, "This could not be read"), (True, "Dies war nicht lesbar")])
async def test_what_is_damaged_is_left_out_and_the_rest_comes(browser: Browser, german: bool, said: str) -> None:
    (manifest,) = browser.exchange.data.glob("courses/c/assignments/a/submissions/gone/*/manifest.yaml")
    manifest.write_text("broken: [", "utf-8")
    shown = words((await browser.look(PAGE, "kevin", NAMES)).text)
    assert "2 submissions of 2 students" in shown
    answer = await browser.exchange.client.get(
        "/api/pages/class-zip/c/a", params={"user": "kevin"}, headers={"Accept-Language": "de"} if german else {}
    )
    with zipfile.ZipFile(io.BytesIO(await answer.read())) as archive:
        assert archive.read("lawrence/p.ipynb") == b"{}"
        assert said in archive.read("gone/PROBLEM.txt").decode()


async def test_the_journal_says_who_took_it(browser: Browser) -> None:
    volume = browser.exchange.volume
    await fetched(browser, "tara", which="all", feedback="1")
    volume.journal.flush()
    entries = [each for file in journal.files(volume, "c") for each in journal.entries_in(volume, file.place)]
    events = [each.event for each in entries if isinstance(each, journal.Entry)]
    taken = [event for event in events if event.what == "collect-as-zip"]
    assert [(event.by, event.via, event.assignment, event.detail) for event in taken] == [
        ("tara", "page", "a", "all, feedback")
    ]


async def test_what_no_page_asks_for_is_refused(browser: Browser) -> None:
    for which in ("", "newest ", "../all", "NEWEST"):
        assert (await browser.look(ZIP, "kevin", NAMES, which=which)).status == 404, which
    (browser.exchange.data / "courses/c/assignments/a/assignment.yaml").write_text("due: [1]\n", "utf-8")
    refused = await browser.look(ZIP, "kevin", NAMES, which="in-time")
    assert (refused.status, "ngshare-fs verify" in refused.text) == (503, True)
    assert (await browser.look(ZIP, "kevin", NAMES, which="newest")).status == 200


async def test_two_at_once_are_both_whole(browser: Browser) -> None:
    first, second = await asyncio.gather(fetched(browser), fetched(browser, "tara"))
    assert first == second
