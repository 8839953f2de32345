"""Each command of `docs/operators.md` on archives and names is run as it stands there, and tar reads what it says."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.operators.archives import RIGHT, members, tar, write
from tests.operators.running import Command, run
from tests.volumes import INSTRUCTOR, SUBMITTED, write_course, write_release, write_submission, write_volume

__all__ = ["run"]

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "operators.md").read_text(encoding="utf-8")
SECTIONS = ("archive", "restore", "course rename", "user rename", "user forget")


@pytest.mark.parametrize("section", SECTIONS)
def test_the_commands_of_a_section_do_what_they_are_there_for(section: str, run: Command, tmp_path: Path) -> None:
    write_volume(run.data)
    course = write_course(run.data, "NBG 101", [INSTRUCTOR], ["lawrence"])
    write_release(course, ("NBG 101", "ps1"), INSTRUCTOR, SUBMITTED, {"p.ipynb": b"{}"})
    write_submission(course, ("NBG 101", "ps1"), "lawrence", SUBMITTED, {"p.ipynb": b"{}"})
    (tmp_path / "backup").mkdir()
    if section == "restore":
        run.done("archive", "NBG 101", tmp_path / "backup/NBG101.tar.zst", "--remove", "--yes")
    text = PAGE[PAGE.index(f"### ngshare-fs {section}\n") + 3 :]
    commands = re.findall(r"^    (ngshare-fs .*)$", re.split(r"\n##", text)[0], re.MULTILINE)
    assert commands
    for command in commands:
        places = {"/srv/exchange": str(run.data), "/backup": f"{tmp_path}/backup", "/root": str(tmp_path)}
        for place, real in places.items():
            command = command.replace(place, real)
        run.done(*shlex.split(command)[1:])


def test_what_the_page_on_the_format_says_of_archives_is_true(tmp_path: Path) -> None:
    page = (DOCS / "volume-format.md").read_text(encoding="utf-8")
    line = re.search(r"^    (tar --zstd -xf .*)$", page, re.MULTILINE)
    assert line
    write(tmp_path / "NBG101.tar.zst", tar(members(RIGHT)))
    done = subprocess.run(["sh", "-c", line[1]], cwd=tmp_path, capture_output=True, check=True, text=True)
    assert done.stdout.count(": OK\n") == 3
