"""The due date was moved by hand, and the close date was forgotten."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    file = plain.assignment / "assignment.yaml"
    file.write_text("due: 2026-11-20 23:59:59 UTC\nclose: 2026-11-17 23:59:59 UTC\n")
    return file
