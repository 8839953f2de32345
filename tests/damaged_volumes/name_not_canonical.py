"""A folder that encodes a character which needs no encoding: the name `a` leads to the folder `a`."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    folder = plain.course / "assignments" / "%61"
    plain.assignment.rename(folder)
    return folder
