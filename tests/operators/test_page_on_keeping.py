"""Each command of `docs/operators.md` on what is on a volume, in its trash and too old is run as it stands there."""

import re
import shlex
from pathlib import Path

import pytest

from ngshare_fs.command.main import main
from tests.volumes import (
    INSTRUCTOR,
    SUBMITTED,
    write_course,
    write_deletion,
    write_release,
    write_submission,
    write_volume,
)

PAGE = (Path(__file__).parents[2] / "docs/operators.md").read_text(encoding="utf-8")
SECTIONS = ("inspect", "trash", "prune")
COURSE, NAME, STUDENT = "NBG 101", "ps1", "lawrence"
DELETED = "2026-11-30 07:34:32.734075 UTC"  # as in the page's examples


def commands() -> list[str]:
    found = []
    for section in SECTIONS:
        text = PAGE[PAGE.index(f"### ngshare-fs {section}\n") :]
        text = re.split(r"\n##", text[3:])[0]
        found += re.findall(r"^    (ngshare-fs .*)$", text, re.MULTILINE)
    return found


def test_there_are_some_of_each() -> None:
    assert {command.split()[1] for command in commands()} == set(SECTIONS)


@pytest.mark.parametrize("command", commands())
def test_a_command_does_what_it_is_there_for(command: str, tmp_path: Path) -> None:
    root = write_volume(tmp_path / "data")
    course = write_course(root, COURSE, [INSTRUCTOR], [STUDENT])
    file = course / "course.yaml"
    file.write_text(file.read_text() + "retention:\n  submissions: 5\n")
    for name in (NAME, "exam"):
        write_release(course, (COURSE, name), INSTRUCTOR, SUBMITTED, {"p.ipynb": b"{}"})
    for day in range(1, 9):
        write_submission(course, (COURSE, NAME), STUDENT, f"2020-02-0{day} 00:00:00.000000 UTC", {"p.ipynb": b"{}"})
    said = {"kind": "assignment", "course": COURSE, "assignment": "exam", "by": INSTRUCTOR, "timestamp": DELETED}
    (course / "assignments/exam").rename(write_deletion(root, said) / "exam")
    words = shlex.split(command.replace("/srv/exchange", str(root)), comments=True)
    assert main(words[1:]) == 0
