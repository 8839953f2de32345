"""A date in `assignment.yaml` that the calendar does not have."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    file = plain.assignment / "assignment.yaml"
    file.write_text("due: 2026-02-29 23:59:59 UTC\n")
    return file
