"""Runs `ngshare-fs course` in this process, as a user of a real stand-alone server."""

import json
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ngshare_fs.command.main import main
from ngshare_fs.command.old_course_management import main as old_main
from tests import servers

COURSE = "NBG 101+ü"


class CourseCommand:
    """The command, for anybody.

    Args:
        server: in debug mode; it is emptied first, and has one course with one instructor, `teacher`.
        home: the working folder.
        monkeypatch: sets the environment.
        capsys: has what was printed.
    """

    def __init__(
        self,
        server: servers.Server,
        home: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.server = server
        self.home = home
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        urllib.request.urlopen(server.url + "initialize-Data6ase?action=clear&user=root").close()
        monkeypatch.chdir(home)
        for name, value in (("NGSHARE_URL", server.url), ("HOME", str(home)), ("JUPYTER_CONFIG_DIR", str(home))):
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("JUPYTERHUB_API_TOKEN", raising=False)
        assert "Successfully created" in self("root", "create", COURSE, "teacher")

    def __call__(self, user: str, *words: str, code: int = 0, old: bool = False) -> str:
        """Run it as a user, check its exit code, and give what it printed on both streams.

        Args:
            old: as `ngshare-course-management`.
        """
        self._monkeypatch.setenv("NGSHARE_USER", user)
        self._capsys.readouterr()
        exit_code = old_main(words) if old else main(["course", *words])
        printed = self._capsys.readouterr()
        assert exit_code == code, printed
        return printed.out + printed.err

    def file(self, text: str, encoding: str = "utf-8") -> str:
        """Write a CSV file, and give its path."""
        path = self.home / "roster.csv"
        path.write_bytes(text.encode(encoding))
        return str(path)

    def students(self) -> dict[str, Any]:
        """The students on the server, by user name."""
        with urllib.request.urlopen(f"{self.server.url}students/{quote(COURSE)}?user=root") as answer:
            return {each.pop("username"): each for each in json.load(answer)["students"]}
