"""A key of a student was misspelt by hand."""

from pathlib import Path

from tests.volumes import COURSE, INSTRUCTOR, STUDENT, Plain


def damage(plain: Plain) -> Path:
    file = plain.course / "course.yaml"
    people = f"instructors:\n  {INSTRUCTOR}:\nstudents:\n  {STUDENT}:\n    firstname: Larry\n"
    file.write_text(f"course: {COURSE}\n{people}")
    return file
