"""The roster in a browser: who is on it and why, one entry, and people who are removed."""

import json
from pathlib import Path

import pytest

from ngshare_fs.formats.group_pattern import group_pattern_in
from ngshare_fs.store import Person, Role, roster
from tests.conftest import Exchange, MakeExchange
from tests.pages.browsing import Browser, browser, document, links, words
from tests.pages.sending import followed, journal_of, send

__all__ = ["browser"]

ROSTER = "pages/roster/{course}"
ENTRY = "pages/roster-entry/{course}"
REMOVE = "pages/roster-remove/{course}"
COURSE = {"course": "c"}


def user_names(exchange: Exchange) -> dict[str, list[str]]:
    people = roster.of(exchange.volume, "c")
    return {role.value: sorted(people.people(role)) for role in Role}


async def test_a_roster_says_who_is_what_and_where_from(make_exchange: MakeExchange) -> None:
    exchange = await make_exchange(student_groups=(group_pattern_in("nbgrader-{course}"),))
    assert (await exchange.call("POST", "course/c", "root", instructors='["kevin"]')).status == 200
    roster.set_students(exchange.volume, "c", [("ada", Person("Ada", "Lovelace", "ada@x"))])
    roster.set_grader(exchange.volume, "c", "tara", Person("", "", ""))
    roster.mark(exchange.volume, "c", [("<b>gus", Role.STUDENT, Person("Gus", "G", ""))])
    file = Path(exchange.data, "courses/c/course.yaml")
    file.write_text(file.read_text().replace("  tara:", "  ada:\n    from: group\n  tara:"))
    browser = Browser(exchange)
    seen = words((await browser.look(ROSTER, "kevin", COURSE)).text)
    assert "1 instructor, 1 grader, 2 students." in seen
    assert "Students: nbgrader-c" in seen
    assert "ada Ada Lovelace ada@x student the list; a group makes grader" in seen
    assert "<b>gus Gus G student a group of the hub" in seen
    assert "kevin instructor the list" in seen
    german = words((await browser.look(ROSTER, "kevin", COURSE, german=True)).text)
    assert "der Teilnehmerliste; eine Gruppe gibt die Rolle" in german
    found = words((await browser.look(ROSTER, "kevin", COURSE, search=" ADA LOVE ")).text)
    assert ("1 found" in found, "gus" in found) == (True, False)
    assert "Nobody." in words((await browser.look(ROSTER, "kevin", COURSE, search="<zoe>")).text)
    grader = await browser.look(ROSTER, "tara", COURSE)
    assert "ada@x" in words(grader.text)
    assert not [link for link in links(grader.text) if "roster-" in link]
    assert "checkbox" not in grader.text
    elements = document((await browser.look(ROSTER, "kevin", COURSE)).text).elements
    # Forms that only look have to say who looks, stand-alone.
    hidden = [attributes.get("value") for tag, attributes in elements if attributes.get("name") == "user"]
    assert hidden == ["kevin", "kevin"]


async def test_parts_of_a_roster_keep_what_is_looked_for(browser: Browser) -> None:
    roster.set_students(
        browser.exchange.volume, "c", [(f"s{number:03}", Person("Quince", "", "")) for number in range(250)]
    )
    seen = await browser.look(ROSTER, "kevin", COURSE, search="quince")
    assert "Part 1 of 3, 250 rows in all" in words(seen.text)
    (following,) = [link for link in links(seen.text) if "part=2" in link]
    assert "Part 2 of 3, 250 rows in all" in words((await browser.follow(following)).text)


async def test_one_entry_is_made_and_changed(browser: Browser) -> None:
    exchange = browser.exchange
    fields = {
        "form": "save",
        "member": " zoë ",
        "role": "student",
        "first_name": "Zoë",
        "last_name": "",
        "email": "z@x",
    }
    assert "The entry is saved." in words(
        (await followed(exchange, await send(exchange, ENTRY, "kevin", **fields))).text
    )
    assert roster.of(exchange.volume, "c").students["zoë"] == Person("Zoë", "", "z@x")
    filled = await browser.look(ENTRY, "kevin", COURSE, member="zoë")
    assert 'value="z@x"' in filled.text
    # As a Mac writes it: the same person.
    fields |= {"member": "zoe\u0308", "role": "grader"}
    assert (await send(exchange, ENTRY, "kevin", **fields)).status == 303
    assert "zoë" in user_names(exchange)["grader"]
    assert "zoë" not in user_names(exchange)["student"]
    mine = {"form": "save", "member": "kevin", "role": "instructor", "first_name": "Kevin"}
    assert (await send(exchange, ENTRY, "kevin", **mine)).status == 303
    assert (await send(exchange, ENTRY, "root", **{**mine, "member": "new"})).status == 303
    assert user_names(exchange)["instructor"] == ["kevin", "new"]
    events = [(each.what, each.by, each.student or each.detail) for each in journal_of(exchange)]
    assert events == [
        ("set-student", "kevin", "zoë"),
        ("set-grader", "kevin", "zoë"),
        ("set-instructor", "kevin", "kevin"),
        ("set-instructor", "root", "new"),
    ]


@pytest.mark.parametrize(
    ("fields", "english", "german"),
    [
        ({"member": ""}, "Something has to be written here.", "etwas"),
        ({"member": "a\u200bb"}, "which nobody sees", "das niemand sieht"),
        ({"member": "Lawrence"}, "only capitals differ", "Groß- und Kleinschreibung"),
        ({"role": "admin"}, "There is no such role.", "Eine solche Rolle gibt es nicht."),
        ({"role": "instructor"}, "Instructors are made by an admin", "Zu Lehrenden macht jemanden ein Admin"),
        ({"member": "kevin"}, "This person is an instructor of the course.", "Diese Person ist Lehrperson"),
        ({"member": "tara"}, "This person is a grader of the course", "Diese Person korrigiert"),
        ({"first_name": "a\nb"}, "in it: remove it", "bitte entfernen"),
        ({"email": "=1+1"}, "is a formula", "ist eine Formel"),
    ],
)
async def test_what_cannot_be_an_entry_is_said_beside_its_field(
    browser: Browser, fields: dict[str, str], english: str, german: str
) -> None:
    before = user_names(browser.exchange)
    for is_german, said in ((False, english), (True, german)):
        sent = {"form": "save", "member": "new", "role": "student", **fields}
        seen = await send(browser.exchange, ENTRY, "kevin", None, is_german, **sent)
        assert (seen.status, words(seen.text).count(said)) == (400, 2), words(seen.text)
    assert user_names(browser.exchange) == before


async def test_people_are_removed_on_a_page_that_says_what_becomes_of_their_work(browser: Browser) -> None:
    exchange = browser.exchange
    roster.mark(exchange.volume, "c", [("gus", Role.STUDENT, Person("", "", ""))])
    chosen = ["lawrence", "tara", "gus", "kevin", "no such"]
    address = "/api/pages/roster-remove/c?user=kevin&" + "&".join(f"member={name}" for name in chosen)
    asked = await browser.follow(address.replace(" ", "%20"))
    said = words(asked.text)
    assert "lawrence student 1 submission is removed" in said
    assert "tara grader 0 submissions is removed" in said
    assert "gus student 0 submissions A group of the hub has brought them: take them out of the group there." in said
    assert "kevin instructor 0 submissions Instructors are removed by an admin." in said
    assert "What they handed in stays" in said
    assert "Remove 2 people" in said
    answer = await exchange.client.post(address, data={"form": "remove"}, allow_redirects=False)
    assert answer.status == 303
    done = await browser.follow(answer.headers["Location"])
    assert "2 people were removed from the roster." in words(done.text)
    assert user_names(exchange) == {"instructor": ["kevin"], "grader": [], "student": ["gus", "other student"]}
    assert [(each.what, each.detail) for each in journal_of(exchange)] == [
        ("remove-students", "1: lawrence"),
        ("remove-grader", "tara"),
    ]
    assert (await exchange.call("GET", "submission/c/a/lawrence", "kevin")).status == 200
    none = await browser.follow("/api/pages/roster-remove/c?user=kevin", german=True)
    assert "Es gibt niemanden zu entfernen." in words(none.text)
    by_admin = await exchange.client.post(
        "/api/pages/roster-remove/c?user=root&member=kevin", data={"form": "remove"}, allow_redirects=False
    )
    assert (by_admin.status, user_names(exchange)["instructor"]) == (303, [])


async def test_more_than_a_quarter_is_removed_only_if_that_is_said(browser: Browser) -> None:
    exchange = browser.exchange
    roster.set_students(exchange.volume, "c", [(f"s{number}", Person()) for number in range(10)])
    query = "&".join(f"member=s{number}" for number in range(6))
    address = f"/api/pages/roster-remove/c?user=kevin&{query}"
    assert "more than a quarter" in words((await browser.follow(address)).text)
    answer = await exchange.client.post(address, data={"form": "remove"}, allow_redirects=False)
    assert (answer.status, "only if you say" in words(await answer.text())) == (400, True)
    assert len(user_names(exchange)["student"]) == 12
    sure = {"form": "remove", "sure": "yes"}
    assert (await exchange.client.post(address, data=sure, allow_redirects=False)).status == 303
    assert len(user_names(exchange)["student"]) == 6


async def test_a_broken_roster_is_named_and_left_as_it_is(browser: Browser) -> None:
    exchange = browser.exchange
    await browser.look(ROSTER, "kevin", COURSE)
    file = Path(exchange.data, "courses/c/course.yaml")
    broken = file.read_text() + "students: [\n"
    file.write_text(broken)
    seen = await browser.look(ROSTER, "kevin", COURSE)
    assert (seen.status, "courses/c/course.yaml, line" in words(seen.text)) == (200, True)
    for path, fields in (
        (ENTRY, {"form": "save", "member": "new", "role": "student"}),
        ("pages/roster-change/{course}", {"form": "look", "people": "new"}),
    ):
        refused = await send(exchange, path, "kevin", **fields)
        assert (refused.status, "Course data cannot be read" in words(refused.text)) == (503, True)
    assert file.read_text() == broken
    assert json.dumps([each.what for each in journal_of(exchange)]) == "[]"
