"""A small volume of which something is deleted, as servers do it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.store import Volume, assignment, course, submission
from ngshare_fs.store.format import timestamp
from tests.operators.running import Command
from tests.volumes import (
    ASSIGNMENT,
    COURSE,
    STUDENT,
    SUBMITTED,
    Plain,
)

OF_OLD = "20200301T080000.000000Z-0123abcd"


@pytest.fixture
def plain(tmp_path: Path) -> Plain:
    return Plain(tmp_path / "volume")


@pytest.fixture
def command(plain: Plain, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(plain.root, capsys)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def delete(root: Path, what: str, name: str = ASSIGNMENT) -> str:
    """Delete something as servers do; gives the entry's name."""
    volume = Volume.open(root)
    before = set(os.listdir(root / "trash"))
    if what == "course":
        course.delete(volume, COURSE, "root")
    elif what == "assignment":
        assignment.delete(volume, COURSE, name, "kevin")
    else:
        submission.delete(volume, COURSE, name, STUDENT, timestamp.Timestamp(SUBMITTED), "kevin")
    volume.close()
    (entry,) = set(os.listdir(root / "trash")) - before
    return entry


def journal(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in sorted(root.rglob("*.jsonl")) for line in file.read_text().splitlines()]
