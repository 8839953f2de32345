"""A volume of a later version."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    file = plain.root / "ngshare.yaml"
    file.write_text("layout: 3\n")
    return file
