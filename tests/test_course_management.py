"""`ngshare-fs course` against a real server: rosters by command, a mistake in a file changes nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.failures.problems import Refused, ServerProblem
from ngshare_fs.management import gradebook
from ngshare_fs.roster_files.roster_file import Student, WrongRoster, parse, read
from tests import servers
from tests.course_command import COURSE, CourseCommand


def test_a_course_comes_and_goes(course: CourseCommand) -> None:
    assert course("teacher", "list") == f"{COURSE}  instructor\n"
    assert course("root", "list") == f"{COURSE}  admin\n"
    course("root", "add-instructor", COURSE, "second", "--first-name", "Zoë")
    course("second", "add-instructor", COURSE, "second", "--last-name", "Müller")
    assert "  second  Zoë Müller\n" in course("teacher", "show", COURSE)
    course("root", "remove-instructor", COURSE, "second")
    assert "instructors: 1\n  teacher\ngraders: 0\nstudents: 0\nassignments: 0\n" in course("teacher", "show", COURSE)
    assert "Permission denied" in course("teacher", "delete", COURSE, "--yes", code=1)
    assert "say --yes" in course("root", "delete", COURSE, code=1)
    course("root", "delete", COURSE, "--yes")
    assert "Course not found" in course("root", "show", COURSE, code=1)


def test_students_come_and_go(course: CourseCommand) -> None:
    course("teacher", "add-student", COURSE, "ada", "--first-name", "Ada", "--email", "ada@x")
    course("teacher", "add-student", COURSE, "ada", "--last-name", "Lovelace")
    assert course.students() == {"ada": {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@x"}}
    assert "lower-case" in course("teacher", "add-student", COURSE, "Max")
    said = course("teacher", "remove-students", COURSE, "Max", "nobody", code=1)
    assert f"Successfully deleted Max from {COURSE}" in said
    assert f"Not on the roster of {COURSE}: nobody" in said
    assert course.students().keys() == {"ada"}
    assert "Cannot add instructor as student" in course("teacher", "add-student", COURSE, "teacher", code=1)
    assert "ask your administrator" in course("ada", "add-student", COURSE, "eve", code=1)


def test_a_roster_is_brought_in_step(course: CourseCommand, tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("student_id,first_name,last_name,email\nada,Ada,Lovelace,ada@x\nmax,,,\nguest,,,\n")
    course("teacher", "add-students", COURSE, str(roster))
    before = course.students()
    assert before.keys() == {"ada", "max", "guest"}

    roster.write_text(
        "\ufeffstudent_id;first_name\r\nada;Ada\r\nmax;Max\r\nzoë@uni.example;Zoë\r\n\r\n", encoding="utf-8"
    )
    said = course("teacher", "sync", COURSE, str(roster), "--dry-run", "--no-gradebook")
    assert said.splitlines() == [
        "+ zoë@uni.example Zoë",
        "~ max: first_name '' → 'Max'",
        "- guest",
        "1 to add, 1 to change, 1 to remove; nothing was changed",
    ]
    assert course.students() == before
    assert "say --yes" in course("teacher", "sync", COURSE, str(roster), code=1)
    assert course.students() == before
    assert "1 added, 1 changed, 1 removed" in course("teacher", "sync", COURSE, str(roster), "--yes")
    after = course.students()
    assert after.keys() == {"ada", "max", "zoë@uni.example"}
    assert after["ada"] == before["ada"]  # the file says nothing of last name and email
    assert "0 added, 0 changed, 0 removed" in course("teacher", "sync", COURSE, str(roster))


def test_a_mistake_in_a_row_changes_nothing(course: CourseCommand, tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    rows = [f"student{number},,," for number in range(2, 17)]
    roster.write_text("\n".join(["student_id,first_name,last_name,email", *rows, ",Ada,,", "max,,,", "max,,,"]))
    for command in ("add-students", "sync"):
        said = course("teacher", command, COURSE, str(roster), code=1)
        assert "row 17: the student_id is missing" in said
        assert "row 19: max is in row 18, too" in said
    roster.write_text("student_id\nada\nteacher\n")
    assert "teacher cannot be a student, being an instructor" in course("teacher", "sync", COURSE, str(roster), code=1)
    assert course.students() == {}


def test_the_old_commands_words_are_understood(course: CourseCommand, tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("student_id,first_name,last_name,email\nmax,Max,Groß,m@x\nguest,,,\n")
    course("root", "delete", COURSE, "--yes")
    for user, *words in (
        ("root", "create_course", COURSE, "teacher"),
        ("root", "add_instructor", COURSE, "second", "-f", "S", "-l", "S", "-e", "s@x"),
        ("root", "remove_instructor", COURSE, "second"),
        ("teacher", "add_student", COURSE, "ada", "--first_name", "Ada", "--last_name", "L", "--email", "", "--no-gb"),
        ("teacher", "add_students", COURSE, str(roster), "--no-gb"),
        ("teacher", "remove_students", COURSE, "guest", "--no-gb", "--force"),
    ):
        assert "Successfully" in course(user, *words, old=True) or words[0] == "add_students"
    assert course.students().keys() == {"ada", "max"}


def test_another_courses_gradebook_is_left_alone(course: CourseCommand) -> None:
    said = course("teacher", "add-student", COURSE, "ada")
    assert "nbgrader's gradebook was left as it is" in said
    assert "gradebook" not in course("teacher", "add-student", COURSE, "ada", "--no-gradebook")
    assert gradebook.why_not(gradebook.Configuration("", COURSE, ""), COURSE) is None
    said = gradebook.why_not(gradebook.Configuration("", "other", ""), COURSE) or ""
    assert "is that of other" in said
    assert "does not say" in (gradebook.why_not(gradebook.Configuration("", "", ""), COURSE) or "")


def test_a_sync_that_fails_half_way_leaves_the_gradebook_in_step_with_the_server(
    course: CourseCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("student_id\nada\nmax\nzoe\n")
    course("teacher", "add-students", COURSE, str(roster))
    in_gradebook = {"ada", "max", "zoe"}
    monkeypatch.setattr(gradebook, "configuration", lambda: gradebook.Configuration("", COURSE, ""))
    monkeypatch.setattr(gradebook, "add", lambda _, students: in_gradebook.update(each.user for each in students))

    def remove(_: object, users: list[str], __: bool) -> list[str]:
        in_gradebook.difference_update(users)
        return []

    monkeypatch.setattr(gradebook, "remove", remove)
    call = Client.call

    def fails(client: Client, method: str, *path: str, **more: Any) -> dict[str, Any]:
        if path[0] == "removal":
            raise Refused(404, "Not Found", client.server.url)  # an older server
        if (method, path[-1]) == ("DELETE", "zoe"):
            raise ServerProblem("The server is gone")
        return call(client, method, *path, **more)

    roster.write_text("student_id\nada\neve\n")
    with monkeypatch.context() as broken:
        broken.setattr(Client, "call", fails)
        assert "The server is gone" in course("teacher", "sync", COURSE, str(roster), "--yes", code=1)
    assert in_gradebook == course.students().keys() == {"ada", "eve", "zoe"}
    course("teacher", "sync", COURSE, str(roster), "--yes")
    assert in_gradebook == course.students().keys() == {"ada", "eve"}


def test_the_url_can_be_given(course: CourseCommand, served: servers.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGSHARE_URL", "http://127.0.0.1:1/")
    assert COURSE in course("teacher", "list", "--url", served.url)
    assert "no URL of an exchange" in course("teacher", "list", "--url", "nowhere", code=1)


def test_a_server_that_is_nowhere_is_said_to_be(course: CourseCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NGSHARE_URL")
    assert "It is not known where the exchange is" in course("root", "list", code=1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "x.csv is empty"),
        ("name\nada\n", "row 1: there is no column student_id"),
        ("student_id,email,email\n", "row 1: there are two columns email"),
        ("student_id,email\nada,a@x,more\n", "row 2: it has 3 values, but there are 2 columns"),
        ("email,student_id\na@x\n", "row 2: the student_id is missing"),
        ('student_id\n"a\nb"\n', r"row 2: the user name 'a\\nb' has the character U\+000A \(LINE BREAK\)"),
        ('student_id\n"a\n', "unexpected end of data"),
    ],
)
def test_files_that_are_no_rosters_are_refused(text: str, said: str) -> None:
    with pytest.raises(WrongRoster, match=said):
        parse(text, "x.csv")


def test_each_wrong_row_has_a_line(course: CourseCommand, tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text("student_id,first_name\nmax,Max,M\nzoe\n,x\n")
    assert course("teacher", "add-students", COURSE, "roster.csv", code=1).splitlines() == [
        "ngshare-fs: roster.csv: nothing was changed, because of",
        "  row 2: it has 3 values, but there are 2 columns",
        "  row 4: the student_id is missing",
    ]


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongRoster, match="No such file"):
        read(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes("student_id,last_name\nada,L\nmax,Groß\n".encode("latin-1"))
    with pytest.raises(WrongRoster, match="line 3: this is no UTF-8"):
        read(tmp_path / "latin.csv")


def test_names_are_optional() -> None:
    assert parse("student_id\n007\n no \n", "x").students == [Student("007"), Student("no")]
    assert parse("grade,id,email\n1,ada,a@x\n2,max\n", "x").students == [
        Student("ada", {"email": "a@x"}),
        Student("max"),
    ]


def test_programs_get_json(course: CourseCommand) -> None:
    course("teacher", "add-student", COURSE, "ada", "--first-name", "Ada")
    assert json.loads(course("teacher", "list", "--json")) == [{"course_id": COURSE, "role": "instructor"}]
    shown = json.loads(course("teacher", "show", COURSE, "--json"))
    assert [person["username"] for person in shown["students"]] == ["ada"]
    assert shown["assignments"] == []


def test_names_do_not_act_on_a_terminal(course: CourseCommand) -> None:
    course("teacher", "add-student", COURSE, "ada", "--first-name", "\x1b[2JAda\nstudents: 9")
    shown = course("teacher", "show", COURSE)
    assert "\x1b" not in shown
    assert "\\x1b[2JAda\\nstudents: 9" in shown


@pytest.mark.parametrize(("action", "words"), [("create", ()), ("delete", ("--yes",))])
def test_what_was_done_although_its_answer_was_lost_is_done(
    course: CourseCommand, monkeypatch: pytest.MonkeyPatch, action: str, words: tuple[str, ...]
) -> None:
    other = "other"
    if action == "delete":
        course("root", "create", other)
    call = Client.call

    def loses_the_first_answer(client: Client, *arguments: Any, **options: Any) -> dict[str, Any]:
        call(client, *arguments, **options)
        client.retrying = _says_that_it_was_repeated(client, client.retrying)  # type: ignore[method-assign]
        return call(client, *arguments, **options)

    monkeypatch.setattr(Client, "call", loses_the_first_answer)
    assert "Successfully" in course("root", action, other, *words)


def _says_that_it_was_repeated(client: Client, retrying: Callable[..., Any]) -> Callable[..., Any]:
    def repeated(*arguments: Any) -> Any:
        try:
            return retrying(*arguments)
        finally:
            client.repeated = True

    return repeated
