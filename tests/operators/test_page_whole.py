"""Every command of `docs/operators.md` is run as it stands there; here those that have no test of their own."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.operators import test_page_on_keeping, test_page_on_moving
from tests.operators.nbgrader_folder import ExchangeFolder
from tests.operators.old_ngshare import OldNgshare
from tests.servers import running
from tests.volumes import INSTRUCTOR, SUBMITTED, write_course, write_release, write_submission, write_volume
from tests.waiting import until

PAGE = (Path(__file__).parents[2] / "docs/operators.md").read_text(encoding="utf-8")
PROGRAMS = ("ngshare-fs", "rsync", "restic", "mkdir", "mv", "rmdir", "touch", "curl")
PATIENCE = 60
# Others run these, on volumes that suit them.
ELSEWHERE = {f"ngshare-fs {name}" for name in (*test_page_on_keeping.SECTIONS, *test_page_on_moving.SECTIONS)}
# The one where ngshare's folder has something odd, as the one of the tests has; the other where no server runs.
MAY_END_WITH_1 = ("ngshare-fs import ngshare", "ngshare-fs doctor")


def sections() -> dict[str, list[str]]:
    """The commands, by the heading above them. `test_repair.py` has those behind `$ `, with what they print."""
    found: dict[str, list[str]] = {}
    title = "the beginning"
    for line in PAGE.splitlines():
        if line.startswith("##"):
            title = line.lstrip("# ")
        elif line.startswith("    ") and line.split()[0] in PROGRAMS:
            found.setdefault(title, []).append(line.strip())
    return {title: commands for title, commands in found.items() if title not in ELSEWHERE}


class Sandbox:
    """A machine's folders as the page has them, below one of a test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        data = folder / "srv/exchange"
        data.parent.mkdir()
        (folder / "backup").mkdir()
        write_volume(data)
        course = write_course(data, "NBG 101", [INSTRUCTOR], ["lawrence"])
        write_release(course, ("NBG 101", "ps1"), INSTRUCTOR, SUBMITTED, {"p.ipynb": b"{}"})
        write_submission(course, ("NBG 101", "ps1"), "lawrence", SUBMITTED, {"p.ipynb": b"{}"})
        self.data = data
        OldNgshare(folder)
        (folder / "old").rename(folder / "srv/ngshare")
        exchange = ExchangeFolder(folder / "srv/nbgrader/exchange")
        exchange.root.mkdir(parents=True)
        exchange.release(course="physics")
        exchange.submission("ada", course="physics")
        # A server has been here, so there is a journal.
        with running(data):
            pass

    def words(self, command: str) -> list[str]:
        command = command.replace("/srv/", f"{self.folder}/srv/").replace("/backup/", f"{self.folder}/backup/")
        # Not everybody has this user, and only root may give files to somebody else.
        return shlex.split(command.replace(" --owner kevin", ""), comments=True)

    def run(self, command: str) -> None:
        """Run a command to its end; it is expected to succeed."""
        done = subprocess.run(
            self.words(command), cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0 or (done.returncode == 1 and command.startswith(MAY_END_WITH_1)), done

    def follow(self, command: str) -> None:
        """Run a command that goes on for ever, until it has said something."""
        said = self.folder / "said"
        with said.open("wb") as output:
            process = subprocess.Popen(self.words(command), env=self.environment, stdout=output, stderr=output)
            try:
                until(lambda: process.poll() is not None or said.stat().st_size or is_waiting(process.pid), command)
                assert process.poll() is None, said.read_text()
            finally:
                process.terminate()
                process.wait(PATIENCE)

    @property
    def environment(self) -> dict[str, str]:
        programs = os.path.dirname(sys.executable)
        return {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "RESTIC_PASSWORD": "for the test"}


def is_waiting(pid: int) -> bool:
    """Whether a process sleeps for a while, as one does that follows a file."""
    return "nanosleep" in Path(f"/proc/{pid}/wchan").read_text() or "hrtimer" in Path(f"/proc/{pid}/wchan").read_text()


@pytest.mark.parametrize("title", sections())
def test_the_commands_of_a_section_are_run_as_they_stand(title: str, tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    for command in sections()[title]:
        program = command.split()[0]
        if not shutil.which(program, path=sandbox.environment["PATH"]):
            pytest.skip(f"{program} is missing: apt-get install {program}")
        if command.startswith("ngshare-fs serve"):
            options = [word for word in sandbox.words(command)[2:] if word not in ("--data", str(sandbox.data))]
            with running(sandbox.data, *options) as server:
                # What is asked of a server stands right behind its command.
                for asked in [each for each in sections()[title] if each.startswith("curl ")]:
                    port = server.url.split(":")[2].split("/")[0]
                    sandbox.run(asked.replace("-s", "-sf").replace("12121", port))
        elif command.startswith("mv "):
            shutil.move(sandbox.data / "courses/NBG 101", tmp_path / "lost")
            sandbox.run(command)
        elif command.endswith("--follow"):
            sandbox.follow(command)
        elif program != "curl":
            sandbox.run(command)


def test_the_page_has_them() -> None:
    assert {"the beginning", "Monitoring", "Backup and restore", "ngshare-fs log"} <= sections().keys()
