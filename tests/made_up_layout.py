"""A layout 3 that nobody has made: each `course.yaml` says its term, and an assignment has another name.

`prepare` makes this process one of a program that knows it.
"""

import os
import sys
from pathlib import Path

import pytest

from ngshare_fs.command.main import main
from ngshare_fs.formats import yaml_text
from ngshare_fs.store.format import course_file, layout
from ngshare_fs.store.migrations import dates, table, upgrade
from ngshare_fs.store.migrations.migration import InTheWay, Migration
from ngshare_fs.store.migrations.workplace import Workplace

OLD_ASSIGNMENT, NEW_ASSIGNMENT = "courses/math/assignments/ps1", "courses/math/assignments/problem set 1"


def check(root: str) -> None:
    for file in _course_files(root):
        if "term:" in file.read_text() and "term: spring" not in file.read_text():
            raise InTheWay(f"{file} has a term already: take that out")


def apply(place: Workplace) -> None:
    for file in _course_files(place.root):
        roster = yaml_text.parse(file.read_bytes(), str(file), course_file.understand)
        if "term" not in roster.more:
            changed = course_file.Roster(
                roster.course, roster.instructors, roster.students, {**roster.more, "term": "spring"}
            )
            place.write(os.path.relpath(file, place.root), changed.to_yaml())
    if os.path.exists(place.path(OLD_ASSIGNMENT)):
        place.move(OLD_ASSIGNMENT, NEW_ASSIGNMENT)


def _course_files(root: str) -> list[Path]:
    return sorted(Path(root).glob("courses/*/course.yaml"))


TO = 3
MIGRATION = Migration(TO, "terms", "each course.yaml gets the key `term`", check, apply)


def prepare(patch: pytest.MonkeyPatch | None = None) -> None:
    """Know layout 3.

    Args:
        patch: takes it back at the end of a test.
    """
    patch = patch or pytest.MonkeyPatch()
    patch.setattr(layout, "LAYOUT", TO)
    patch.setattr(table, "MIGRATIONS", (dates.MIGRATION, MIGRATION))
    patch.setattr(upgrade, "SETTLE_SECONDS", 0.0)


if __name__ == "__main__":
    prepare()
    sys.exit(main())
