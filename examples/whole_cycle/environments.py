"""The virtual environment: nbgrader with this repository's plug-ins, and the server."""

import sys
from collections.abc import Callable
from pathlib import Path

from examples.environments import REPOSITORY, made

# Newer ones need Python 3.11.
NBGRADER = "0.9.6" if sys.version_info >= (3, 11) else "0.9.5"
# Autograding needs the kernel `python3`, which ipykernel brings. From 4.25 on jsonschema brings rfc3987-syntax, which
# compiles a grammar on import: 1.6 s more for each of some 40 commands.
BESIDE_NBGRADER = ("ipykernel", "jsonschema<4.25")


def for_plug_ins(say: Callable[[str], None] = print) -> Path:
    """Return the folder of the programs: nbgrader, `ngshare-fs`, and pytest for the tests that nbgrader brings."""
    installs = (
        [f"nbgrader=={NBGRADER}", *BESIDE_NBGRADER, "pytest"],
        ["--editable", f"{REPOSITORY}[nbgrader]"],
    )
    return made(f"plug-ins-{NBGRADER}", installs, say)
