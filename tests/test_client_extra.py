"""`ngshare-fs course` does without nbgrader: its extra brings an HTTP client, and no JupyterLab."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from examples.environments import REPOSITORY, made
from tests import servers

COURSE = "NBG 101+ü"
Run = Callable[..., str]


@pytest.fixture(scope="module")
def programs() -> Path:
    """The folder of the programs of an environment that has this extra alone."""
    return made("client", (["--editable", f"{REPOSITORY}[client]"],))


@pytest.fixture
def course(programs: Path, tmp_path: Path) -> Iterator[Run]:
    """Runs `ngshare-fs course` as somebody."""
    home = tmp_path / "home"
    home.mkdir()
    with servers.running(tmp_path / "volume") as server:

        def run(user: str, *words: str) -> str:
            environment = {
                "PATH": os.defpath, "HOME": str(home), "NGSHARE_URL": server.url, "NGSHARE_USER": user,
                "LC_ALL": "C.UTF-8", "NO_PROXY": "*",
            }  # fmt: skip
            done = subprocess.run(
                [str(programs / "ngshare-fs"), "course", *words],
                cwd=home, env=environment, capture_output=True, text=True, encoding="utf-8", check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            assert "Traceback" not in done.stderr
            return done.stdout

        yield run


def test_it_brings_no_nbgrader(programs: Path) -> None:
    program = "from importlib.metadata import distributions\nfor each in distributions(): print(each.name.lower())"
    installed = subprocess.run(
        [str(programs / "python"), "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "requests" in installed
    for part in ("nbgrader", "jupyter", "notebook", "tornado"):
        assert not [name for name in installed if part in name]


def test_a_course_and_its_roster(course: Run, tmp_path: Path) -> None:
    course("root", "create", COURSE, "teacher")
    assert course("teacher", "list") == f"{COURSE}  instructor\n"
    file = tmp_path / "students.csv"
    file.write_text("student_id,first_name\nada,Ada\nmax,Max\n", encoding="utf-8")
    course("teacher", "add-students", COURSE, str(file))
    file.write_text("student_id,first_name\nada,Ada\nzoë,Zoë\n", encoding="utf-8")
    would_be = course("teacher", "sync", COURSE, str(file), "--dry-run")
    assert "+ zoë" in would_be
    assert "- max" in would_be
    course("teacher", "sync", COURSE, str(file), "--yes")
    shown = course("teacher", "show", COURSE)
    assert "  ada  Ada" in shown
    assert "  zoë  Zoë" in shown
    assert "max" not in shown
