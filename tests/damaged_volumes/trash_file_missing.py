"""Somebody moved a folder into the trash by hand, or the record of a deletion was lost."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    file = plain.deletion / "trash.yaml"
    file.unlink()
    return file
