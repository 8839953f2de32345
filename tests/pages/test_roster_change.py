"""A list of students is pasted or uploaded: the difference, and what is made of it once it is confirmed."""

import io

import pytest

from ngshare_fs.store import Person, Role, roster
from tests.conftest import Exchange
from tests.pages.browsing import Browser, browser, words
from tests.pages.file_forms import BOUNDARY, form_body, send_files
from tests.pages.sending import fields_of, followed, journal_of, send

__all__ = ["browser"]

CHANGE = "pages/roster-change/{course}"
ADDRESS = "/api/pages/roster-change/c?user=kevin"


def students(exchange: Exchange) -> dict[str, tuple[str | None, ...]]:
    found = roster.of(exchange.volume, "c").students
    return {user: (each.first_name, each.last_name, each.email, each.source) for user, each in found.items()}


async def test_user_names_come_and_nobody_goes(browser: Browser) -> None:
    exchange = browser.exchange
    asked = await send(exchange, CHANGE, "kevin", form="look", people="ada\r\n\r\nlawrence\r\n<b>\n")
    said = words(asked.text)
    assert "Come: 2. Change: 0. Go: 0. As before: 1." in said
    assert "Who comes ada <b>" in said
    assert "ada" not in students(exchange)
    done = await followed(exchange, await send(exchange, CHANGE, "kevin", **fields_of(asked.text, "change")))
    assert "The roster is changed: 2 entries." in words(done.text)
    assert students(exchange).keys() == {"lawrence", "other student", "ada", "<b>"}
    assert students(exchange)["lawrence"] == ("L", "", "l@x", None)
    assert [(each.what, each.detail) for each in journal_of(exchange)] == [("set-students", "2: ada, <b>")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
async def test_a_complete_list_is_a_file_of_another_system(browser: Browser, encoding: str, delimiter: str) -> None:
    exchange = browser.exchange
    roster.mark(exchange.volume, "c", [("gus", Role.STUDENT, Person("Gus", "", ""))])
    text = delimiter.join(("Anmeldename", "Vorname", "Nachname", "Note")) + "\r\n"
    text += (
        delimiter.join(("lawrence", "Lawrence", "Bräg", "1")) + "\r\n" + delimiter.join(("ada", "A", "L", "")) + "\r\n"
    )
    asked = await send_files(
        exchange, ADDRESS, {"form": "look", "complete": "yes"}, [("file", "x.csv", text.encode(encoding))]
    )
    said = words(asked.text)
    assert "Come: 1. Change: 1. Go: 1. As before: 0." in said
    assert "student_id is the column Anmeldename" in said
    assert "These columns mean nothing here: Note" in said
    assert "lawrence: First name L → Lawrence, Last name – → Bräg" in said.replace("\u2013", "–")  # noqa: RUF001
    assert (
        "Who goes What they handed in stays, and can be collected; they see no more of the course than that. other"
        in said
    )
    assert "Who stays, though not in the list" in said
    assert (await send(exchange, CHANGE, "kevin", **fields_of(asked.text, "change"))).status == 303
    assert students(exchange) == {
        "lawrence": ("Lawrence", "Bräg", "l@x", None),
        "ada": ("A", "L", "", None),
        "gus": ("Gus", "", "", "group"),
    }
    assert [each.what for each in journal_of(exchange)] == ["set-students", "remove-students"]


@pytest.mark.parametrize(
    ("people", "english", "german"),
    [
        ("", "Something has to be written here.", "etwas"),
        ("name,first_name\nada,A", "there is no column student_id or id", "es gibt keine Spalte student_id oder id"),
        ("student_id\n", "there are no students below the first row", "unter der ersten Zeile steht niemand"),
        ("ada\nmax\nada", "row 3: ada is in row 1, too", "Zeile 3: ada steht auch in Zeile 1"),
        ("ada\nAda", "only capitals differ", "Groß- und Kleinschreibung"),
        ("Lawrence", "Lawrence is on the roster as lawrence", "steht als lawrence auf der Teilnehmerliste"),
        ("kevin", "kevin cannot be a student, being instructor", "kevin ist nicht als Student(in) einzutragen"),
        ("Tara", "Tara (tara) cannot be a student, being grader", "die Person korrigiert in diesem Kurs"),
        ("ad\u200ba", "which nobody sees", "das niemand sieht"),
        ("1.23457E+11", "a number that a spreadsheet has rounded", "die eine Tabellenkalkulation gerundet hat"),
        ("student_id,email\nada,=A1", "the email =A1 is a formula", "ist eine Formel"),
        ("student_id,email\nada;x", "separated by semicolons", "Strichpunkte"),
        ('student_id,email\n"ada,x', "its quotes cannot be understood", "Anführungszeichen sind nicht zu verstehen"),
        ("x" * 400_001, "This is too long.", "Das ist zu lang."),
    ],
)
async def test_a_list_that_is_wrong_changes_nothing(browser: Browser, people: str, english: str, german: str) -> None:
    before = students(browser.exchange)
    for form in ("look", "change"):
        for is_german, said in ((False, english), (True, german)):
            seen = await send(browser.exchange, CHANGE, "kevin", None, is_german, form=form, people=people, seen="x")
            assert (seen.status, said in words(seen.text)) == (400, True), words(seen.text)[:2000]
    assert students(browser.exchange) == before


@pytest.mark.parametrize(
    ("content", "english", "german"),
    [
        (b"PK\x03\x04xlsx", "this is a workbook", "das ist eine Arbeitsmappe"),
        ("Müller".encode("latin-1"), "this is no UTF-8", "das ist kein UTF-8"),
        (b"\xff\xfea", "it begins as UTF-16", "sie beginnt wie UTF-16"),
    ],
)
async def test_a_file_that_is_no_text_is_named(browser: Browser, content: bytes, english: str, german: str) -> None:
    for headers, said in (({}, english), ({"Accept-Language": "de"}, german)):
        seen = await send_files(browser.exchange, ADDRESS, {"form": "look"}, [("file", "x", content)], headers)
        assert (seen.status, words(seen.text).count(said)) == (400, 2)


async def test_a_file_that_is_too_large_or_no_form_is_refused(browser: Browser) -> None:
    large = io.BytesIO(form_body({"form": "look"}, [("file", "x", b"x" * 2**21)]))
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    assert (await browser.exchange.client.post(ADDRESS, data=large, headers=headers)).status == 413
    nested = b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y--\r\n--x--\r\n"
    for body in (b"", b"--", b"--x\r\n\r\n", nested):
        answer = await browser.exchange.client.post(
            ADDRESS, data=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
        )
        assert answer.status == 400, body
    answer = await browser.exchange.client.post(ADDRESS, data=b"x", headers={"Content-Type": "multipart/form-data"})
    assert answer.status == 400


async def test_what_was_changed_meanwhile_is_shown_before_anything_is_done(browser: Browser) -> None:
    exchange = browser.exchange
    asked = await send(exchange, CHANGE, "kevin", form="look", people="ada\nmax", complete="yes")
    roster.set_student(exchange.volume, "c", "zoe", Person())
    again = await send(exchange, CHANGE, "kevin", **fields_of(asked.text, "change"))
    assert (again.status, "nothing was done" in words(again.text)) == (200, True)
    assert "Go: 3." in words(again.text)
    assert "ada" not in students(exchange)
    # What makes no difference does not matter.
    roster.set_grader(exchange.volume, "c", "new grader", Person())
    assert (await send(exchange, CHANGE, "kevin", **fields_of(again.text, "change"))).status == 303
    assert students(exchange).keys() == {"ada", "max"}
    same = await send(exchange, CHANGE, "kevin", None, True, form="look", people="max\nada", complete="yes")
    assert "All das steht schon auf der Teilnehmerliste." in words(same.text)


async def test_more_than_a_quarter_goes_only_if_that_is_said(browser: Browser) -> None:
    exchange = browser.exchange
    roster.set_students(exchange.volume, "c", [(f"s{number}", Person()) for number in range(6)])
    asked = await send(exchange, CHANGE, "kevin", form="look", people="ada", complete="yes")
    assert "more than a quarter of all students" in words(asked.text)
    fields = fields_of(asked.text, "change")
    unsure = await send(exchange, CHANGE, "kevin", **fields)
    assert (unsure.status, "only if you say that it is meant" in words(unsure.text)) == (200, True)
    assert len(students(exchange)) == 8
    assert (await send(exchange, CHANGE, "kevin", **fields, sure="yes")).status == 303
    assert students(exchange).keys() == {"ada"}


async def test_what_might_not_be_meant_is_said(browser: Browser) -> None:
    asked = await send(browser.exchange, CHANGE, "kevin", form="look", people="Lawrence\nMax", complete="yes")
    assert "lower-case, so that these may be nobody's: Lawrence, Max" in words(asked.text)
    assert "Lawrence takes the place of lawrence, whose work stays under that name" in words(asked.text)


async def test_two_thousand_students_are_pasted(browser: Browser) -> None:
    exchange = browser.exchange
    lines = [
        f"student{number:04},Käthe {number},Müller-Lüdenscheidt,student{number:04}@uni.example"
        for number in range(2000)
    ]
    people = "student_id,first_name,last_name,email\n" + "\n".join(lines)
    asked = await send(exchange, CHANGE, "kevin", form="look", people=people)
    assert "Come: 2000." in words(asked.text)
    assert "and 1800 more" in words(asked.text)
    assert (await send(exchange, CHANGE, "kevin", **fields_of(asked.text, "change"))).status == 303
    assert len(students(exchange)) == 2002


async def test_of_thousands_of_mistakes_the_first_ones_are_shown(browser: Browser) -> None:
    seen = await send(browser.exchange, CHANGE, "kevin", form="look", people="\u200b" * 3 + "x\n" + "a\n" * 20_000)
    assert seen.status == 400
    assert seen.text.count("<li>") < 150
    assert " more" in words(seen.text)
