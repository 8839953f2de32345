"""A file was changed after it was handed in, or its copy cut off."""

from pathlib import Path

from tests.volumes import SUBMITTED_FILES, Plain


def damage(plain: Plain) -> Path:
    file = plain.submission / "files" / "problem1.ipynb"
    file.write_bytes(SUBMITTED_FILES["problem1.ipynb"][:-1])
    return file
