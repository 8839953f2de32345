"""The due date was removed by hand, and an extension of it stayed."""

from pathlib import Path

from tests.volumes import STUDENT, Plain


def damage(plain: Plain) -> Path:
    file = plain.assignment / "assignment.yaml"
    file.write_text(f"extensions:\n  {STUDENT}:\n    due: 2026-11-18 23:59:59 UTC\n")
    return file
