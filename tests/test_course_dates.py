"""`ngshare-fs course dates` and `course extend`, against a real server: what is shown, set, given, refused."""

import json
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from ngshare_fs.command.main import main
from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.failures.problems import Refused, Unreachable
from ngshare_fs.roster_files.extension_file import MoreTime, read
from ngshare_fs.roster_files.roster_file import WrongRoster
from tests.course_command import COURSE, CourseCommand

DUE, CLOSE = "2036-11-15 23:59:59 Europe/Vienna", "2036-11-17 23:59:59 Europe/Vienna"
BEYOND = "2036-11-18 23:59:59 Europe/Vienna"


def call(course: CourseCommand, method: str, path: str, user: str, **fields: str) -> dict[str, Any]:
    """Call the server itself."""
    url = course.server.url + quote(path) + "?" + urlencode({"user": user})
    data = urlencode(fields).encode() if fields else None
    with urllib.request.urlopen(urllib.request.Request(url, data=data, method=method)) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


@pytest.fixture
def released(course: CourseCommand) -> CourseCommand:
    """The same, with the assignments `ps1` and `ps2`, and two students; the course is in Vienna."""
    for name in ("ps1", "ps2"):
        call(course, "POST", f"assignment/{COURSE}/{name}", "teacher", files="[]")
    course("teacher", "add-students", COURSE, course.file("student_id\nada\nmax\n"))
    (file,) = course.server.log_file.with_name("volume").glob("courses/*/course.yaml")
    file.write_text(file.read_text(encoding="utf-8") + "timezone: Europe/Vienna\n", encoding="utf-8")
    return course


def extensions(course: CourseCommand, assignment: str = "ps1") -> dict[str, tuple[str | None, str | None, str]]:
    """The extensions on the server: due, close and reason of each user."""
    document = json.loads(course("teacher", "dates", COURSE, assignment, "--json"))
    (found,) = document["assignments"]
    return {each["student_id"]: (each["due"], each["close"], each["reason"]) for each in found["extensions"]}


def test_dates_are_set_and_it_is_said_what_they_became(released: CourseCommand) -> None:
    said = released("teacher", "dates", COURSE, "ps1", "--due", "2036-11-15", "--close", "2036-11-17", "--grace", "5m")
    assert said == f"due: none → {DUE}\nclose: none → {CLOSE}\ngrace: none → 5m\n"
    said = released("teacher", "dates", COURSE, "ps1", "--due", DUE, "--close", "2036-11-20 12:00 UTC")
    assert said == f"due: {DUE}, as before\nclose: {CLOSE} → 2036-11-20 12:00:00 UTC\n"
    said = released("teacher", "dates", COURSE, "ps1")
    assert said == f"ps1: open\ndue: {DUE}\nclose: 2036-11-20 12:00:00 UTC\ngrace: 5m\n"
    said = released("teacher", "dates", COURSE, "ps1", "--close", "none", "--grace", "None")
    assert said == "close: 2036-11-20 12:00:00 UTC → none\ngrace: 5m → none\n"
    document = json.loads(released("teacher", "dates", COURSE, "ps1", "--close", "2036-11-17", "--json"))
    assert document["assignments"][0]["dates"]["close"] == "2036-11-17 22:59:59.000000 UTC"


def test_a_course_s_dates_are_a_table(released: CourseCommand) -> None:
    released("teacher", "dates", COURSE, "ps1", "--due", "2036-11-15", "--close", "2036-11-17", "--grace", "90s")
    released("teacher", "dates", COURSE, "ps2", "--release", "2036-11-02 08:00")
    released("teacher", "extend", COURSE, "ps1", "ada", "--until", "2036-11-18", "--reason", "ill")
    *table, end = released("teacher", "dates", COURSE).splitlines()
    assert [line.split() for line in table] == [
        ["assignment", "state", "release", "due", "close", "grace", "extensions"],
        ["ps1", "open", "-", "2036-11-15", "23:59:59", "2036-11-17", "23:59:59", "1m30s", "1"],
        ["ps2", "scheduled", "2036-11-02", "08:00:00", "-", "-", "-", "0"],
    ]
    assert end == "2 assignments. Times are those of Europe/Vienna."
    # A student sees their own dates, and no assignment that is only scheduled.
    *table, _ = released("ada", "dates", COURSE).splitlines()
    assert [line.split() for line in table][1:] == [
        ["ps1", "open", "-", "2036-11-18", "23:59:59", "2036-11-18", "23:59:59", "1m30s", "yours"]
    ]
    assert "These are your own dates: you have more time (ill)" in released("ada", "dates", COURSE, "ps1")
    assert "yours" not in released("max", "dates", COURSE)
    assert json.loads(released("max", "dates", COURSE, "--json"))["assignments"][0]["extensions"] is None
    assert "Assignment not found" in released("ada", "dates", COURSE, "ps2", code=1)
    shown = released("teacher", "dates", COURSE, "ps1").splitlines()
    assert shown[-2].split() == ["extension", "of", "due", "close", "reason", "by", "at"]
    assert shown[-1].split()[:-3] == ["ada", *BEYOND.split(), "-", "ill", "teacher"]


def test_what_follows_from_dates_is_said(released: CourseCommand) -> None:
    said = released("teacher", "dates", COURSE, "ps1", "--release", "2036-11-02 08:00")
    assert "Students do not see ps1 before its release." in said
    said = released(
        "teacher", "dates", COURSE, "ps1", "--release", "none", "--due", "2020-01-30", "--close", "2020-01-31"
    )
    assert "It is closed: only whoever has an extension beyond that hands in." in said
    released("teacher", "extend", COURSE, "ps1", "ada", "--until", "2036-11-18")
    said = released("teacher", "dates", COURSE, "ps1", "--close", "none", "--due", "2036-11-18")
    assert "These have no more time by their extensions than everybody has now: ada" in said
    released("teacher", "extend", COURSE, "ps1", "ada", "--take-back")
    said = released("teacher", "dates", COURSE, "ps1", "--due", "2020-01-30")
    assert "The due date is over: what was and is handed in after it is late." in said


def test_a_midnight_is_said_to_be_the_beginning_of_its_day(released: CourseCommand) -> None:
    """As a spreadsheet's programs write a date: with a time that nobody meant."""
    said = "2036-11-18 00:00:00 Europe/Vienna is the beginning of that day; for its end, write 2036-11-18\n"
    assert said in released("teacher", "dates", COURSE, "ps1", "--due", "2036-11-18 00:00")
    assert said not in released("teacher", "dates", COURSE, "ps1", "--grace", "5m")
    assert "beginning" not in released("teacher", "dates", COURSE, "ps1", "--release", "2036-11-01 00:00")
    file = released.file("user,until\nada,2036-11-19 00:00:00\nmax,2036-11-20\n")
    assert said.replace("18", "19") in released("teacher", "extend", COURSE, "ps1", "--file", file, "--dry-run")


def test_dates_that_are_none_change_nothing(released: CourseCommand) -> None:
    released("teacher", "dates", COURSE, "ps1", "--close", "2036-11-17")
    before = released("teacher", "dates", COURSE, "ps1", "--json")
    for words, said in (
        (("--due", "\udcff"), "has the character U+DCFF in it"),
        (("--due", "tomorrow"), "'tomorrow' is no date and time such as"),
        (("--due", "2036-03-30 02:30"), "clocks in Europe/Vienna were set forward"),
        (("--grace", "soon"), "is not a duration such as 5m"),
        (("--release", "2036-11-16", "--due", "2036-11-15"), "is later than the due date"),
    ):
        assert said in released("teacher", "dates", COURSE, "ps1", *words, code=1)
        assert released("teacher", "dates", COURSE, "ps1", "--json") == before


def test_who_may_not_set_dates_is_told_who_may(released: CourseCommand) -> None:
    for user in ("ada", "stranger"):
        for words in (
            ("dates", COURSE, "ps1", "--due", "2036-11-15"),
            ("extend", COURSE, "ps1", "ada", "--until", DUE),
        ):
            assert "Only the course's instructors and admins may do this." in released(user, *words, code=1)
    assert "Course not found" in released("stranger", "dates", COURSE, code=1)
    assert "Assignment not found" in released("teacher", "dates", COURSE, "ps3", code=1)
    assert "Assignment not found" in released("teacher", "dates", COURSE, "ps3", "--due", "2036-11-15", code=1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("dates", COURSE, "--due", "2036-11-15"), "name it behind the course"),
        (("dates", COURSE, "ps1", "--due", ""), "--due is empty; to remove it, say --due none"),
        (("dates", COURSE, "ps1", "--due", "2036-11-15", "--grace", " "), "--grace is empty"),
        (("extend", COURSE, "ps1"), "whose extension is it?"),
        (("extend", COURSE, "ps1", "", "--until", DUE), "whose extension is it?"),
        (("extend", COURSE, "ps1", "ada"), "until when?"),
        (("extend", COURSE, "ps1", "ada", "--reason", "ill"), "until when?"),
        (("extend", COURSE, "ps1", "ada", "--until", ""), "until when?"),
        (("extend", COURSE, "ps1", "ada", "--until", DUE, "--take-back"), "so --until cannot be given with it"),
        (("extend", COURSE, "ps1", "ada", "--file", "x.csv"), "so USER cannot be given with it"),
        (("extend", COURSE, "ps1", "--file", "x.csv", "--take-back"), "so --take-back cannot be given with it"),
        (("extend", COURSE, "ps1", "ada", "--until", DUE, "--columns", "user=x"), "name it with --file"),
    ],
)
def test_words_that_do_not_go_together_are_refused(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["course", *words]) == 2
    assert said in capsys.readouterr().err


def test_an_extension_is_given_changed_and_taken_back(released: CourseCommand) -> None:
    released("teacher", "dates", COURSE, "ps1", "--due", "2036-11-15", "--close", "2036-11-17")
    words = ("extend", COURSE, "ps1", "ada", "--until", "2036-11-18", "--reason", "ill")
    said = released("teacher", *words, "--dry-run")
    assert said == f"+ ada: until {BEYOND} (ill)\n1 to give, 0 to change, 0 as before; nothing was changed\n"
    assert extensions(released) == {}
    assert released("teacher", *words).endswith("1 given, 0 changed, 0 as before\n")
    assert extensions(released) == {"ada": (BEYOND, None, "ill")}
    assert released("teacher", *words) == "0 given, 0 changed, 1 as before\n"
    said = released("teacher", "extend", COURSE, "ps1", "ada", "--close", "2036-11-20 12:00")
    assert said.startswith(f"~ ada: until {BEYOND} (ill) → closes 2036-11-20 12:00:00 Europe/Vienna\n")
    assert extensions(released) == {"ada": (None, "2036-11-20 12:00:00 Europe/Vienna", "")}
    assert "nothing was changed" in released("teacher", "extend", COURSE, "ps1", "ada", "--take-back", "--dry-run")
    assert extensions(released).keys() == {"ada"}
    assert "Successfully took back" in released("teacher", "extend", COURSE, "ps1", "ada", "--take-back")
    assert extensions(released) == {}
    assert "ada has no extension of ps1" in released("teacher", "extend", COURSE, "ps1", "ada", "--take-back", code=1)


def test_extensions_that_cannot_be_are_refused(released: CourseCommand) -> None:
    released("teacher", "dates", COURSE, "ps1", "--due", "2036-11-15", "--close", "2036-11-17")
    for words, said in (
        (("ada", "--until", "2036-11-15"), f"is not later than the due date of everybody, {DUE}"),
        (("ada", "--close", "2036-11-17"), f"is not later than the close date of everybody, {CLOSE}"),
        (("ada", "--until", "2036-11-20", "--close", "2036-11-19"), "before it is due"),
        (("ada", "--until", "soon"), "'soon' is no date and time"),
        (("ada", "--until", "2036-11-20", "--reason", "x" * 201), "the reason has 201 characters"),
        (("ada", "--until", "2036-11-20", "--reason", "two\nlines"), "LINE BREAK"),
        (("ADA", "--until", "2036-11-20"), "ADA is on the roster as ada: only capitals differ"),
        (("eve", "--until", "2036-11-20"), "eve is not on the roster"),
        (("a\u200bda", "--until", "2036-11-20"), "ZERO WIDTH SPACE"),
    ):
        assert said in released("teacher", "extend", COURSE, "ps1", *words, code=1)
    assert extensions(released) == {}


def test_what_has_no_due_date_cannot_be_extended(released: CourseCommand) -> None:
    said = released("teacher", "extend", COURSE, "ps1", "ada", "--until", "2036-11-20", code=1)
    assert "no due date that could be extended: set that first" in said


def test_a_file_gives_many_extensions(released: CourseCommand) -> None:
    released("teacher", "dates", COURSE, "ps1", "--due", "2036-11-15")
    text = "Kennung;Bis;Grund\nada;2036-11-18;ill; again\nmax;2036-11-19 12:00\n".replace("ill; again", '"ill; again"')
    file = released.file(text, "utf-16")
    tried = released("teacher", "extend", COURSE, "ps1", "--file", file, "--dry-run")
    assert "user is the column 'Kennung'" in tried
    assert f"+ ada: until {BEYOND} (ill; again)\n+ max: until 2036-11-19 12:00:00 Europe/Vienna\n" in tried
    assert extensions(released) == {}
    done = released("teacher", "extend", COURSE, "ps1", "--file", file)
    without_counts = [[line for line in said.splitlines() if not line[0].isdigit()] for said in (tried, done)]
    assert without_counts[0] == without_counts[1]
    assert "2 given, 0 changed, 0 as before\n" in done
    assert extensions(released) == {
        "ada": (BEYOND, None, "ill; again"),
        "max": ("2036-11-19 12:00:00 Europe/Vienna", None, ""),
    }
    said = released(
        "teacher", "extend", COURSE, "ps1", "--file", released.file("user,until\nada,2036-11-18\nmax,2020-1-1"), code=1
    )
    assert "row 3: '2020-1-1' is no date" in said


def test_each_wrong_row_has_a_line_and_nothing_is_sent(released: CourseCommand) -> None:
    released("teacher", "dates", COURSE, "ps1", "--due", "2036-11-15")
    rows = [
        "ada,2036-11-18,", "max,18.11.2036,", "max,46344,", ",2036-11-18,", "eve,2036-11-18,", "max,2036-11-14,",
        "max,,ill", "ADA,2036-11-18,", "ada,2036-11-19,", "max,2036-11-18,=1+1", "max,2036-11-18,,,x", "max;2036;x",
    ]  # fmt: skip
    said = released(
        "teacher", "extend", COURSE, "ps1", "--file", released.file("\n".join(["user,until,reason", *rows])), code=1
    )
    name = f"{released.home}/roster.csv"
    as_text = "is a spreadsheet's way to write a time: format the column as text, and write 2026-11-15 23:59"
    assert said.splitlines() == [
        f"ngshare-fs: {name}: nothing was changed, because of",
        f"  row 3: 18.11.2036 {as_text}",
        f"  row 4: 46344 {as_text}",
        "  row 5: the user is missing",
        "  row 6: eve is not on the roster",
        f"  row 7: 2036-11-14 23:59:59 Europe/Vienna is not later than the due date of everybody, {DUE}",
        "  row 8: it says neither until when work is in time nor when it closes",
        "  row 9: ADA is ada in row 2: only capitals differ; remove one",
        "  row 10: ada is in row 2, too",
        "  row 11: the reason =1+1 is a formula: export its value, without = (and quotes)",
        "  row 12: it has 5 values, but there are 3 columns",
        "  row 13: its values are separated by semicolons, but the columns of the first row by commas: use the same",
    ]
    assert extensions(released) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty; its first row names the columns: user,until,close,reason"),
        ("user,until\n", "has no rows below its first one"),
        ("name,until\nada,2036-11-18\n", "row 1: there is no column user or id"),
        ("user,reason\nada,ill\n", "there is no column until or close"),
        ("user,Bis,due\nada,2036-11-18,\n", "the columns 'Bis' and 'due' could all be the until"),
        ('user,until\n"ada\n', "unexpected end of data"),
    ],
)
def test_files_that_are_none_of_extensions_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(WrongRoster) as refused:
        read(tmp_path / "x.csv", {})
    assert said in str(refused.value)


def test_the_columns_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("who,until when\nada,2036-11-18\n")
    found = read(tmp_path / "x.csv", {"user": "who", "until": "until when"})
    assert found.rows == [MoreTime("ada", "2036-11-18")]


def test_what_was_given_before_a_failure_is_said(released: CourseCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    released("teacher", "dates", COURSE, "ps1", "--due", "2036-11-15")
    call = Client.call
    file = released.file("user,until\nada,2036-11-18\nmax,2036-11-18\n")

    def fails(client: Client, method: str, *path: str, **more: Any) -> dict[str, Any]:
        if (method, path[-1]) == ("PUT", "max"):
            raise Unreachable(client.server.url, "the connection was cut", 0)
        return call(client, method, *path, **more)

    with monkeypatch.context() as broken:
        broken.setattr(Client, "call", fails)
        said = released("teacher", "extend", COURSE, "ps1", "--file", file, code=1)
    assert "the connection was cut" in said
    assert "Given before that: ada" in said

    def refuses(client: Client, method: str, *path: str, **more: Any) -> dict[str, Any]:
        if (method, path[-1]) == ("PUT", "ada"):
            raise Refused(400, "Wrong dates (they have just been changed)", client.server.url)
        return call(client, method, *path, **more)

    file = released.file("user,until\nada,2036-11-19\nmax,2036-11-18\n")
    with monkeypatch.context() as broken:
        broken.setattr(Client, "call", refuses)
        said = released("teacher", "extend", COURSE, "ps1", "--file", file, code=1)
    assert "Some extensions were not given, the others were:\n  ada: Wrong dates (they" in said.replace("\\n", "\n")
    assert extensions(released).keys() == {"ada", "max"}


def test_what_was_taken_back_although_its_answer_was_lost_is_taken_back(
    released: CourseCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    released("teacher", "dates", COURSE, "ps1", "--due", "2036-11-15")
    released("teacher", "extend", COURSE, "ps1", "ada", "--until", "2036-11-18")
    call_of = Client.call

    def loses_the_first_answer(client: Client, method: str, *path: str, **more: Any) -> dict[str, Any]:
        if method != "DELETE":
            return call_of(client, method, *path, **more)
        call_of(client, method, *path, **more)
        try:
            return call_of(client, method, *path, **more)
        finally:
            client.repeated = True

    monkeypatch.setattr(Client, "call", loses_the_first_answer)
    assert "Successfully took back" in released("teacher", "extend", COURSE, "ps1", "ada", "--take-back")
    assert extensions(released) == {}


def test_an_older_server_is_said_to_know_no_dates(course: CourseCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    call_of = Client.call

    def older(client: Client, method: str, *path: str, **more: Any) -> dict[str, Any]:
        if method == "PATCH" or path[0] in ("extension", "extensions", "grader", "graders"):
            raise Refused(404, "Not Found", client.server.url)
        answer = call_of(client, method, *path, **more)
        for each in answer.get("courses", ()) if path[0] == "listing" else ():
            for assignment in each["assignments"]:
                assignment.pop("dates", None)
        return answer

    call(course, "POST", f"assignment/{COURSE}/ps1", "teacher", files="[]")
    monkeypatch.setattr(Client, "call", older)
    for words in (
        ("dates", COURSE),
        ("dates", COURSE, "ps1", "--due", "2036-11-15"),
        ("extend", COURSE, "ps1", "ada", "--until", "2036-11-18"),
        ("extend", COURSE, "ps1", "ada", "--take-back"),
    ):
        assert "This is an older server, which knows no dates of assignments" in course("teacher", *words, code=1)
    assert "This is an older server, which knows no graders" in course("teacher", "add-grader", COURSE, "eve", code=1)
    assert "graders" not in course("teacher", "show", COURSE)
