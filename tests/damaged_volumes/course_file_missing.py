"""Somebody removed a course's `course.yaml`."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    file = plain.course / "course.yaml"
    file.unlink()
    return file
