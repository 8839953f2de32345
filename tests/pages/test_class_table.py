"""The table of a class: parts, filters, names looked for, addresses, and what cannot be read."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest

from ngshare_fs.formats.civil_time import moment_at
from ngshare_fs.store import Person, course, dates, release, roster, submission
from ngshare_fs.store.dates import now
from ngshare_fs.web.instructor.class_work.mail import addresses_of, is_address
from ngshare_fs.web.instructor.class_work.matrix import Member
from tests.conftest import Exchange
from tests.pages.browsing import Browser, browser, document, links, words
from tests.pages.test_hostile_names import NAMES as HOSTILE
from tests.stores import upload
from tests.trees import tree

__all__ = ["browser"]

NAMES = {"course": "c", "assignment": "a"}
CLASS = "pages/class/{course}"
CHOSEN: dict[str, Any] = {"of.b3": "1", "of.no such": "1"}


def users_in(text: str) -> list[str]:
    """Whose rows there are, in their order."""
    return [
        unquote(link.partition("pages/student/c/")[2].partition("?")[0])
        for link in links(text)
        if "/student/c/" in link
    ]


async def test_rows_have_words_and_lead_to_the_student(browser: Browser) -> None:
    shown = await browser.look(CLASS, "kevin", NAMES)
    assert users_in(shown.text) == ["lawrence", "gone", "other student"]  # those without a name come last
    assert "not on the roster any more" in words(shown.text)
    assert words(shown.text).count("no feedback") >= 2
    student = next(link for link in links(shown.text) if "/student/c/gone" in link)
    page = await browser.follow(student)
    assert page.status == 200
    assert "no: has handed in here, and left" in words(page.text)
    assert (await browser.look("pages/student/{course}/{user}", "kevin", {**NAMES, "user": "nobody"})).status == 404


async def test_a_large_class_comes_in_parts_and_filters_go_with_them(browser: Browser) -> None:
    names = [f"xx{number:03}" for number in range(250)]
    roster.set_students(browser.exchange.volume, "c", [(name, Person(last_name="Same")) for name in names])
    first = await browser.look(CLASS, "kevin", NAMES, find="XX", sort="user")
    assert users_in(first.text) == names[:100]
    assert "250 rows" in words(first.text)
    second = await browser.follow(next(link for link in links(first.text) if "part=2" in link))
    assert users_in(second.text) == names[100:200]
    third = await browser.follow(next(link for link in links(second.text) if "part=3" in link))
    assert users_in(third.text) == names[200:]
    table = await browser.follow(next(link for link in links(third.text) if "class-csv" in link))
    assert len(table.text.splitlines()) == 251


@pytest.mark.parametrize("find", ["ADA", "love", "ada lovelace", "Lovelace Ada", "ada@ex", "\uff21da"])
async def test_names_are_found_however_they_are_written(browser: Browser, find: str) -> None:
    volume = browser.exchange.volume
    roster.set_student(volume, "c", "al1815", Person("Ada", "Lovelace", "ada@example.org"))
    assert users_in((await browser.look(CLASS, "kevin", NAMES, find=find)).text) == ["al1815"]
    nobody = await browser.look(CLASS, "kevin", NAMES, find="<b>nobody</b>")
    assert users_in(nobody.text) == []
    assert "Nobody is found" in words(nobody.text)
    assert "<b>nobody" not in nobody.text


async def test_sorting(browser: Browser) -> None:
    volume = browser.exchange.volume
    for user, person in (("z", Person("B", "Adams")), ("y", Person("A", "Adams")), ("b", Person())):
        roster.set_student(volume, "c", user, person)
    with upload(volume, f=b"1") as files:
        submission.submit(volume, "c", "a", "b", files)
    by_name = users_in((await browser.look(CLASS, "kevin", NAMES)).text)
    assert by_name[:2] == ["y", "z"]
    by_user = users_in((await browser.look(CLASS, "kevin", NAMES, sort="user")).text)
    assert by_user == sorted(by_user)
    assert users_in((await browser.look(CLASS, "kevin", NAMES, sort="newest")).text)[0] == "b"
    for odd in ("x", "", "name&user"):
        assert users_in((await browser.look(CLASS, "kevin", NAMES, sort=odd, show=odd)).text) == by_name


async def test_only_the_assignments_that_are_chosen(browser: Browser) -> None:
    volume = browser.exchange.volume
    for number in range(12):
        with upload(volume, f=b"1") as files:
            release.release(volume, "c", f"b{number}", "kevin", files)
    usual = (await browser.look(CLASS, "kevin", NAMES)).text
    assert "Assignments: 8 of 13" in words(usual)
    one = (await browser.look(CLASS, "kevin", NAMES, **CHOSEN)).text
    columns = [link for link in links(one) if "pages/assignment/" in link]
    assert [re.search("/c/([^?]*)", link)[1] for link in columns] == ["b3"]  # type: ignore[index]
    every = await browser.look("pages/class-csv/{course}", "kevin", NAMES)
    assert len(every.text.splitlines()[0].split(",")) == 5 + 4 * 13


async def test_addresses_of_those_who_are_missing(browser: Browser) -> None:
    volume = browser.exchange.volume
    people = {"m1": "m1@x.org", "m2": "m2@x.org,evil@x.org", "m3": 'a"<script>@x.org', "m4": "", "m5": "m5+a&b?@x.org"}
    roster.set_students(volume, "c", [(user, Person(email=email)) for user, email in people.items()])
    assert "mailto:" not in (await browser.look(CLASS, "kevin", NAMES)).text
    shown = await browser.look(CLASS, "kevin", NAMES, show="missing", find="m")
    (link,) = [each for each in links(shown.text) if each.startswith("mailto:")]
    assert link == "mailto:?bcc=m1@x.org,m5%2Ba%26b%3F@x.org"
    assert "2 email addresses." in words(shown.text)
    assert "3 have none that can be used." in words(shown.text)
    assert "evil" not in shown.text
    assert "<script>" not in shown.text


def test_too_many_addresses_make_no_link_but_a_text() -> None:
    members = [Member(f"u{number}", Person(email=f"someone{number}@example.org")) for number in range(500)]
    found = addresses_of(members)
    assert (found.count, found.link) == (500, "")
    assert found.text.count("@") == 500


@pytest.mark.parametrize(
    "text", ["", "a", "a@", "@b", "a b@c", "a@b@c", "a@b\nBcc: c@d", "a;b@c", "a@b>", "\u202ea@b", "a" * 300 + "@b"]
)
def test_what_is_no_address(text: str) -> None:
    assert not is_address(text)


async def test_a_broken_file_is_named_and_hides_nothing_else(browser: Browser) -> None:
    call = browser.exchange.call
    assert (await call("POST", "assignment/c/b", "kevin", files=tree({"f": b"1"}))).status == 200
    assert (await call("POST", "submission/c/b", "lawrence", files=tree({"f": b"1"}))).status == 200
    folder = browser.exchange.data / "courses/c/assignments/b"
    (folder / "assignment.yaml").write_text("due: [1]\n", "utf-8")
    (browser.exchange.data / "courses/c/assignments/a/submissions/stray").write_text("x", "utf-8")
    for path in (CLASS, "pages/course/{course}", "pages/student/{course}/{user}"):
        seen = await browser.look(path, "kevin", {**NAMES, "user": "lawrence"}, german=True)
        assert seen.status == 200, path
        assert "assignments/b/assignment.yaml" in seen.text, path
        assert "/c/a?" in seen.text, path
        assert "/c/b?" in seen.text, path
    table = await browser.look("pages/class-csv/{course}", "kevin", NAMES)
    assert table.status == 200
    assert "b: handed in (UTC)" in table.text
    collect = await browser.look("pages/collect/{course}/{assignment}", "kevin", {**NAMES, "assignment": "b"})
    assert (collect.status, "nobody can say what was in time" in words(collect.text)) == (200, True)
    (folder / "submissions").rename(folder / "away")
    for path in (CLASS, "pages/course/{course}", "pages/collect/{course}/{assignment}"):
        assert (await browser.look(path, "kevin", {**NAMES, "assignment": "b"})).status == 200, path
    (browser.exchange.data / "courses/c/course.yaml").write_text("course: [", "utf-8")
    for path in (CLASS, "pages/course/{course}"):
        seen = await browser.look(path, "kevin", NAMES)
        assert (seen.status, "course.yaml" in seen.text) == (200, True), path


async def test_pages_of_a_class_with_hostile_names(exchange: Exchange) -> None:
    browser, volume = Browser(exchange), exchange.volume
    course.create(volume, "c", ["kevin"])
    roster.set_students(volume, "c", [(name, Person(name, name, name)) for name in HOSTILE])
    for name in HOSTILE:
        with upload(volume, f=b"1") as files:
            due = moment_at(now().replace(microsecond=0) - timedelta(days=1), "UTC")
            release.release(volume, "c", name, "kevin", files, changes={"due": due})
        with upload(volume, f=b"1") as files:
            submission.submit(volume, "c", name, name, files)
    shown = [await browser.look("pages/course/{course}", "kevin", {"course": "c"})]
    # All names stand on each of these pages; of the pages that they lead to, each looks at all assignments, too.
    for word in ("pages/collect/", "pages/class/"):
        for link in sorted({each for each in links(shown[0].text) if word in each})[::3]:
            seen = await browser.follow(link)
            assert seen.status == 200, link
            shown.append(seen)
    table = await browser.look(CLASS, "kevin", {"course": "c"})
    leads = [link for link in links(table.text) if "pages/student/" in link]
    assert len(leads) == len(HOSTILE)
    for link in leads[::3]:
        student = await browser.follow(link)
        assert student.status == 200, link
        shown.append(student)
    for page in (*shown, table):
        elements = document(page.text).elements
        assert not {"b", "img"} & {tag for tag, _ in elements}
        scripts = [attributes for tag, attributes in elements if tag == "script"]
        assert {str(each["src"]).partition("?")[0] for each in scripts} == {"/api/static/times.js"}
        assert not [key for _, attributes in elements for key in attributes if key.startswith("on")]
        assert "62710561" not in page.text
    every: dict[str, Any] = {f"of.{name}": "1" for name in HOSTILE}
    chosen = await browser.look(CLASS, "kevin", {"course": "c"}, **every)
    assert len([link for link in links(chosen.text) if "pages/assignment/" in link]) == len(HOSTILE)


@pytest.mark.parametrize("german", [False, True])
async def test_each_input_has_a_label_and_tables_scroll_by_keyboard(browser: Browser, german: bool) -> None:
    dates.change(browser.exchange.volume, "c", "a", {"due": moment_at(now().replace(microsecond=0), "UTC")})
    names = {**NAMES, "user": "lawrence"}
    for path in (
        CLASS,
        "pages/student/{course}/{user}",
        "pages/collect/{course}/{assignment}",
        "pages/course/{course}",
    ):
        parsed = document((await browser.look(path, "kevin", names, german=german, show="missing", find="o")).text)
        labelled = {attributes.get("for") for tag, attributes in parsed.elements if tag == "label"}
        for tag, attributes in parsed.elements:
            if tag in ("select", "textarea", "input") and attributes.get("type") not in ("hidden", "checkbox"):
                assert attributes["id"] in labelled, (path, attributes)
            if tag == "th":
                assert attributes["scope"] in ("row", "col")
            assert "style" not in attributes
        regions = [attributes for tag, attributes in parsed.elements if "scrolled" in (attributes.get("class") or "")]
        assert all(each["tabindex"] == "0" and each["role"] == "region" for each in regions)
        ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
        assert len(ids) == len(set(ids)), path
