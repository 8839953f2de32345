"""A manifest that lists a file twice."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    file = plain.feedback / "manifest.yaml"
    before, after = file.read_text().split("files:\n")
    file.write_text(before + "files:\n" + after + after)
    return file
