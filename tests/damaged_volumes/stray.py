"""A note that somebody left."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    file = plain.course / "assignments" / "notes.txt"
    file.write_text("grade these by Friday\n")
    return file
