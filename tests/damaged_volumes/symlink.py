"""A course that was moved to another disk and linked."""

from pathlib import Path

from tests.volumes import Plain


def damage(plain: Plain) -> Path:
    elsewhere = plain.root.with_name("elsewhere")
    plain.course.rename(elsewhere)
    plain.course.symlink_to(elsewhere)
    return plain.course
