"""`ngshare-fs import nbgrader` as the tests run it: what it reports as JSON, and what is on the volume afterwards."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ngshare_fs.command.main import main
from tests.operators.nbgrader_folder import COURSE, ExchangeFolder
from tests.verifying import codes

Import = Callable[..., dict[str, Any]]


@pytest.fixture
def folder(tmp_path: Path) -> ExchangeFolder:
    (tmp_path / "exchange").mkdir()
    return ExchangeFolder(tmp_path / "exchange")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def take_over(folder: ExchangeFolder, data: Path, capsys: pytest.CaptureFixture[str]) -> Import:
    """Runs the command, and gives its JSON; the exit code follows from the problems in it."""

    def run(*words: str) -> dict[str, Any]:
        code = main(["import", "nbgrader", "--exchange", str(folder.root), "--data", str(data), "--json", *words])
        said = capsys.readouterr()
        assert said.out, said.err
        document: dict[str, Any] = json.loads(said.out)
        assert code == int(any(not problem["is_note"] for problem in document["problems"])), document
        if "--dry-run" not in words:
            assert codes(data) == []
        return document

    return run


def found(document: dict[str, Any], *, notes: bool = False) -> list[str]:
    """The codes of what was reported."""
    return sorted(problem["code"] for problem in document["problems"] if problem["is_note"] is notes)


def assignment(data: Path, name: str = "ps1") -> Path:
    return data / "courses" / COURSE / "assignments" / name


def roster(data: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((data / "courses" / COURSE / "course.yaml").read_bytes())
    assert document.pop("course") == COURSE
    return document
