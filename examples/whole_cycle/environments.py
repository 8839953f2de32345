"""The virtual environments: one for the server, one for nbgrader and its client; they share no package."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
NBGRADER = "0.9.6"
CLIENT = "0.5.3"


def for_nbgrader(say: Callable[[str], None] = print) -> Path:
    """Return the folder of the programs of nbgrader and ngshare_exchange."""
    # The client pins jupyter-core to a version older than nbgrader wants, and pip finds no solution: so it is installed
    # without its dependencies, and those it needs beside nbgrader's are named here. ipykernel brings the kernel
    # `python3`, which autograde needs. From 4.25 on jsonschema brings rfc3987-syntax, which compiles a grammar on
    # import: 1.6 s more for each of some 40 commands.
    installs = (
        [f"nbgrader=={NBGRADER}", "rapidfuzz", "requests", "ipykernel", "jsonschema<4.25"],
        ["--no-deps", f"ngshare_exchange=={CLIENT}"],
    )
    return made(f"nbgrader-{NBGRADER}", installs, say)


def for_server(say: Callable[[str], None] = print) -> Path:
    """Return the folder of the programs of the server: this repository's, edits to it included."""
    return made("server", (["--editable", str(REPOSITORY)],), say)


def for_plug_ins(say: Callable[[str], None] = print) -> Path:
    """Return the folder of the programs of nbgrader with this repository's plug-ins, and pytest for its own tests."""
    installs = (
        [f"nbgrader=={NBGRADER}", "ipykernel", "jsonschema<4.25", "pytest"],
        ["--editable", f"{REPOSITORY}[nbgrader]"],
    )
    return made(f"plug-ins-{NBGRADER}", installs, say)


def made(name: str, installs: Sequence[Sequence[str]], say: Callable[[str], None]) -> Path:
    """Make the environment, unless an earlier run has finished it with the same packages."""
    cache = Path(os.environ.get("NGSHARE_FS_TEST_CACHE") or REPOSITORY / ".cache" / "venvs")
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / name
    marker = folder / "complete.txt"
    contents = "\n".join([sys.version, *(" ".join(packages) for packages in installs)])
    with (cache / f"{name}.lock").open("w") as lock:
        # Two test processes that start at once would install into each other's half-made folder.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not marker.exists() or marker.read_text(encoding="utf-8") != contents:
            say(f"Making the virtual environment {folder} (once; a minute or two) ...")
            shutil.rmtree(folder, ignore_errors=True)
            _run(sys.executable, "-m", "venv", str(folder))
            for packages in installs:
                _run(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *packages)
            marker.write_text(contents, encoding="utf-8")
    return folder / "bin"


def _run(*command: str) -> None:
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}")
