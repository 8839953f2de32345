"""`ngshare-fs course` with rosters, against a real server: what is said beforehand, what is done, how much at once."""

import json
from typing import Any

import pytest

from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.failures.problems import Refused, Unreachable
from tests.course_command import COURSE, CourseCommand
from tests.rounds import rounds

MANY = rounds(50_000)


def test_names_reach_the_server_as_they_are(course: CourseCommand) -> None:
    names = {"first_name": "Zo\u00eb\u00a0Anna", "last_name": "\u0645\u06cc\u200c\u062e\u3000x\u200dy", "email": ""}
    file = course.file(f"student_id,first_name,last_name\nzoë,{names['first_name']},{names['last_name']}\n")
    course("teacher", "sync", COURSE, file)
    assert course.students() == {"zoë": names}
    assert "0 to add, 0 to change, 0 to remove" in course("teacher", "sync", COURSE, file, "--dry-run")


def test_a_short_row_and_a_missing_column_clear_nothing_but_an_empty_value_does(course: CourseCommand) -> None:
    course("teacher", "sync", COURSE, course.file("student_id,first_name,email\nada,Ada,a@x\nmax,Max,m@x\n"))
    for command in ("add-students", "sync"):
        course("teacher", command, COURSE, course.file("student_id,first_name,email\nada\nmax,Max\n"))
        assert [each["email"] for each in course.students().values()] == ["a@x", "m@x"]
    course("teacher", "sync", COURSE, course.file("student_id,email\nada,\nmax,m@x\n"))
    assert [(each["first_name"], each["email"]) for each in course.students().values()] == [("Ada", ""), ("Max", "m@x")]


def test_the_columns_that_were_taken_are_said(course: CourseCommand) -> None:
    said = course(
        "teacher", "add-students", COURSE, course.file("Matrikelnummer,Vorname\nada,Ada\n"),
        "--columns", "student_id=Matrikelnummer",
    )  # fmt: skip
    assert "student_id is the column 'Matrikelnummer'\nfirst_name is the column 'Vorname'\n" in said
    said = course("teacher", "sync", COURSE, course.file("id\nada\n"), "--columns", "name=x", code=1)
    assert "--columns name=x: write it as --columns student_id=HEADING" in said


def test_a_dry_run_says_all_that_the_real_run_would_say(course: CourseCommand) -> None:
    course("teacher", "add-students", COURSE, course.file("student_id,first_name\nada,Ada\nEve,\ngone,\n"))
    for text, refused in (
        ("Student_ID,x\nMax,\nADA,\nEve,1\n", False),
        ("student_id\nteacher\n", True),
        ("student_id\nTEACHER\n", True),
        ("student_id\nada\nADA\n", True),
    ):
        words = ("sync", COURSE, course.file(text), "--yes")
        code = 1 if refused else 0
        tried = course("teacher", *words, "--dry-run", code=code)
        lines = {line for line in tried.splitlines() if "nothing was changed" not in line or refused}
        assert course.students().keys() >= {"ada", "Eve", "gone"}
        done = course("teacher", *words, code=code)
        assert lines <= set(done.splitlines()), tried
        assert ("these may be nobody's: Max, ADA" in tried) is not refused
        assert ("nbgrader's gradebook was left as it is" in tried) is not refused
        if not refused:
            assert "ADA takes the place of ada, whose work stays under that name: only capitals differ" in tried
            course("teacher", "sync", COURSE, course.file("student_id\nada\nEve\ngone\n"), "--yes")


def test_nobody_comes_a_second_time_in_other_capitals(course: CourseCommand) -> None:
    course("teacher", "add-student", COURSE, "peter")
    said = course("teacher", "add-students", COURSE, course.file("student_id\nada\nPeter\n"), code=1)
    assert "row 3: Peter is on the roster as peter: only capitals differ" in said
    said = course("teacher", "add-student", COURSE, "PETER", code=1)
    assert "nothing was changed: PETER is on the roster as peter: only capitals differ" in said
    assert course.students().keys() == {"peter"}


def test_the_server_s_way_to_store_accents_is_kept(course: CourseCommand) -> None:
    course("teacher", "add-student", COURSE, "zo\u00eb", "--first-name", "Z")
    for command in ("add-students", "sync"):
        said = course("teacher", command, COURSE, course.file("student_id,first_name\nzoe\u0308,Zoë\n"))
        assert "takes the place" not in said
        assert course.students() == {"zo\u00eb": {"first_name": "Zoë", "last_name": "", "email": ""}}
    course("teacher", "add-student", COURSE, "zoe\u0308", "--last-name", "Z")
    assert course.students() == {"zo\u00eb": {"first_name": "Zoë", "last_name": "Z", "email": ""}}


@pytest.mark.parametrize("words", [("add-student", COURSE), ("add-instructor", COURSE), ("create", "other")])
def test_a_user_name_with_what_nobody_sees_is_refused(course: CourseCommand, words: tuple[str, ...]) -> None:
    said = course("root", *words, "a\u200bda", code=1)
    assert r"the user name 'a\u200bda' has the character U+200B (ZERO WIDTH SPACE) in it" in said
    course("teacher", "add-student", COURSE, "ada")
    assert "Not on the roster" in course("teacher", "remove-students", COURSE, "a\u200bda", code=1)


@pytest.mark.parametrize("name", [".", "..", "", "\udcff"])
def test_names_that_no_url_can_have_are_refused(course: CourseCommand, name: str) -> None:
    said = [
        course("root", "create", name, code=1),
        course("root", "delete", name, "--yes", code=1),
        course("root", "show", name, code=1),
        course("root", "sync", name, course.file("student_id\nada\n"), code=1),
        course("root", "add-instructor", COURSE, name, code=1),
        course("root", "remove-students", name, "ada", code=1),
    ]
    assert all("look at its spelling" in each or "which nobody sees" in each for each in said), said
    assert json.loads(course("root", "list", "--json")) == [{"course_id": COURSE, "role": "admin"}]


def test_a_roster_of_any_size_goes_to_the_server_and_leaves_it(course: CourseCommand) -> None:
    rows = [f"student{number},Firstname {number},Lastname {number},{number}@x" for number in range(MANY)]
    file = course.file("\n".join(["student_id,first_name,last_name,email", *rows]))
    assert f"{MANY} added, 0 changed, 0 removed" in course("teacher", "sync", COURSE, file)
    assert len(course.students()) == MANY
    said = course("teacher", "sync", COURSE, course.file("student_id\nstudent7\n"), "--yes")
    assert f"0 added, 0 changed, {MANY - 1} removed" in said
    assert course.students().keys() == {"student7"}


def test_an_older_server_is_asked_to_remove_one_by_one(course: CourseCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    course("teacher", "add-students", COURSE, course.file("student_id\nada\nmax\nzoe\n"))
    call = Client.call
    calls = []

    def older(client: Client, method: str, *path: str, **more: Any) -> dict[str, Any]:
        calls.append((method, path[0]))
        if path[0] == "removal":
            raise Refused(404, "Not Found", client.server.url)
        return call(client, method, *path, **more)

    assert "Not on the roster" in course("teacher", "remove-students", COURSE, "ada", "eve", code=1)
    with monkeypatch.context() as with_older:
        with_older.setattr(Client, "call", older)
        said = course("teacher", "remove-students", COURSE, "max", "eve", code=1)
    assert f"Successfully deleted max from {COURSE}" in said
    assert f"Not on the roster of {COURSE}: eve" in said
    assert course.students().keys() == {"zoe"}
    assert calls == [("POST", "removal"), ("DELETE", "student"), ("DELETE", "student")]


def test_what_was_added_before_a_failure_is_said(course: CourseCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    call = Client.call
    posted: list[tuple[str, ...]] = []

    def fails_later(client: Client, method: str, *path: str, **more: Any) -> dict[str, Any]:
        if (method, path[0]) == ("POST", "students"):
            if posted:
                raise Unreachable(client.server.url, "the connection was cut", 0)
            posted.append(path)
        return call(client, method, *path, **more)

    monkeypatch.setattr("ngshare_fs.management.server_roster.LARGEST_BATCH", 150)
    monkeypatch.setattr(Client, "call", fails_later)
    said = course("teacher", "add-students", COURSE, course.file("student_id\nada\nmax\nzoe\n"), code=1)
    assert "the connection was cut" in said
    assert f"ada was successfully added to {COURSE}" in said
    assert "zoe was" not in said
    assert "ada" in course.students()
    assert "zoe" not in course.students()
