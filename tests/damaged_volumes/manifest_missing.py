"""A copy was cut off before it came to the manifest."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    file = plain.submission / "manifest.yaml"
    file.unlink()
    return file
