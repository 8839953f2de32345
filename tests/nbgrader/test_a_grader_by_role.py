"""Somebody who grades in a course and does not teach it, with nbgrader's own commands."""

import shutil

import pytest

from tests.nbgrader.conftest import ASSIGNMENT, COURSE, School

pytestmark = pytest.mark.others


def test_a_grader_does_all_of_grading_and_nothing_else(school: School) -> None:
    teacher, student, grader = school.teacher, school.zoë, school.max
    teacher.manage("add-grader", COURSE, grader.name)
    school.release_and_fetch()
    for person in (student, grader):
        person.run("submit", ASSIGNMENT)
    shutil.copytree(teacher.home / "source", grader.home / "source")
    inbound = "\n".join(grader.listed("--inbound"))
    assert student.name in inbound
    grader.run("generate_assignment", ASSIGNMENT, "--force")
    # What they have tried out themselves is nobody's work.
    assert f"Left out, since they are instructors or graders: {grader.name}." in grader.run("collect", ASSIGNMENT)
    assert [folder.name for folder in (grader.home / "submitted").iterdir()] == [student.name]
    for command in ("autograde", "generate_feedback", "release_feedback"):
        grader.run(command, ASSIGNMENT)
    student.run("fetch_feedback", ASSIGNMENT)
    assert list((student.home / ASSIGNMENT / "feedback").glob("*/problem 1.html"))

    before = school.stored("**/*")
    of_instructors = (
        ["release_assignment", ASSIGNMENT],
        ["release_assignment", ASSIGNMENT, "--force"],
        ["submit", ASSIGNMENT, f"--student={student.name}"],
    )
    for words in of_instructors:
        assert "Permission denied" in grader.run(*words, fails=True)
    for words in (["--remove", ASSIGNMENT], ["--inbound", "--remove", ASSIGNMENT]):
        assert "Only instructors may remove" in grader.run("list", *words, fails=True)
    assert school.stored("**/*") == before

    teacher.run("list", "--remove", ASSIGNMENT)
    assert "taken back" in "".join(grader.listed())
    assert "No newer submission to collect" in grader.run("collect", ASSIGNMENT, "--update")
