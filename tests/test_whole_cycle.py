"""The example of a whole cycle goes as its page says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from examples.whole_cycle.cycle import STEPS

pytestmark = pytest.mark.others  # nbgrader, in a process of its own for each command

ROOT = Path(__file__).parent.parent
LONGEST_SECONDS = 900  # the first time, it makes an environment


def test_every_step_does_its_work(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "examples.whole_cycle", "--folder", str(tmp_path / "cycle")]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=LONGEST_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.findall(r"^(\d+)\. ", done.stdout, re.MULTILINE) == [str(number + 1) for number in range(len(STEPS))]
    said = ("$ ngshare-fs course create", "$ nbgrader submit", "The server has stored 5 files", "Receipt: ")
    for words in (*said, "manifest.yaml", "Every step did its work."):
        assert words in done.stdout
    assert "Traceback" not in done.stdout + (tmp_path / "cycle/volume.log").read_text()
    # What the page shows is what is printed, but for the width of a page.
    page = (ROOT / "examples/whole_cycle/README.md").read_text(encoding="utf-8")
    shown = [line.removeprefix("    ").strip() for line in page.splitlines() if line.startswith("        ")]
    printed = {line.strip() for line in done.stdout.splitlines()}
    assert shown
    assert [line for line in shown if line not in printed and "…" not in line] == []
