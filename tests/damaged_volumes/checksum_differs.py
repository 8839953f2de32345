"""One bit of a file has turned."""

from pathlib import Path

from tests.volumes import SUBMITTED_FILES, Plain


def damage(plain: Plain) -> Path:
    file = plain.submission / "files" / "problem1.ipynb"
    content = SUBMITTED_FILES["problem1.ipynb"]
    file.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    return file
