"""The virtual environment of nbgrader and the old client."""

from pathlib import Path

from examples.environments import made
from examples.whole_cycle.environments import BESIDE_NBGRADER, NBGRADER

CLIENT = "0.5.3"


def programs() -> Path:
    """Return the folder of the programs of nbgrader and ngshare_exchange."""
    # The client pins jupyter-core to a version older than nbgrader wants, and pip finds no solution: so it is installed
    # without its dependencies, and those it needs beside nbgrader's are named here.
    installs = (
        [f"nbgrader=={NBGRADER}", "rapidfuzz", "requests", *BESIDE_NBGRADER],
        ["--no-deps", f"ngshare_exchange=={CLIENT}"],
    )
    return made(f"nbgrader-{NBGRADER}", installs)
