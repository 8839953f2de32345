"""A submission's manifest calls it a release."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    file = plain.submission / "manifest.yaml"
    file.write_text(file.read_text().replace("submission", "release", 1))
    return file
