"""Runs an operator's command in this process, on one volume."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.command.main import main


@dataclass
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON on its standard output."""
        return json.loads(self.out)


class Command:
    """Runs commands on the volume `root`."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capsys = capsys

    def __call__(self, *words: str) -> Said:
        self._capsys.readouterr()
        code = main([*words, "--data", str(self.root)])
        printed = self._capsys.readouterr()
        return Said(code, printed.out, printed.err)
