"""The virtual environments: one for the server, one for nbgrader and its client; they share no package."""

import sys
from collections.abc import Callable
from pathlib import Path

from examples.environments import REPOSITORY, made

# Newer ones need Python 3.11.
NBGRADER = "0.9.6" if sys.version_info >= (3, 11) else "0.9.5"
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
