"""nbgrader's gradebook follows the roster: with what is cleared, and without making one to look at it."""

import json
import sqlite3
from pathlib import Path

from tests.nbgrader.conftest import ASSIGNMENT, COURSE, School


def _in_gradebook(home: Path) -> dict[str, tuple[str | None, ...]]:
    with sqlite3.connect(home / "gradebook.db") as database:
        rows = database.execute("select id, first_name, last_name, email from student").fetchall()
    database.close()
    return {user: tuple(names) for user, *names in rows}


def _roster(school: School, text: str) -> str:
    file = school.teacher.home / "roster.csv"
    file.write_text(text)
    return str(file)


def test_what_is_cleared_on_the_roster_is_cleared_in_the_gradebook(school: School) -> None:
    teacher = school.teacher
    header = "student_id,first_name,last_name,email\n"
    teacher.manage("sync", COURSE, _roster(school, header + "max,Max,M,m@x\nada,Ada,L,a@x\n"), "--yes")
    assert _in_gradebook(teacher.home) == {"max": ("Max", "M", "m@x"), "ada": ("Ada", "L", "a@x")}
    # An empty value clears; one that is missing, in a row or as a column, does not.
    teacher.manage("sync", COURSE, _roster(school, header + "max,Max,M,\nada,Ada\n"))
    assert _in_gradebook(teacher.home) == {"max": ("Max", "M", None), "ada": ("Ada", "L", "a@x")}
    teacher.manage("add-students", COURSE, _roster(school, "student_id,last_name\nada,\n"))
    teacher.manage("add-student", COURSE, "max", "--first-name", "")
    assert _in_gradebook(teacher.home) == {"max": (None, "M", None), "ada": ("Ada", None, "a@x")}
    shown = json.loads(teacher.manage("show", COURSE, "--json"))["students"]
    on_server = {each["username"]: (each["first_name"], each["last_name"], each["email"]) for each in shown}
    assert on_server == {"max": ("", "M", ""), "ada": ("Ada", "", "a@x")}


def test_a_dry_run_says_whose_grades_keep_them_in_the_gradebook(school: School) -> None:
    teacher, roster = school.teacher, _roster(school, "student_id\nzoë@uni.example\n")
    said = teacher.manage("sync", COURSE, roster, "--dry-run")
    assert "- max" in said
    assert not (teacher.home / "gradebook.db").exists()

    school.release_and_fetch()
    school.max.run("submit", ASSIGNMENT)
    teacher.run("generate_assignment", ASSIGNMENT, "--force")
    teacher.run("collect", ASSIGNMENT)
    teacher.run("autograde", ASSIGNMENT)
    before = _in_gradebook(teacher.home)
    said = teacher.manage("sync", COURSE, roster, "--dry-run")
    assert "Still in the gradebook, since they have grades: max (--force)" in said
    assert "nothing was changed" in said
    assert "have grades" not in teacher.manage("sync", COURSE, roster, "--dry-run", "--force")
    assert _in_gradebook(teacher.home) == before
    said = teacher.manage("sync", COURSE, roster, "--yes")
    assert "Still in the gradebook, since they have grades: max (--force)" in said
    assert "max" in _in_gradebook(teacher.home)
