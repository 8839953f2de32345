"""A user was written below both roles by hand."""

from pathlib import Path

from tests.volumes import COURSE, STUDENT, Plain


def damage(plain: Plain) -> Path:
    file = plain.course / "course.yaml"
    file.write_text(f"course: {COURSE}\ninstructors:\n  {STUDENT}:\nstudents:\n  {STUDENT}:\n")
    return file
