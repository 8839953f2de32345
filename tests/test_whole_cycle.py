"""The example of a whole cycle goes as its page says."""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from examples.whole_cycle import environments
from examples.whole_cycle.__main__ import main
from examples.whole_cycle.cycle import STEPS
from examples.whole_cycle.people import in_own_process
from tests.fork_server import fork_server
from tests.nbgrader.people import MODULES, forking

pytestmark = pytest.mark.others

ROOT = Path(__file__).parent.parent


def test_every_step_does_its_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command is forked from a process that has imported nbgrader."""
    run = forking(fork_server(environments.for_plug_ins() / "python", *MODULES))
    exit_code = main(["--folder", str(tmp_path / "cycle")], run)
    check(exit_code, capsys.readouterr().out, tmp_path / "cycle")


@pytest.mark.long
def test_every_kind_of_command_begins_with_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a newcomer has it, `nbgrader quickstart` too; the same command once more shows nothing more by it."""
    fork = forking(fork_server(environments.for_plug_ins() / "python", *MODULES))
    begun: set[tuple[str, ...]] = set()

    def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
        program, *words = command
        kind = (Path(program).name, *(words[:2] if words[0] == "course" else words[:1]))
        if kind in begun:
            return fork(command, folder, environment)
        begun.add(kind)
        return in_own_process(command, folder, environment)

    exit_code = main(["--folder", str(tmp_path / "cycle")], run)
    check(exit_code, capsys.readouterr().out, tmp_path / "cycle")
    assert {("nbgrader", "quickstart"), ("nbgrader", "autograde"), ("ngshare-fs", "course", "create")} < begun
    command = [sys.executable, "-m", "examples.whole_cycle", "--help"]
    assert "--folder" in subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def check(exit_code: int, output: str, folder: Path) -> None:
    """That all went well, and that the page shows what is printed, but for the width of a page."""
    assert exit_code == 0, output
    assert re.findall(r"^(\d+)\. ", output, re.MULTILINE) == [str(number + 1) for number in range(len(STEPS))]
    said = ("$ ngshare-fs course create", "$ nbgrader submit", "The server has stored 5 files", "Receipt: ")
    for words in (*said, "manifest.yaml", "Every step did its work."):
        assert words in output
    assert "Traceback" not in output + (folder / "volume.log").read_text()
    page = (ROOT / "examples/whole_cycle/README.md").read_text(encoding="utf-8")
    shown = [line.removeprefix("    ").strip() for line in page.splitlines() if line.startswith("        ")]
    printed = {line.strip() for line in output.splitlines()}
    assert shown
    assert [line for line in shown if line not in printed and "…" not in line] == []
