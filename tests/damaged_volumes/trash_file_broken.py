"""The record of a deletion was emptied."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    file = plain.deletion / "trash.yaml"
    file.write_bytes(b"")
    return file
