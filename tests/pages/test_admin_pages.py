"""What admins see and do: courses and their figures, the volume over time, health, the journal."""

import csv
import io
import json
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from yarl import URL

from ngshare_fs.settings import CourseCreators
from ngshare_fs.store import Person, Volume, course, roster
from ngshare_fs.store.checking.findings import FINDINGS
from ngshare_fs.store.format import timestamp
from ngshare_fs.store.journal import Entry, search
from ngshare_fs.store.upkeep import figures, last_count
from ngshare_fs.store.upkeep.last_runs import leave_outcome
from ngshare_fs.web.admin import journal as journal_page
from tests.conftest import Exchange, MakeExchange
from tests.pages.browsing import Browser, browser, document, foreign_scripts, links, send, words
from tests.pages.test_hostile_names import NAMES as HOSTILE

__all__ = ["browser"]

DOCS = Path(__file__).parents[2] / "docs"


def count(volume: Volume) -> None:
    with last_count.counting(volume):
        last_count.leave(volume, figures.collect(volume, lambda: None))


def did(exchange: Exchange, what: str) -> list[tuple[str, str, str, str]]:
    found = [each.event for each in search.found(exchange.volume, search.Wanted()) if isinstance(each, Entry)]
    return [(each.by, each.via, each.course, each.detail) for each in found if each.what == what]


# Courses


async def test_courses_are_shown_as_they_were_counted(browser: Browser) -> None:
    before = words((await browser.look("pages/admin", "root")).text)
    assert "Nothing has been counted yet." in before
    assert "this course is newer than the last count" in before
    count(browser.exchange.volume)
    course.create(browser.exchange.volume, "younger", ["kevin"])
    text = (await browser.look("pages/admin", "root")).text
    shown = words(text)
    assert "submissions: 2" in shown
    assert "2 students1 instructor1 grader" in shown
    assert shown.count("this course is newer than the last count") == 1
    assert "Counted" in shown
    leads = [link for link in links(text) if "/admin-delete/" in link]
    assert len(leads) == 2


async def test_courses_are_sorted_and_searched_by_links(make_exchange: MakeExchange) -> None:
    exchange = await make_exchange(quota_course=1000)
    browser = Browser(exchange)
    for number, name in enumerate(("Äpfel", "birnen", "Citrus")):
        course.create(exchange.volume, name)
        roster.set_students(exchange.volume, name, [(f"s{each}", Person()) for each in range((number + 1) % 3)])
    (exchange.data / "courses/birnen/course.yaml").write_text("course: birnen\nquota:\n  course: 0\n", "utf-8")
    count(exchange.volume)
    course.create(exchange.volume, "new")

    async def listed(**query: str) -> list[str]:
        text = (await browser.look("pages/admin", "root", german=False, **query)).text
        return [re.sub(r".*/course/|\?.*", "", link) for link in links(text) if "/pages/course/" in link]

    apples = "%C3%84pfel"
    assert await listed() == ["Citrus", "birnen", "new", apples]
    assert await listed(reversed="yes") == [apples, "new", "birnen", "Citrus"]
    assert await listed(sort="students") == [apples, "Citrus", "birnen", "new"]
    assert (await listed(sort="quota"))[2:] == ["birnen", "new"]
    assert await listed(sort="no such") == ["Citrus", "birnen", "new", apples]
    assert await listed(search="ÄP") == [apples]
    assert await listed(search="no such") == []
    page = (await browser.look("pages/admin", "root", sort="students", search="i")).text
    sorted_by = [each for tag, each in document(page).elements if tag == "th" and "aria-sort" in each]
    assert [each["aria-sort"] for each in sorted_by] == ["descending"]
    assert [link for link in links(page) if "sort=students" in link and "reversed=yes" in link and "search=i" in link]
    assert "0 % of 1000 B" in words(page)
    assert "no limit" in words(page)


async def test_a_course_is_created_renamed_and_deleted(browser: Browser) -> None:
    exchange = browser.exchange
    form = {"form": "create", "course_name": " new ", "instructors": "ada\r\n\r\nkevin \nada"}
    status, location, _ = await send(exchange, "pages/new-course", "root", **form)
    assert (status, location) == (303, "/api/pages/course/new?user=root&done=course-created")
    assert list(roster.of(exchange.volume, "new").instructors) == ["ada", "kevin"]
    assert did(exchange, "create-course")[-1] == ("root", "page", "new", "2: ada, kevin")
    status, _, text = await send(exchange, "pages/new-course", "root", **form)
    assert (status, "There is such a course already" in text, 'value=" new "' in text) == (400, True, True)

    names = {"course": "new"}
    for name, problem in (("new", "That is its name already"), ("c", "There is such a course"), (" ", "has to be")):
        status, _, text = await send(
            exchange, "pages/admin-rename/{course}", "root", names, form="rename", new_name=name
        )
        assert (status, problem in text) == (400, True), name
    status, location, _ = await send(
        exchange, "pages/admin-rename/{course}", "root", names, form="rename", new_name="other"
    )
    assert (status, location) == (303, "/api/pages/admin?user=root&done=course-renamed")
    assert did(exchange, "rename-course") == [("root", "page", "other", "from new")]
    assert not course.exists(exchange.volume, "new")

    names = {"course": "other"}
    status, _, text = await send(
        exchange, "pages/admin-delete/{course}", "root", names, form="delete", typed_name="Other"
    )
    assert (status, "That is not the name" in text, course.exists(exchange.volume, "other")) == (400, True, True)
    assert "for 90 days" in words(text)
    status, location, _ = await send(
        exchange, "pages/admin-delete/{course}", "root", names, form="delete", typed_name=" other"
    )
    assert (status, location) == (303, "/api/pages/admin?user=root&done=course-deleted")
    assert did(exchange, "delete-course") == [("root", "page", "other", "")]
    assert not course.exists(exchange.volume, "other")


async def test_whoever_may_make_courses_makes_their_own(make_exchange: MakeExchange) -> None:
    exchange = await make_exchange(course_creators=CourseCreators(frozenset({"tina"})))
    browser = Browser(exchange)
    shown = await browser.look("pages/new-course", "tina")
    assert "You become its instructor." in words(shown.text)
    assert "instructors" not in [each.get("name") for _, each in document(shown.text).elements]
    fields = {"form": "create", "course_name": "t", "instructors": "mallory"}
    assert (await send(exchange, "pages/new-course", "tina", **fields))[0] == 303
    assert list(roster.of(exchange.volume, "t").instructors) == ["tina"]
    for user, sees in (("tina", True), ("kevin", False)):
        home = (await browser.look("", user)).text
        assert bool([link for link in links(home) if "pages/new-course" in link]) == sees
    assert (await send(exchange, "pages/new-course", "kevin", **fields))[0] == 403


@pytest.mark.parametrize("user", ["kevin", "tara", "lawrence", "stranger"])
async def test_nobody_else_changes_courses(browser: Browser, user: str) -> None:
    for path, fields in (
        ("pages/admin-rename/{course}", {"form": "rename", "new_name": "x"}),
        ("pages/admin-delete/{course}", {"form": "delete", "typed_name": "c"}),
        ("pages/new-course", {"form": "create", "course_name": "x"}),
        ("pages/admin-trash-empty", {"form": "empty", "typed_number": "0"}),
    ):
        assert (await send(browser.exchange, path, user, {"course": "c"}, **fields))[0] == 403
    assert course.exists(browser.exchange.volume, "c")


async def test_hostile_names_are_text_on_all_pages_and_can_be_deleted(exchange: Exchange) -> None:
    browser = Browser(exchange)
    for name in HOSTILE:
        course.create(exchange.volume, name, [name])
    count(exchange.volume)
    listed = await browser.look("pages/admin", "root")
    to_delete = [link for link in links(listed.text) if "/admin-delete/" in link]
    assert len(to_delete) == len(HOSTILE)
    for link, name in zip(to_delete, sorted(HOSTILE), strict=True):
        page = await browser.follow(link)
        assert page.status == 200, name
        forms = [each for tag, each in document(page.text).elements if tag == "form"]
        answer = await exchange.client.post(
            URL(str(forms[-1]["action"]), encoded=True),
            data=io.BytesIO(urlencode({"form": "delete", "typed_name": name}).encode()),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            allow_redirects=False,
        )
        assert answer.status == 303, name
    assert not course.all_courses(exchange.volume)
    for path in ("pages/admin", "pages/admin-trash", "pages/admin-journal"):
        seen = await browser.look(path, "root")
        assert (seen.status, foreign_scripts(seen.text)) == (200, [])


# The volume


def write_history(exchange: Exchange, *ages: float, more: bytes = b"") -> None:
    lines = [
        json.dumps(
            {
                "time": timestamp.ago(timedelta(days=age)),
                "courses": 3,
                "submissions": 1000,
                "stored": 5 * 2**30 - int(age * 2**24),
                "trash": 2**28,
                "bytes_free": 2**40 - int(age * 2**30),
                "bytes_total": 2**41,
                "inodes_free": 1_000_000 + int(age),
                "inodes_total": 2_000_000,
            }
        )
        for age in sorted(ages, reverse=True)
    ]
    (exchange.data / ".ngshare").mkdir(exist_ok=True)
    file = exchange.data / ".ngshare/history.jsonl"
    file.write_bytes("".join(f"{line}\n" for line in lines).encode() + more)


def pictures(text: str) -> dict[str, list[tuple[str, dict[str, str | None]]]]:
    found: dict[str, list[tuple[str, dict[str, str | None]]]] = {}
    name = ""
    for tag, attributes in document(text).elements:
        if tag == "svg":
            name = str(attributes.get("aria-labelledby", "")).partition("-")[0]
        elif tag in ("polyline", "circle") and name:
            found.setdefault(name, []).append((tag, attributes))
    return found


async def test_the_volume_over_time_is_a_picture_and_a_table(browser: Browser) -> None:
    empty = words((await browser.look("pages/admin-volume", "root")).text)
    assert "There is no history yet." in empty
    write_history(browser.exchange, *(each / 4 for each in range(200)))
    seen = await browser.look("pages/admin-volume", "root")
    found = pictures(seen.text)
    assert {name: len(parts) for name, parts in found.items()} == {"free": 1, "stored": 2, "inodes": 1}
    assert "Free space: between" in words(seen.text)
    assert seen.text.count('role="img"') == 3
    assert "Part 1 of 2, 120 rows" in words(seen.text)
    longer = await browser.look("pages/admin-volume", "root", days=0)
    assert "Part 1 of 2, 200 rows" in words(longer.text)
    assert [link for link in links(longer.text) if "part=2" in link and "days=0" in link]
    assert "style=" not in seen.text
    for _, attributes in (part for parts in found.values() for part in parts):
        for x, y in (each.split(",") for each in str(attributes["points"]).split()):
            assert 76 <= float(x) <= 624
            assert 12 <= float(y) <= 228


async def test_gaps_and_single_moments_are_shown_as_such(browser: Browser) -> None:
    write_history(browser.exchange, 0)
    one = pictures((await browser.look("pages/admin-volume", "root")).text)
    assert [tag for tag, _ in one["free"]] == ["circle"]
    write_history(browser.exchange, 20, 19.75, 10, 5, 4.75, 4.5)
    gaps = pictures((await browser.look("pages/admin-volume", "root")).text)
    assert [tag for tag, _ in gaps["free"]] == ["polyline", "polyline", "circle"]


async def test_a_history_that_somebody_has_broken_is_told(browser: Browser) -> None:
    write_history(browser.exchange, 1, 2, more=b'{"time": \xff}\n<script>\n')
    seen = await browser.look("pages/admin-volume", "root", german=True)
    assert "2 Zeilen von .ngshare/history.jsonl" in words(seen.text)
    assert len(pictures(seen.text)["free"]) == 2
    file = browser.exchange.data / ".ngshare/history.jsonl"
    file.unlink()
    file.mkdir()
    seen = await browser.look("pages/admin-volume", "root")
    assert "The history cannot be read" in words(seen.text)


async def test_the_quota_of_all_is_shown_with_what_is_used(make_exchange: MakeExchange) -> None:
    exchange = await make_exchange(quota_volume=2**30)
    count(exchange.volume)
    assert "0 B of 1.0 GiB (0 %)" in words((await Browser(exchange).look("pages/admin-volume", "root")).text)


# Health


async def test_health_says_what_doctor_says_and_when_it_was_checked(browser: Browser) -> None:
    seen = await browser.look("pages/admin-health", "root")
    shown = words(seen.text)
    for subject in ("volume", "permissions", "file system", "locks", "space", "inodes", "volume clock"):
        assert subject in shown
    assert "flock holds" in shown
    assert "The whole volume was never checked" in shown
    assert "Nobody has left word of a backup" in shown
    leave_outcome(browser.exchange.data, {"stray": 3, "<b>newer": 1})
    (browser.exchange.data / ".ngshare/last-backup").touch()
    shown = words((await browser.look("pages/admin-health", "root", german=True)).text)
    assert f"stray3{FINDINGS['stray'].meaning}" in shown
    assert "<b>newer1" in shown
    assert "Eine Sicherung war vollständig" in shown
    assert not list(browser.exchange.data.rglob("probe-*"))


async def test_what_is_wrong_is_counted_and_said_with_its_remedy(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    (browser.exchange.data / ".ngshare/last-verify.yaml").write_text("time: [\n", "utf-8")
    browser.exchange.data.chmod(0o755)
    shown = words((await browser.look("pages/admin-health", "root")).text)
    assert re.search("[12] things? (is|are) wrong", shown)
    assert "chmod 0700" in shown
    assert "never checked" in shown


# The journal


async def test_the_journal_is_read_back_page_by_page_with_filters(browser: Browser) -> None:
    exchange = browser.exchange
    for number in range(130):
        assert (await exchange.call("POST", f"course/x{number}", "root")).status == 200
    exchange.volume.journal.flush()
    first = await browser.look("pages/admin-journal", "root", what="create-course")
    assert len(re.findall("create-course</bdi>", first.text)) == 100
    assert first.text.index("x129") < first.text.index("x30")
    [older] = [link for link in links(first.text) if "before=" in link]
    assert "what=create-course" in older
    second = await browser.follow(older)
    assert len(re.findall("create-course</bdi>", second.text)) == 31
    assert not [link for link in links(second.text) if "before=" in link]
    only = await browser.look("pages/admin-journal", "root", course="c", by="lawrence")
    assert "submit" in words(only.text).partition("CSV")[2]
    assert "kevin" not in words(only.text).partition("CSV")[2]
    today, before = timestamp.now()[:10], timestamp.ago(timedelta(days=1))[:10]
    for query, status in (({"from": before}, True), ({"to": today}, True), ({"from": "2999-01-01"}, False)):
        seen = await browser.look("pages/admin-journal", "root", german=False, **query)
        assert ('id="entries"' in seen.text) == status
    for odd in ("yesterday", "2026-13-01", "2026-W10-1", "9" * 500):
        seen = await browser.look("pages/admin-journal", "root", german=False, **{"from": odd})
        assert (seen.status, "This is no day" in seen.text, 'id="entries"' in seen.text) == (200, True, False), odd
    assert (await browser.look("pages/admin-journal", "root", before="\ufffd<b>", course="\x00")).status == 200


async def test_fetches_are_shown_where_that_is_wanted(browser: Browser) -> None:
    write_journal(browser.exchange, [{"what": "fetch-feedback", "by": "ada"}, {"what": "submit", "by": "eve"}])
    assert "ada" not in words((await browser.look("pages/admin-journal", "root")).text)
    assert "ada" in words((await browser.look("pages/admin-journal", "root", reads="yes")).text)


def write_journal(exchange: Exchange, events: list[dict[str, str]], more: bytes = b"") -> None:
    folder = exchange.data / "journal/volume"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"time": f"2026-09-30 10:00:00.{number:06} UTC", **each}) for number, each in enumerate(events)]
    (folder / "2026-09.5f3a9c01.jsonl").write_bytes("\n".join(lines).encode() + b"\n" + more)


async def test_hostile_and_broken_lines_are_text(browser: Browser) -> None:
    texts = [
        "<script>alert(1)</script>",
        "\u202eevil",
        "\x1b[31m",
        "=cmd|' /C calc'!A0",
        "{{ 7 * 7 }}",
        "a\nb",
        "\ud800",
    ]
    events = [{"what": text, "by": text, "via": text, "course": text, "detail": text} for text in texts]
    more = b'{"time": "2026-99-30 99:00:00.000000 UTC", "what": "odd"}\nno json\n\xff\n'
    write_journal(browser.exchange, events, more)
    seen = await browser.look("pages/admin-journal", "root")
    assert seen.status == 200
    assert not foreign_scripts(seen.text)
    assert "\x1b" not in seen.text
    assert "\u202e" not in seen.text
    shown = words(seen.text)
    assert "2026-99-30" in shown
    assert "2 lines or files cannot be read" in shown
    table = await browser.look("pages/admin-journal-csv", "root")
    assert table.headers["Content-Disposition"].startswith("attachment")
    rows = list(csv.reader(io.StringIO(table.text.removeprefix("\ufeff"))))
    assert rows[0][:3] == ["time", "what", "by"]
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert ["'=cmd|' /C calc'!A0"] * 2 in [row[1:3] for row in rows]


async def test_the_table_has_the_newest_rows_of_what_was_filtered(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_journal(browser.exchange, [{"what": "submit", "by": f"s{number}"} for number in range(300)])
    monkeypatch.setattr(journal_page, "MOST_ROWS", 250)
    table = await browser.look("pages/admin-journal-csv", "root", to="2026-09-30")
    rows = list(csv.reader(io.StringIO(table.text.removeprefix("\ufeff"))))
    assert [row[2] for row in rows[1:]] == [f"s{number}" for number in range(299, 49, -1)]
    nothing = await browser.look("pages/admin-journal-csv", "root", german=False, **{"from": "no day"})
    assert len(nothing.text.splitlines()) == 1


def test_the_words_that_are_offered_are_those_of_the_format() -> None:
    [row] = [
        line for line in (DOCS / "volume-format.md").read_text("utf-8").splitlines() if line.startswith("| `what` |")
    ]
    named = set(re.findall("`([a-z]+(?:-[a-z]+)*)`", row)) - {"what", "detail"}
    assert set(journal_page.WORDS) == named
