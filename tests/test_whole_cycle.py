"""The example of a whole cycle goes as its page says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from examples.whole_cycle import environments
from examples.whole_cycle.__main__ import main
from examples.whole_cycle.cycle import STEPS
from tests.fork_server import fork_server
from tests.nbgrader.people import MODULES, forking

pytestmark = pytest.mark.others

ROOT = Path(__file__).parent.parent
LONGEST_SECONDS = 900  # the first time, it makes an environment


def test_every_step_does_its_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command is forked from a process that has imported nbgrader."""
    run = forking(fork_server(environments.for_plug_ins() / "python", *MODULES))
    exit_code = main(["--folder", str(tmp_path / "cycle")], run)
    check(exit_code, capsys.readouterr().out, tmp_path / "cycle")


@pytest.mark.long
def test_every_step_does_its_work_in_processes_of_its_own(tmp_path: Path) -> None:
    """As a newcomer has it: each command begins with nothing."""
    command = [sys.executable, "-m", "examples.whole_cycle", "--folder", str(tmp_path / "cycle")]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", timeout=LONGEST_SECONDS,
        check=False,
    )  # fmt: skip
    check(done.returncode, done.stdout, tmp_path / "cycle")


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
