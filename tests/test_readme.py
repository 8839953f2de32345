"""The commands of the README do what it says."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers import running

ROOT = Path(__file__).parent.parent


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_first_use(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8").replace("\\\n", "")
    commands = [line.strip() for line in readme.splitlines() if line.startswith("    curl ")]
    assert len(commands) == 5
    with running(tmp_path / "volume") as server:
        for command in commands:
            here = command.replace("http://127.0.0.1:12121/api/", server.url)
            assert here != command
            result = subprocess.run(["sh", "-c", f"exec {here} -sS"], capture_output=True, text=True, check=True)
            assert '"success": true' in result.stdout, (command, result)
    assert '"student_id": "ada"' in result.stdout


def test_the_two_commands_are_there() -> None:
    for name in ("serve", "check"):
        assert (ROOT / name).stat().st_mode & 0o111
        subprocess.run(["sh", "-n", ROOT / name], check=True)
