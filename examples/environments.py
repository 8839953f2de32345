"""Software of others, installed once and kept below `.cache`: virtual environments, and the hub's proxy.

Only the standard library is used here: the examples start with whatever Python there is.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
# The versions of what is installed beside what is asked for.
CONSTRAINTS = REPOSITORY / "tools" / "constraints.txt"
PROXY = "5.3.0"

Say = Callable[[str], None]


class NotInstallable(Exception):
    """A program that is needed to install is missing; the message names it, and how to get it."""


def made(name: str, installs: Sequence[Sequence[str]], say: Say = print) -> Path:
    """Make a virtual environment, unless an earlier run has finished it with the same packages.

    Args:
        name: the folder's name in the cache.
        installs: the arguments of each `pip install`.
        say: tells what takes so long.

    Returns:
        The folder of its programs.

    Raises:
        RuntimeError: a command failed; the message has what it printed.
    """

    def make(folder: Path) -> None:
        make_environment(folder, installs)

    contents = "\n".join([sys.version, *(" ".join(packages) for packages in installs), _digest(CONSTRAINTS)])
    if "--editable" in contents:
        # This repository's code follows by itself; what it depends on does not.
        contents += _digest(REPOSITORY / "pyproject.toml")
    return _made_once(name, contents, make, say) / "bin"


def make_environment(
    folder: Path,
    installs: Sequence[Sequence[str]],
    python: str = sys.executable,
    constraints: Path | None = CONSTRAINTS,
) -> None:
    """Make a virtual environment: with uv where there is one, which takes seconds, or else with pip.

    Args:
        folder: where; nothing is there yet.
        installs: the arguments of each `pip install`.
        python: whose environment it is.
        constraints: the versions of what is installed, or None.

    Raises:
        RuntimeError: a command of pip's failed; the message has what it printed.
    """
    constrained = [] if constraints is None else ["--constraint", str(constraints)]
    interpreter = str(folder / "bin" / "python")
    uv = _uv()
    if uv is not None:
        try:
            _run(uv, "venv", "--quiet", "--python", python, str(folder))
            for packages in installs:
                _run(uv, "pip", "install", "--quiet", "--python", interpreter, *constrained, *packages)
            return
        except RuntimeError:
            # uv does not read pip's settings: where packages come from a mirror, pip alone may find them.
            shutil.rmtree(folder, ignore_errors=True)
    _run(python, "-m", "venv", str(folder))
    for packages in installs:
        _run(interpreter, "-m", "pip", "install", "--quiet", *constrained, *packages)


def _uv() -> str | None:
    """The program beside the Python that runs, or on the PATH."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else shutil.which("uv")


def proxy(say: Say = print) -> Path:
    """Install configurable-http-proxy, which a hub stands behind, unless an earlier run has.

    Returns:
        The program.

    Raises:
        NotInstallable: node or npm is missing.
        RuntimeError: npm failed; the message has what it printed.
    """
    missing = [program for program in ("node", "npm") if not shutil.which(program)]
    if missing:
        raise NotInstallable(
            f"{' and '.join(missing)} not found: a hub's proxy runs on Node.js (Debian: apt-get install nodejs npm)"
        )

    def make(folder: Path) -> None:
        folder.mkdir()
        _run(
            *("npm", "install", "--prefix", str(folder), "--no-fund", "--no-audit", "--loglevel", "error"),
            f"configurable-http-proxy@{PROXY}",
        )

    folder = _made_once("proxy", PROXY, make, say)
    return folder / "node_modules" / ".bin" / "configurable-http-proxy"


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _made_once(name: str, contents: str, make: Callable[[Path], None], say: Say) -> Path:
    cache = Path(os.environ.get("NGSHARE_FS_TEST_CACHE") or REPOSITORY / ".cache" / "venvs").absolute()
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / name
    marker = folder / "complete.txt"
    with (cache / f"{name}.lock").open("w") as lock:
        # Two test processes that start at once would install into each other's half-made folder.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not marker.exists() or marker.read_text(encoding="utf-8") != contents:
            say(f"Installing into {folder} (once; a minute or two) ...")
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            marker.write_text(contents, encoding="utf-8")
    return folder


def _run(*command: str) -> None:
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}")
