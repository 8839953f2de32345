"""`ngshare-fs course` with graders, and courses made by those who are no admins, against a real server."""

import json
from collections.abc import Iterator

import pytest

from tests import servers
from tests.course_command import COURSE, CourseCommand


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """One on which `kevin` may make courses."""
    with servers.running(
        tmp_path_factory.mktemp("served") / "volume", "--debug", "--course-creators", "kevin"
    ) as server:
        yield server


def people(course: CourseCommand, role: str) -> dict[str, str | None]:
    """The first names of those on one of the lists, by user name."""
    shown = json.loads(course("teacher", "show", COURSE, "--json"))
    return {each["username"]: each["first_name"] for each in shown[role]}


def test_graders_are_added_changed_shown_and_removed(course: CourseCommand) -> None:
    said = course("teacher", "add-grader", COURSE, "gina", "--first-name", "Gina", "--email", "g@x")
    assert said == f"Successfully added gina as a grader to {COURSE}\n"
    course("teacher", "add-grader", COURSE, "gina", "--last-name", "G")
    shown = course("gina", "show", COURSE)
    assert "instructors: 1\n  teacher\ngraders: 1\n  gina  Gina G  g@x\nstudents: 0\n" in shown
    assert json.loads(course("gina", "list", "--json")) == [{"course_id": COURSE, "role": "grader"}]
    assert course("teacher", "remove-grader", COURSE, "gina") == f"Successfully deleted grader gina from {COURSE}\n"
    assert people(course, "graders") == {}
    assert "`ngshare-fs course show` shows the graders" in course("teacher", "remove-grader", COURSE, "gina", code=1)


def test_a_student_who_becomes_a_grader_is_no_student_any_more(course: CourseCommand) -> None:
    course("teacher", "add-students", COURSE, course.file("student_id\nada\nmax\n"))
    course("teacher", "add-grader", COURSE, "ada")
    assert [list(people(course, role)) for role in ("graders", "students")] == [["ada"], ["max"]]
    for words in (("add-students", COURSE), ("sync", COURSE)):
        said = course("teacher", *words, course.file("student_id\nmax\nADA\n"), code=1)
        assert "nothing was changed: ADA (ada) cannot be a student, being a grader" in said
    assert "remove the grader first" in course("teacher", "add-student", COURSE, "ada", code=1)
    assert "may do all that graders may" in course("root", "add-grader", COURSE, "teacher", code=1)
    course("root", "add-instructor", COURSE, "ada")
    assert people(course, "graders") == {}


def test_graders_change_no_course(course: CourseCommand) -> None:
    course("teacher", "add-grader", COURSE, "gina")
    for words in (("add-grader", "eve"), ("remove-grader", "gina"), ("add-student", "eve"), ("remove-students", "eve")):
        said = course("gina", words[0], COURSE, *words[1:], code=1)
        assert "Only the course's instructors and admins may do this." in said
    said = course("teacher", "add-grader", COURSE, "a\u200bda", code=1)
    assert "ZERO WIDTH SPACE" in said


def test_who_may_make_courses_teaches_them_and_others_are_told_whom_to_ask(course: CourseCommand) -> None:
    assert course("kevin", "create", "physics") == "Successfully created physics\n"
    assert json.loads(course("kevin", "list", "--json")) == [{"course_id": "physics", "role": "instructor"}]
    for user in ("teacher", "ada"):
        said = course(user, "create", "chemistry", code=1)
        assert (
            "Only admins make courses, and those whom the server's administrator has named (--course-creators)" in said
        )
    said = course("kevin", "create", "chemistry", "kevin", "ada", code=1)
    assert "leave out the others, and let an admin name them" in said
    assert "Only admins may do this" in course("kevin", "delete", "physics", "--yes", code=1)
