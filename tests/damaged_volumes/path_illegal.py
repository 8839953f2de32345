"""A manifest that points out of its tree."""

from pathlib import Path

from tests.volumes import Plain, md5


def damage(plain: Plain) -> Path:
    file = plain.feedback / "manifest.yaml"
    file.write_text(f"{file.read_text()}- path: ../../../../secret\n  size: 1\n  md5: {md5(b'1')}\n")
    return file
