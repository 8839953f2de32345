"""A volume as it is in the middle of a term, for what people look at."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ngshare_fs.formats.civil_time import moment_at
from ngshare_fs.store import (
    Person,
    Volume,
    assignment,
    course,
    dates,
    extensions,
    feedback,
    release,
    roster,
    submission,
    timestamp_of,
)
from ngshare_fs.store.format.assignment_file import Extension
from tests.stores import upload

COURSE, SECOND_COURSE = "NBG 101", "physics"
ADMIN, INSTRUCTOR, GRADER, STUDENT, LATE_STUDENT = "root", "kevin", "tara", "lawrence", "ada"
ZONE = "Europe/Vienna"
GRADED, DUE, OPEN, SCHEDULED = "loops", "functions", "classes", "exam"
NAMES = (
    "Noether Emmy", "Curie Marie", "Hopper Grace", "Turing Alan", "Gauß Carl", "Ramanujan Srinivasa", "Meitner Lise",
    "Gödel Kurt", "Hypatia", "Euler Leonhard", "Germain Sophie", "Banneker Benjamin",
)  # fmt: skip


def notebook(*cells: str) -> bytes:
    """A notebook of cells of code."""
    made: list[dict[str, Any]] = [
        {"cell_type": "code", "metadata": {}, "source": cell, "outputs": [], "execution_count": None} for cell in cells
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}).encode()


def feedback_page(score: str) -> bytes:
    """A page such as nbgrader makes of a notebook that was graded."""
    return f"<!doctype html><html lang=en><title>feedback</title><h1>problem1 ({score})</h1><p>Well done.</p>".encode()


def fill(data: Path) -> None:
    """Fill a volume: two courses, and four assignments that are graded, due, open, scheduled."""
    now = dates.now().replace(microsecond=0)
    volume = Volume.open(data)
    try:
        _people(volume)
        for name, due in ((GRADED, -21), (DUE, -2), (OPEN, 5)):
            _release(volume, name, {"due": moment_at(now + timedelta(days=due), ZONE)})
        later = moment_at(now + timedelta(days=9), ZONE)
        _release(volume, SCHEDULED, {"release": later, "due": moment_at(later.at + timedelta(hours=3), ZONE)})
        given = moment_at(now + timedelta(days=1), ZONE)
        extensions.extend(volume, COURSE, DUE, LATE_STUDENT, Extension(due=given, close=None, reason="was ill"))
        _work(volume, now)
        _release(volume, "draft", {})
        assignment.delete(volume, COURSE, "draft", INSTRUCTOR)
    finally:
        volume.close()


def _people(volume: Volume) -> None:
    course.create(volume, COURSE, [INSTRUCTOR])
    roster.set_grader(volume, COURSE, GRADER, Person("Tara", "Nguyen", "tara@uni.example"))
    named = [name.split() for name in NAMES]
    others = [(each[0].lower(), Person(each[-1], each[0], f"{each[0].lower()}@uni.example")) for each in named]
    own = [(STUDENT, Person("Lawrence", "Bragg", "lb@uni.example")), (LATE_STUDENT, Person("Ada", "Lovelace"))]
    roster.set_students(volume, COURSE, [*own, *others])
    with (Path(volume.root) / "courses" / COURSE / "course.yaml").open("a") as file:
        file.write(f"timezone: {ZONE}\n")
    course.create(volume, SECOND_COURSE, ["lise"])
    roster.set_student(volume, SECOND_COURSE, STUDENT, Person("Lawrence", "Bragg"))


def _release(volume: Volume, name: str, changes: Mapping[str, object]) -> None:
    files = {"problem1.ipynb": notebook("def answer():\n    # YOUR CODE HERE\n    raise NotImplementedError()")}
    files |= {"problem2.ipynb": notebook("# YOUR CODE HERE"), "data/measured.csv": b"time,height\n0,1\n" * 200}
    with upload(volume, **files) as released:
        release.release(volume, COURSE, name, INSTRUCTOR, released, changes=changes)


def _work(volume: Volume, now: datetime) -> None:
    students = [STUDENT, LATE_STUDENT, *(name.split()[0].lower() for name in NAMES)]
    for number, student in enumerate(students):
        for name, days in ((GRADED, 22.3), (DUE, 3.2), (DUE, 1.5), (OPEN, 0.1)):
            late = days == 1.5
            if (late and number % 4) or (name == OPEN and number > 3) or (name == DUE and number % 5 == 4):
                continue
            when = timestamp_of(now - timedelta(days=days, minutes=7 * number))
            files = {"problem1.ipynb": notebook("def answer():\n    return 42"), "problem2.ipynb": notebook("1 + 1")}
            with upload(volume, **files) as work:
                moment = submission.submit(
                    volume, COURSE, name, student, work, at=when, key=f"key-{number}-{name}-{days}"
                )
            if name == GRADED:
                with upload(volume, **{"problem1.html": feedback_page("3.0 / 3.0")}) as made:
                    feedback.give(volume, COURSE, name, student, moment, INSTRUCTOR, made)
