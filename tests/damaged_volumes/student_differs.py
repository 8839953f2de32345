"""Somebody's submission lies in somebody else's folder."""

from pathlib import Path

from tests.volumes import ASSIGNMENT, COURSE, SUBMITTED_FILES, Plain, write_tree


def damage(plain: Plain) -> Path:
    said = {"kind": "submission", "course": COURSE, "assignment": ASSIGNMENT, "student": "ada", "by": "ada"}
    tree = write_tree(plain.submission.parent, said | {"timestamp": "2020-02-01 00:00:00.000000 UTC"}, SUBMITTED_FILES)
    return tree / "manifest.yaml"
