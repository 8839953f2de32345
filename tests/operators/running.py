"""Runs a command of the operator in this process."""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import pytest

from ngshare_fs.command.main import main


class Ended(NamedTuple):
    """How a command ended: its exit code, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What it printed as JSON."""
        return json.loads(self.out)


class Command:
    """The command `ngshare-fs` on one volume.

    Args:
        data: the folder of the volume.
        capsys: has what was printed.
    """

    def __init__(self, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.data = data
        self._capsys = capsys

    def __call__(self, *words: str | Path) -> Ended:
        """Run it to its end."""
        self._capsys.readouterr()
        with mock.patch.dict(os.environ, NGSHARE_FS_DATA=str(self.data)):
            code = main([str(word) for word in words])
        return Ended(code, *self._capsys.readouterr())

    def done(self, *words: str | Path) -> Ended:
        """Run it; it is expected to succeed."""
        ended = self(*words)
        assert ended.code == 0, ended
        return ended

    def refused(self, *words: str | Path, code: int = 1) -> str:
        """Run it; it is expected to fail in one line, which this gives."""
        ended = self(*words)
        assert (ended.code, ended.out) == (code, ""), ended
        assert ended.err.count("\n") == 1, ended.err
        return ended.err.removeprefix("ngshare-fs: ").rstrip("\n")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, on a volume that the test writes to `tmp_path / "volume"`."""
    return Command(tmp_path / "volume", capsys)
