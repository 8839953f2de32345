"""A file that the manifest lists was removed."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    file = plain.submission / "files" / "data" / "x.csv"
    file.unlink()
    return file
