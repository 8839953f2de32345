"""People who use nbgrader with the plug-ins, each with a home of their own."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from examples.whole_cycle.people import RunProgram
from ngshare_fs.exchange import PLUG_INS
from tests.fork_server import ForkedProcess, ForkServer, fork_server

COMMAND_SECONDS = 120
# What the commands import.
OF_NBGRADER = (
    "nbgrader.apps.nbgraderapp", "nbgrader.apps.api", "nbgrader.server_extensions.assignment_list.handlers",
    "sqlalchemy.dialects.sqlite", "sqlite3",
)  # fmt: skip
OF_OURS = ("ngshare_fs.command.main", "ngshare_fs.management.actions", "ngshare_fs.management.gradebook")
MODULES = (*OF_NBGRADER, *OF_OURS, *sorted({plug_in.rpartition(".")[0] for plug_in in PLUG_INS.values()}))
# The course that `nbgrader quickstart` copies, below its environment.
EXAMPLE = "lib/python*/site-packages/nbgrader/docs/source/user_guide/source"
CONFIGURATION = """\
from ngshare_fs.exchange import configure_exchange

c = get_config()
configure_exchange(c)
"""


def forking(server: ForkServer) -> RunProgram:
    """Gives what runs the programs of the people of `examples/whole_cycle`, forked from this server."""

    def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
        program, *words = command
        if words[:1] == ["quickstart"]:
            return quick_start(Path(program).parent, folder / words[1])
        done = server.run(command, folder, environment, COMMAND_SECONDS)
        return done.returncode, done.stdout

    return run


def quick_start(programs: Path, course: Path) -> tuple[int, str]:
    """Make what `nbgrader quickstart` makes, without its five processes that start from nothing."""
    (example,) = programs.parent.glob(EXAMPLE)
    shutil.copytree(example, course / "source", ignore=shutil.ignore_patterns("*.html", "*autotest*"))
    settings = f"course_id = {course.name!r}\nc.IncludeHeaderFooter.header = 'source/header.ipynb'"
    (course / "nbgrader_config.py").write_text(f"c = get_config()\nc.CourseDirectory.{settings}\n")
    return 0, ""


class Person:
    """Somebody who runs nbgrader at home.

    Args:
        name: the user name.
        home: a folder, made here.
        programs: where nbgrader is.
        url: of the server.
    """

    def __init__(self, name: str, home: Path, programs: Path, url: str) -> None:
        self.name = name
        self.home = home
        self.programs = programs
        self.environment = {
            "NGSHARE_URL": url,
            "JUPYTERHUB_USER": name,
            "HOME": str(home),
            "PATH": os.pathsep.join([str(programs), os.defpath]),
            "JUPYTER_CONFIG_DIR": str(home / ".jupyter"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "IPYTHONDIR": str(home / ".ipython"),
            "LC_ALL": "C.UTF-8",
            "NO_PROXY": "*",
        }
        # What begins their commands, to run them as another user of the system.
        self.prefix: tuple[str, ...] = ()
        (home / ".jupyter").mkdir(parents=True)
        (home / ".jupyter" / "nbgrader_config.py").write_text(CONFIGURATION)

    @property
    def _fork_server(self) -> ForkServer:
        return fork_server(self.programs / "python", *MODULES, prefix=self.prefix)

    @property
    def cache(self) -> Path:
        """Where copies of submissions are."""
        return self.home / "data" / "nbgrader_cache"

    def run(self, *command: str, fails: bool = False) -> str:
        """Run `nbgrader` at home, and give what it printed; check that it fails or does not."""
        return self._run("nbgrader", *command, fails=fails)

    def start(self, *command: str) -> ForkedProcess:
        """Start `nbgrader` at home; the caller ends it."""
        with open(os.devnull, "wb") as nothing:
            words = [str(self.programs / "nbgrader"), *command]
            return self._fork_server.start(words, self.home, self.environment, nothing.fileno(), nothing.fileno())

    def manage(self, *command: str, fails: bool = False) -> str:
        """The same for `ngshare-fs course`."""
        return self._run("ngshare-fs", "course", *command, fails=fails)

    def python(self, program: str) -> str:
        """Run a program of Python at home, in a process of its own that has nbgrader at hand: what it printed."""
        return self._started([str(self.programs / "python"), "-c", program], fails=False)

    def _run(self, program: str, *words: str, fails: bool) -> str:
        command = [str(self.programs / program), *words]
        done = self.forked(command)
        return self._checked(done.returncode, done.stdout, fails)

    def forked(self, command: Sequence[str], apart: bool = False) -> "subprocess.CompletedProcess[str]":
        """Run a Python program at home to its end, forked from a process that has nbgrader; see `ForkServer.run`."""
        return self._fork_server.run(command, self.home, self.environment, COMMAND_SECONDS, apart)

    def _started(self, command: Sequence[str], fails: bool) -> str:
        done = subprocess.run(
            [*self.prefix, *command],
            cwd=self.home, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding="utf-8", timeout=COMMAND_SECONDS, check=False,
        )  # fmt: skip
        return self._checked(done.returncode, done.stdout, fails)

    @staticmethod
    def _checked(exit_code: int, printed: str, fails: bool) -> str:
        assert exit_code == (1 if fails else 0), printed
        assert "Traceback" not in printed, printed
        return printed

    def listed(self, *options: str) -> list[str]:
        """What `nbgrader list` lists."""
        printed = self.run("list", *options)
        lines = [line.partition("] ")[2] for line in printed.splitlines() if line.startswith("[ListApp")]
        return [line for line in lines if not re.fullmatch(r"\w+ (submitted )?assignments:", line, re.IGNORECASE)]
