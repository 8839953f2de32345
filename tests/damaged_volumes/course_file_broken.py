"""A slip of the editor in `course.yaml`."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    file = plain.course / "course.yaml"
    file.write_text(file.read_text() + "  email: [\n")
    return file
