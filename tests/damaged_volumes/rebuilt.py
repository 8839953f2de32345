"""A manifest that `repair` made anew; nothing is wrong with it any more."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    file = plain.submission / "manifest.yaml"
    file.write_text(file.read_text().replace("files:", "rebuilt: 2020-02-01 00:00:00.000000 UTC\nfiles:"))
    return file
