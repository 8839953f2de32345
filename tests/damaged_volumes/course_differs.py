"""A course's folder was renamed by hand; its name inside was not."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    folder = plain.course.with_name("algebra")
    plain.course.rename(folder)
    return folder / "course.yaml"
