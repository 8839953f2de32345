"""A manifest cut in the middle."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    file = plain.submission / "manifest.yaml"
    file.write_bytes(file.read_bytes()[:-40])
    return file
