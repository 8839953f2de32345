"""`ngshare-fs course show` tells those who teach a course which line of its file is broken."""

import json
from pathlib import Path

import pytest

from tests import servers
from tests.course_command import COURSE, CourseCommand


def test_a_broken_file_is_shown_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with servers.running(tmp_path / "volume", "--debug") as server:
        course = CourseCommand(server, home, monkeypatch, capsys)
        course("teacher", "add-student", COURSE, "max", "--first-name", "Max")
        assert "Cannot be read" not in course("teacher", "show", COURSE)
        assert json.loads(course("teacher", "show", COURSE, "--json"))["problem"] is None

        file = tmp_path / "volume" / "courses" / COURSE / "course.yaml"
        lines = file.read_text().splitlines()
        lines.append("  eve: [")
        file.write_text("\n".join(lines))
        said = course("teacher", "show", COURSE)
        assert f"Cannot be read: courses/{COURSE}/course.yaml, line " in said
        assert "  max  Max\n" in said
        assert (
            "course.yaml, line "
            in json.loads(course("teacher", "show", COURSE, "--json").partition("\n")[0])["problem"]
        )
