"""A file that the manifest does not list."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    file = plain.submission / "files" / "data" / ".x.csv.swp"
    file.write_bytes(b"x")
    return file
