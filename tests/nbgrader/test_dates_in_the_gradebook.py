"""What is late on the server is late to nbgrader, by as much: to its gradebook, its penalties, and formgrader."""

import csv
import json
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.nbgrader.conftest import ASSIGNMENT, School
from tests.nbgrader.dated import (
    add_student,
    extend,
    hand_in_at,
    in_vienna,
    late_seconds,
    set_dates,
    take_back_extension,
)
from tests.nbgrader.test_extensions import press

pytestmark = pytest.mark.others

DUE = datetime(2026, 1, 15, 22, 59, 59, tzinfo=timezone.utc)
DUE_IN_VIENNA = "2026-01-15 23:59:59 Europe/Vienna"
GRADED = {
    "cells": [
        {
            "cell_type": "code",
            "id": "test",
            "execution_count": None,
            "outputs": [],
            "source": "assert True",
            "metadata": {
                "nbgrader": {
                    "grade": True, "grade_id": "test", "points": 3, "locked": True,
                    "schema_version": 3, "solution": False, "task": False, "cell_type": "code",
                }
            },
        }
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "p", "language": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}  # fmt: skip
# An interval is stored as that time after 1970.
EXTENSIONS = "select student_id, extension from submitted_assignment order by student_id"
# A kernel for each notebook takes most of the time, and what its test says is not what matters here.
WITHOUT_KERNEL = """
c.Autograde.autograde_preprocessors = [
    "nbgrader.preprocessors.SaveAutoGrades", "nbgrader.preprocessors.AssignLatePenalties"
]
"""
IN_GRADEBOOK = """
import json
from nbgrader.api import Gradebook
with Gradebook('sqlite:///gradebook.db') as gradebook:
    assignment = gradebook.find_assignment({assignment!r})
    print(json.dumps({{
        'due': str(assignment.duedate),
        'submissions': {{
            each.student_id: {{
                'late': each.total_seconds_late,
                'score': each.score,
                'penalty': each.late_submission_penalty,
            }}
            for each in assignment.submissions
        }}
    }}))
"""


@pytest.fixture
def released(school: School) -> bytes:
    """A notebook with a test of three points, which is released; the students' version of it."""
    in_vienna(school)
    (school.teacher.home / "source" / ASSIGNMENT / "problem 1.ipynb").write_text(json.dumps(GRADED))
    school.teacher.run("generate_assignment", ASSIGNMENT, "--force")
    school.teacher.run("release_assignment", ASSIGNMENT)
    return (school.teacher.home / "release" / ASSIGNMENT / "problem 1.ipynb").read_bytes()


def in_gradebook(school: School) -> Any:
    return json.loads(school.teacher.python(IN_GRADEBOOK.format(assignment=ASSIGNMENT)))


def rows(school: School, command: str) -> list[tuple[Any, ...]]:
    """What SQL says of the gradebook, without a process that has nbgrader."""
    with closing(sqlite3.connect(school.teacher.home / "gradebook.db")) as database, database:
        return database.execute(command).fetchall()


def collected(school: School) -> dict[str, str]:
    """Of each student, the timestamp of the copy that is here."""
    files = school.submitted.glob(f"*/{ASSIGNMENT}/timestamp.txt")
    return {file.parents[1].name: file.read_text() for file in files}


@pytest.mark.parametrize("settings", [WITHOUT_KERNEL, pytest.param("", id="executed", marks=pytest.mark.long)])
def test_nbgraders_penalty_is_for_what_the_server_calls_late(school: School, released: bytes, settings: str) -> None:
    zoë, teacher = school.zoë.name, school.teacher
    for student in ("ann", "bob", "eve"):
        add_student(school, student)
    set_dates(school, due="2026-01-15 23:59:59", grace="5m")
    extend(school, "ann", "2026-01-17 23:59:59", reason="ill")
    extend(school, "eve", "2026-01-17 23:59:59")
    work = {"problem 1.ipynb": released}
    hand_in_at(school, zoë, DUE + timedelta(hours=2, microseconds=250_000), work)
    hand_in_at(school, "max", DUE + timedelta(minutes=4, seconds=59, microseconds=999_999), work)  # within the grace
    hand_in_at(school, "ann", DUE + timedelta(days=1), work)  # with the extension
    hand_in_at(school, "bob", DUE + timedelta(microseconds=900_000), work)  # in the second that is named
    hand_in_at(school, "eve", DUE + timedelta(days=2, hours=1), work)  # after the extension
    said = teacher.run("collect", ASSIGNMENT)
    assert f"Gradebook: {ASSIGNMENT} is due at {DUE_IN_VIENNA}, as on the server (before: none)" in said
    assert "ann: 2 days (before: none)" in said
    assert "max: 5 minutes (before: none)" in said
    assert "SAWarning" not in said

    with (teacher.home / ".jupyter/nbgrader_config.py").open("a") as file:
        file.write(f"c.LateSubmissionPlugin.penalty_method = 'zero'\n{settings}")
    teacher.run("autograde", ASSIGNMENT)
    found = in_gradebook(school)
    assert found["due"] == "2026-01-15 22:59:59"
    by_server = {student: late for (student, _), late in late_seconds(school).items()}
    assert by_server == {zoë: 7200, "max": 0, "ann": 0, "bob": 0, "eve": 3600}
    by_nbgrader = {student: entry["late"] for student, entry in found["submissions"].items()}
    assert {student: int(late) for student, late in by_nbgrader.items()} == by_server
    assert [by_nbgrader[student] for student in ("max", "ann", "bob")] == [0, 0, 0]
    assert {entry["score"] for entry in found["submissions"].values()} == {3}
    penalties = {student: entry["penalty"] for student, entry in found["submissions"].items()}
    assert penalties == {zoë: 3, "eve": 3, "max": 0, "ann": 0, "bob": 0}

    shown = press(teacher, "formgrader", "get_assignment", ASSIGNMENT)
    assert (shown["duedate"], shown["num_submissions"]) == ("2026-01-15T22:59:59", 5)
    if settings:
        return
    teacher.run("export")
    with (teacher.home / "grades.csv").open(newline="") as file:
        grades = {row["student_id"]: (row["duedate"], float(row["score"])) for row in csv.DictReader(file)}
    points = {zoë: 0, "eve": 0, "max": 3, "ann": 3, "bob": 3}
    assert grades == {student: ("2026-01-15 22:59:59", score) for student, score in points.items()}


def test_the_gradebook_follows_the_server(school: School, released: bytes) -> None:
    teacher, zoë = school.teacher, school.zoë.name
    teacher.run("db", "assignment", "add", ASSIGNMENT, "--duedate=2026-01-10 12:00:00 UTC")
    set_dates(school, due="2026-01-15 23:59:59")
    # Nobody has handed in, nothing but the due date is written.
    said = teacher.run("collect", ASSIGNMENT)
    assert "as on the server (before: 2026-01-10 13:00:00 Europe/Vienna)" in said
    assert rows(school, "select duedate from assignment") == [("2026-01-15 22:59:59.000000",)]
    assert rows(school, EXTENSIONS) == []
    # What comes in time, or is late, needs no entry before it is graded: the due date says it all.
    extend(school, "max", "2026-01-20 12:00:00")
    hand_in_at(school, "max", DUE - timedelta(days=1), {"problem 1.ipynb": released})
    hand_in_at(school, zoë, DUE + timedelta(days=1), {"problem 1.ipynb": released})
    assert "Gradebook" not in teacher.run("collect", ASSIGNMENT)
    assert rows(school, EXTENSIONS) == []
    # An extension that is given later counts for the copy that is here already; whoever has handed in nothing has none.
    extend(school, zoë, "2026-01-18 23:59:59")
    add_student(school, "ann")
    extend(school, "ann", "2026-01-18 23:59:59")
    said = teacher.run("collect", ASSIGNMENT)
    assert f"{zoë}: 3 days (before: none)" in said
    assert rows(school, EXTENSIONS) == [(zoë, "1970-01-04 00:00:00.000000")]
    # What an instructor has set here alone gives way, and is said.
    rows(school, "update submitted_assignment set extension = '1970-01-10 00:00:00.000000'")
    assert f"{zoë}: 3 days (before: 9 days)" in teacher.run("collect", ASSIGNMENT)
    take_back_extension(school, zoë)
    assert f"{zoë}: none (before: 3 days)" in teacher.run("collect", ASSIGNMENT)
    assert rows(school, EXTENSIONS) == [(zoë, None)]
    # A server without a due date changes nothing.
    take_back_extension(school, "max")
    take_back_extension(school, "ann")
    set_dates(school, due="")
    assert "Gradebook" not in teacher.run("collect", ASSIGNMENT)
    assert rows(school, "select duedate from assignment") == [("2026-01-15 22:59:59.000000",)]


def test_what_counts_at_the_due_date_is_each_students_own(school: School) -> None:
    teacher, zoë = school.teacher, school.zoë.name
    teacher.run("release_assignment", ASSIGNMENT)
    set_dates(school, due="2026-01-15 23:59:59", grace="5m")
    extend(school, zoë, "2026-01-17 23:59:59")
    add_student(school, "ann")
    in_grace, a_day_later, at_last = DUE + timedelta(minutes=3), DUE + timedelta(days=1), DUE + timedelta(days=3)
    stamps = {
        (student, moment): hand_in_at(school, student, moment, {"p.ipynb": b"{}"})
        for student in (zoë, "max", "ann")
        for moment in (in_grace, a_day_later, at_last)
        if student != "ann" or moment != in_grace
    }
    # Ann has nothing in time: her newest is taken all the same.
    counts = {zoë: a_day_later, "max": in_grace, "ann": at_last}
    expected = {student: stamps[student, moment] for student, moment in counts.items()}
    teacher.run("collect", ASSIGNMENT, "--before-duedate")
    assert collected(school) == expected
    # The newest, and back again.
    teacher.run("collect", ASSIGNMENT, "--update")
    assert collected(school) == {student: stamps[student, at_last] for student in counts}
    teacher.run("collect", ASSIGNMENT, "--before-duedate")
    assert collected(school) == expected


@pytest.mark.long
def test_a_gradebook_that_cannot_be_written_keeps_nobodys_work_away(school: School, released: bytes) -> None:
    teacher = school.teacher
    set_dates(school, due="2026-01-15 23:59:59")
    hand_in_at(school, "max", DUE, {"problem 1.ipynb": released})
    gradebook = teacher.home / "gradebook.db"
    with closing(sqlite3.connect(gradebook)) as database:
        database.execute("pragma locking_mode = exclusive")
        database.execute("begin exclusive")
        said = teacher.run("collect", ASSIGNMENT)
    assert "The dates could not be brought to the gradebook, where lateness may be wrong" in said
    assert "database is locked" in said
    assert list(collected(school)) == ["max"]
    # Elsewhere there is no gradebook, or none that knows the assignment: none is made, and it is said.
    gradebook.unlink()
    said = teacher.run("collect", ASSIGNMENT, "--update")
    assert f"The gradebook does not know {ASSIGNMENT} yet" in said
    assert not gradebook.exists()


def test_a_release_takes_the_due_date_along(school: School) -> None:
    teacher = school.teacher
    in_vienna(school)
    teacher.run("db", "assignment", "add", ASSIGNMENT, "--duedate=2030-01-15 22:59:59 UTC")
    said = teacher.run("release_assignment", ASSIGNMENT)
    assert "The due date is that of the gradebook; students see it now." in said
    assert "due 2030-01-15 23:59:59 Europe/Vienna (in " in said
    rows(school, "update assignment set duedate = '2030-02-01 22:59:59.000000'")
    said = teacher.run("release_assignment", ASSIGNMENT, "--force")
    assert "due 2030-01-15 23:59:59 Europe/Vienna (in " in said
    assert "The gradebook has another due date, 2030-02-01 23:59:59 Europe/Vienna. That of the server counts" in said
    # What students do not see yet is not said to be seen.
    set_dates(school, due="")
    rows(school, "update assignment set duedate = '2098-02-01 22:59:59.000000'")
    later = "--ExchangeReleaseAssignment.release_date=2098-01-01 08:00"
    said = teacher.run("release_assignment", ASSIGNMENT, "--force", later)
    assert "The due date is that of the gradebook.\n" in said
    assert "students see it from 2098-01-01 08:00:00 Europe/Vienna on" in said
    set_dates(school, release="")
    rows(school, "update assignment set duedate = '2030-02-01 22:59:59.000000'")
    # A date that cannot be is no reason not to release.
    set_dates(school, due="", close="2030-01-01 12:00:00")
    said = teacher.run("release_assignment", ASSIGNMENT, "--force")
    assert (
        "The due date in the gradebook, 2030-02-01 23:59:59 Europe/Vienna, is not on the server: The exchange says:"
        in said
    )
    assert len(school.stored("releases/*")) == 4
    (teacher.home / "gradebook.db").write_bytes(b"no database" * 1000)
    said = teacher.run("release_assignment", ASSIGNMENT, "--force")
    assert "It is released, but its due date was not compared with the gradebook's" in said
