"""The people of the cycle: each has a name, a home and a configuration of their own, as on a hub."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

COMMAND_SECONDS = 300
# These speak with nobody, and say much that is not about the exchange.
NOT_SHOWN = {"quickstart", "generate_assignment", "autograde", "generate_feedback"}


class DidNotWork(Exception):
    """A step that did not do what it should; the message has the last command and all it printed."""


def in_own_process(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a program, its path first, and return its exit code and what it printed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=COMMAND_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout


RunProgram = Callable[[Sequence[str], Path, Mapping[str, str]], tuple[int, str]]


class Person:
    """Somebody who runs programs at home.

    Args:
        name: the user name, as the server knows it.
        home: their folder, made here; nothing outside it is read or written.
        programs: the folder of the programs.
        url: of the server, with its prefix.
        configuration: a `nbgrader_config.py`, of which they get a copy.
        say: tells what they type, and what they are told.
        run_program: how programs are run.
    """

    def __init__(
        self,
        name: str,
        home: Path,
        programs: Path,
        url: str,
        configuration: Path,
        say: Callable[[str], None],
        run_program: RunProgram = in_own_process,
    ) -> None:
        self.name = name
        self.home = home
        self._programs = programs
        self._say = say
        self._run_program = run_program
        self._last_words = ""
        jupyter = home / ".jupyter"
        jupyter.mkdir(parents=True)
        shutil.copy(configuration, jupyter / "nbgrader_config.py")
        self._environment = {
            "NGSHARE_URL": url,
            "USER": name,
            "JUPYTERHUB_USER": name,
            "HOME": str(home),
            "PATH": os.pathsep.join([str(programs), os.defpath]),
            "JUPYTER_CONFIG_DIR": str(jupyter),
            "JUPYTER_DATA_DIR": str(home / ".local" / "share" / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(home / ".local" / "share" / "jupyter" / "runtime"),
            "IPYTHONDIR": str(home / ".ipython"),
            "LC_ALL": "C.UTF-8",
            "NO_PROXY": "*",
        }

    @property
    def cache(self) -> Path:
        """Where copies of what this person submitted are kept."""
        return self.home / ".local" / "share" / "jupyter" / "nbgrader_cache"

    def run(self, *command: str, folder: Path | None = None) -> str:
        """Run one of the programs, at home or in `folder`, and return what it printed.

        Raises:
            DidNotWork: it ended with an error.
        """
        self._say(f"    {self.name}$ {shlex.join(command)}")
        program = str(self._programs / command[0])
        exit_code, printed = self._run_program([program, *command[1:]], folder or self.home, self._environment)
        self._last_words = f"{self.name}$ {shlex.join(command)}\n{printed}"
        self.expect(exit_code == 0, f"the command ended with exit code {exit_code}")
        if NOT_SHOWN.isdisjoint(command):
            for line in printed.splitlines():
                self._say(f"        {line}")
        return printed

    def expect(self, holds: bool, otherwise: str) -> None:
        """Check the result of the last command.

        Raises:
            DidNotWork: it does not hold.
        """
        if not holds:
            raise DidNotWork(f"{otherwise}\n{self._last_words}")
