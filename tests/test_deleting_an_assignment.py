"""`ngshare-fs course delete-assignment` says what goes with an assignment, asks, and moves it to the trash."""

import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests import servers
from tests.course_command import COURSE, CourseCommand

# What the shell makes of a name; an older client has released it so.
ASSIGNMENT = "ps1/"
FILES = '[{"path": "a.ipynb", "content": "e30K"}]'


@pytest.fixture
def course(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[CourseCommand]:
    home = tmp_path / "home"
    home.mkdir()
    with servers.running(tmp_path / "volume", "--debug") as server:
        command = CourseCommand(server, home, monkeypatch, capsys)
        for student in ("ada", "max"):
            command("teacher", "add-student", COURSE, student)
        post(server.url, "assignment", "teacher")
        for student in ("ada", "ada", "max"):
            post(server.url, "submission", student)
        yield command


def post(url: str, what: str, user: str) -> None:
    body = urllib.parse.urlencode({"user": user, "files": FILES}).encode()
    urllib.request.urlopen(f"{url}{what}/{quote(COURSE)}/{quote(ASSIGNMENT, safe='')}", body).close()


def test_nothing_goes_unasked(course: CourseCommand) -> None:
    said = course("teacher", "delete-assignment", COURSE, ASSIGNMENT, code=1)
    assert "3 submissions of 2 students" in said
    assert "--yes" in said
    assert ASSIGNMENT in course("teacher", "show", COURSE)


def test_it_goes_to_the_trash(course: CourseCommand, tmp_path: Path) -> None:
    said = course("teacher", "delete-assignment", COURSE, ASSIGNMENT, "--yes")
    assert "the operator can bring it back" in said
    assert "assignments: 0" in course("teacher", "show", COURSE)
    assert len(list((tmp_path / "volume" / "trash").rglob("submissions/ada/*/files/a.ipynb"))) == 2


def test_who_may_not_hears_why(course: CourseCommand) -> None:
    assert "Only the course's instructors" in course("ada", "delete-assignment", COURSE, ASSIGNMENT, "--yes", code=1)
    assert "spelling of its name" in course("teacher", "delete-assignment", COURSE, "ps1", "--yes", code=1)
    assert ASSIGNMENT in course("teacher", "show", COURSE)
