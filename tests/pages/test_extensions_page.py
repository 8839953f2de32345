"""More time for single students, given, changed and taken back in a browser."""

import pytest

from ngshare_fs.formats.civil_time import moment_in
from ngshare_fs.store import Extension, Person, dates, extensions, roster
from tests.conftest import Exchange
from tests.pages.browsing import Browser, browser, links, words
from tests.pages.file_forms import send_files
from tests.pages.sending import NAMES, fields_of, followed, journal_of, send

__all__ = ["browser"]

EXTENSIONS = "pages/extensions/{course}/{assignment}"
TAKE_BACK = "pages/take-back-extension/{course}/{assignment}/{user}"
TABLE = "user,until,reason\nlawrence,2036-11-18,ill\nother student,2036-11-19 12:00,<b>works</b>\n"


@pytest.fixture
def due(browser: Browser) -> Exchange:
    """An assignment that is due and closes."""
    moments = {"due": moment_in("2036-11-15 UTC"), "close": moment_in("2036-11-17 UTC")}
    dates.change(browser.exchange.volume, "c", "a", moments)
    return browser.exchange


def given(exchange: Exchange) -> dict[str, tuple[str, str, str | None]]:
    found = dates.written(exchange.volume, "c", "a").extensions
    return {user: (str(each.due or ""), str(each.close or ""), each.reason) for user, each in found.items()}


async def test_one_and_several_are_given_more_time(browser: Browser, due: Exchange) -> None:
    fields = {"people": "lawrence\n\nother student\r\n", "until": "2036-11-18", "reason": " ill "}
    asked = await send(due, EXTENSIONS, "kevin", form="look", **fields)
    assert asked.status == 200
    assert "New: 2. Changed: 0. As before: 0." in words(asked.text)
    assert not given(due)
    done = await followed(due, await send(due, EXTENSIONS, "kevin", **fields_of(asked.text, "give")))
    assert "2 students have more time." in words(done.text)
    assert "lawrence 18 November 2036, 23:59:59 UTC" in words(done.text)
    assert given(due) == dict.fromkeys(("lawrence", "other student"), ("2036-11-18 23:59:59 UTC", "", "ill"))
    events = [(each.what, each.student, each.detail) for each in journal_of(due)]
    assert events == [("extend", user, "due: 2036-11-18 23:59:59 UTC") for user in ("lawrence", "other student")]
    (change,) = [link for link in links(done.text) if "for=lawrence" in link]
    filled = await browser.follow(change)
    assert 'value="2036-11-18 23:59:59 UTC"' in filled.text
    asked = await send(due, EXTENSIONS, "kevin", form="look", **{**fields, "people": "lawrence", "reason": ""})
    assert "New: 0. Changed: 1. As before: 0." in words(asked.text)
    assert (await send(due, EXTENSIONS, "kevin", **fields_of(asked.text, "give"))).status == 303
    assert given(due)["lawrence"] == ("2036-11-18 23:59:59 UTC", "", None)


async def test_a_table_is_pasted_or_uploaded(browser: Browser, due: Exchange) -> None:
    pasted = await send(due, EXTENSIONS, "kevin", form="look", people=TABLE, until="passed over")
    uploaded = await send_files(
        due, "/api/pages/extensions/c/a?user=kevin", {"form": "look"}, [("file", "x.csv", TABLE.encode("utf-16"))]
    )
    for asked in (pasted, uploaded):
        assert "New: 2. Changed: 0. As before: 0." in words(asked.text)
        assert "<b>" not in asked.text
    assert (await send(due, EXTENSIONS, "kevin", **fields_of(uploaded.text, "give"))).status == 303
    assert given(due) == {
        "lawrence": ("2036-11-18 23:59:59 UTC", "", "ill"),
        "other student": ("2036-11-19 12:00:00 UTC", "", "<b>works</b>"),
    }


@pytest.mark.parametrize(
    ("fields", "english", "german"),
    [
        ({}, "Something has to be written here.", "etwas"),
        ({"people": "lawrence"}, "Say until when", "Bis wann?"),
        ({"people": "lawrence", "until": "soon"}, "is no date and time", "ist kein Zeitpunkt"),
        ({"people": "lawrence", "until": "2036-11-15"}, "is not later than the due date", "nicht später als für alle"),
        ({"people": "lawrence", "until": "2036-11-18", "reason": "x" * 201}, "at most 200", "höchstens 200"),
        ({"people": "lawrence", "until": "2036-11-18", "reason": "a\u202eb"}, "one line", "eine Zeile"),
        ({"people": "nobody", "until": "2036-11-18"}, "is not on the roster", "nicht auf der Teilnehmerliste"),
        ({"people": "LAWRENCE", "until": "2036-11-18"}, "only capitals differ", "Groß- und Kleinschreibung"),
        ({"people": "la\u200bw", "until": "2036-11-18"}, "which nobody sees", "das niemand sieht"),
        ({"people": "user,until\nlawrence,18.11.2036"}, "spreadsheet's way to write", "Tabellenkalkulation"),
        ({"people": "user,until\nlawrence,\n"}, "needs a due date", "gehört eine Frist"),
        ({"people": "user,until\n"}, "no rows below", "steht nichts"),
        ({"people": 'user,until\n"lawrence,2036\n'}, "its quotes cannot be understood", "Anführungszeichen"),
        ({"people": "who,until\nlawrence,2036-11-18"}, "there is no column user", "es gibt keine Spalte"),
    ],
)
async def test_what_cannot_be_is_said_and_nobody_is_given_anything(
    due: Exchange, fields: dict[str, str], english: str, german: str
) -> None:
    for form in ("look", "give"):
        for is_german, said in ((False, english), (True, german)):
            seen = await send(due, EXTENSIONS, "kevin", None, is_german, form=form, seen="x", **fields)
            assert (seen.status, said in words(seen.text)) == (400, True), words(seen.text)
    assert not given(due)


async def test_one_that_is_wrong_lets_nobody_have_more_time(due: Exchange) -> None:
    people = TABLE + "gone,2036-11-18,\nnobody,2036-11-18,\nlawrenc\u0435,2036-01-01,\n"
    seen = await send(due, EXTENSIONS, "kevin", form="look", people=people)
    assert "nobody: is not on the roster" in words(seen.text)
    assert "gone:" not in words(seen.text)  # has handed in
    assert not given(due)


async def test_what_was_changed_meanwhile_is_shown_before_anything_is_done(due: Exchange) -> None:
    asked = await send(due, EXTENSIONS, "kevin", form="look", people="lawrence", until="2036-11-18")
    extensions.extend(due.volume, "c", "a", "lawrence", Extension(due=moment_in("2036-11-20 UTC")))
    again = await send(due, EXTENSIONS, "kevin", **fields_of(asked.text, "give"))
    assert (again.status, "nothing was done" in words(again.text)) == (200, True)
    assert given(due)["lawrence"][0].startswith("2036-11-20")
    assert (await send(due, EXTENSIONS, "kevin", **fields_of(again.text, "give"))).status == 303
    assert given(due)["lawrence"][0].startswith("2036-11-18")
    # The due date of everybody has moved beyond it.
    asked = await send(due, EXTENSIONS, "kevin", form="look", people="other student", until="2036-11-16")
    dates.change(due.volume, "c", "a", {"due": moment_in("2036-11-17 UTC")})
    assert (await send(due, EXTENSIONS, "kevin", **fields_of(asked.text, "give"))).status == 400


async def test_what_might_not_be_meant_is_said(due: Exchange) -> None:
    dates.change(due.volume, "c", "a", {"due": moment_in("2020-01-01 UTC"), "close": None})
    asked = await send(due, EXTENSIONS, "kevin", None, True, form="look", people="lawrence", until="2020-01-03 0:00")
    assert "Diese Zeit ist schon vorbei: lawrence" in words(asked.text)
    assert "2020-01-03 00:00:00 UTC ist der Beginn dieses Tages; sein Ende ist 2020-01-03" in words(asked.text)


async def test_an_extension_is_taken_back_on_a_page_that_asks(browser: Browser, due: Exchange) -> None:
    extensions.extend(due.volume, "c", "a", "lawrence", Extension(due=moment_in("2036-11-20 UTC"), reason="ill"))
    asked = await browser.look(TAKE_BACK, "kevin", {**NAMES, "user": "lawrence"})
    assert "For everybody it is due 15 November 2036" in words(asked.text)
    done = await followed(due, await send(due, TAKE_BACK, "kevin", {"user": "lawrence"}, form="withdraw"))
    assert "The extension is taken back." in words(done.text)
    assert not given(due)
    assert (await send(due, TAKE_BACK, "kevin", {"user": "lawrence"}, form="withdraw")).status == 303
    assert [(each.what, each.student) for each in journal_of(due)] == [("take-back-extension", "lawrence")]
    none = await browser.look(TAKE_BACK, "kevin", {**NAMES, "user": "lawrence"}, german=True)
    assert "Es gibt keine solche Verlängerung." in words(none.text)


@pytest.mark.long
async def test_two_thousand_are_given_more_time_by_one_write(browser: Browser, due: Exchange) -> None:
    users = [f"student{number:04}" for number in range(2000)]
    roster.set_students(due.volume, "c", [(user, Person()) for user in users])
    asked = await send(due, EXTENSIONS, "kevin", form="look", people="\n".join(users), until="2036-11-18")
    assert "New: 2000." in words(asked.text)
    assert (await send(due, EXTENSIONS, "kevin", **fields_of(asked.text, "give"))).status == 303
    assert len(given(due)) == 2000
    shown = await browser.look(EXTENSIONS, "kevin", NAMES)
    assert "Part 1 of 20, 2000 rows in all" in words(shown.text)
