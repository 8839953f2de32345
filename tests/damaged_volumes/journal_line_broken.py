"""Somebody wrote a line of the journal by hand."""

from pathlib import Path

from tests.volumes import COURSE, Plain


def damage(plain: Plain) -> Path:
    file = plain.root / "journal" / "courses" / COURSE / "2020-01.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text('{"time": "2020-01-30 10:30:47.524219 UTC", "what": "release", "by": "kevin"}\nand so on\n{"torn')
    return file
