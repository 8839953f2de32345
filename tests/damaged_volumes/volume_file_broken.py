"""`ngshare.yaml` holds something else."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    file = plain.root / "ngshare.yaml"
    file.write_text("layout: newest\n")
    return file
