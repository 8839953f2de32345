"""`ngshare-fs course`: who somebody is to the server, and what to do when it says no."""

import pytest

from ngshare_fs.exchange.connection.server import Server
from ngshare_fs.exchange.failures.problems import Refused
from ngshare_fs.management import advice
from tests.course_command import COURSE, CourseCommand


@pytest.mark.parametrize(
    ("words", "advised"),
    [
        (("create", "other"), "Only admins make courses, and those whom the server's administrator has named"),
        (("delete", COURSE, "--yes"), "Only admins may do this: ask your administrator."),
        (("remove-instructor", COURSE, "teacher"), "Only admins may do this: ask your administrator."),
        (("add-instructor", COURSE, "new"), "Only admins name instructors: ask your administrator."),
    ],
)
@pytest.mark.parametrize("user", ["teacher", "ada", "stranger"])
def test_what_admins_do_is_up_to_admins(course: CourseCommand, user: str, words: tuple[str, ...], advised: str) -> None:
    course("teacher", "add-student", COURSE, "ada")
    said = course(user, *words, code=1)
    assert advised in said
    assert "ask your instructor" not in said


@pytest.mark.parametrize("user", ["ada", "stranger"])
def test_what_instructors_do_is_up_to_instructors(course: CourseCommand, user: str) -> None:
    course("teacher", "add-student", COURSE, "ada")
    file = course.file("student_id\neve\n")
    for words in (
        ("show", COURSE),
        ("add-student", COURSE, "eve"),
        ("add-students", COURSE, file),
        ("remove-students", COURSE, "eve"),
        ("sync", COURSE, file),
    ):
        said = course(user, *words, code=1)
        assert "Only the course's instructors and admins may do this. If you teach it, ask your administrator" in said


def test_what_is_not_there_or_there_already_is_looked_up_by_command(course: CourseCommand) -> None:
    assert "`ngshare-fs course list` shows" in course("root", "show", "none", code=1)
    assert "`ngshare-fs course list` shows" in course("root", "delete", "none", "--yes", code=1)
    assert "`ngshare-fs course show` shows" in course("root", "create", COURSE, code=1)
    assert "`ngshare-fs course show` shows" in course("root", "remove-instructor", COURSE, "nobody", code=1)
    assert "cannot take it, too" in course("root", "add-student", COURSE, "teacher", code=1)


def test_a_server_of_a_hub_wants_a_token() -> None:
    alone = Server("https://hub/services/ngshare/", "user:ada", "ada", standalone=True)
    with_token = Server(alone.url, "secret", "ada", standalone=False)
    refused = Refused(403, "Please sign in", alone.url)
    assert "set JUPYTERHUB_API_TOKEN to it" in advice.text_of(refused, "show", alone)
    assert "from the hub's control panel" in advice.text_of(refused, "show", with_token)
    too_large = advice.text_of(Refused(413, "Request too large", alone.url), "sync", alone)
    assert "remove large data files" not in too_large


@pytest.mark.parametrize("user", ["root", "王", "zoë@uni.example"])
def test_a_stand_alone_server_is_told_who_we_are(course: CourseCommand, user: str) -> None:
    course("root", "add-instructor", COURSE, user)
    assert COURSE in course("stranger", "list", "--user", user)
    assert "Successfully added" in course("stranger", "add-student", COURSE, "ada", "--user", user)
    assert course("stranger", "list") == ""
    assert "the user name is empty" in course("stranger", "list", "--user", "", code=1)


def test_nobody_says_to_be_another_than_the_hubs_token(course: CourseCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "user:teacher")
    monkeypatch.setenv("JUPYTERHUB_USER", "teacher")
    said = course("teacher", "list", "--user", "root", code=1)
    assert "--user root: a token of the hub is in use (JUPYTERHUB_API_TOKEN), that of teacher" in said
    assert COURSE in course("teacher", "list", "--user", "teacher")
    monkeypatch.delenv("JUPYTERHUB_USER")
    said = course("teacher", "list", "--user", "teacher", code=1)
    assert "that of somebody whose name is not said here" in said
