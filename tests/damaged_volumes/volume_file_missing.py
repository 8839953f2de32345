"""A copy that forgot the one file in the volume's own folder."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    file = plain.root / "ngshare.yaml"
    file.unlink()
    return file
