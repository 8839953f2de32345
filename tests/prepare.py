"""What tests wait for the first time they run, made beforehand: `python -m tests.prepare`, with their options.

`check` does it on the processor that is free while another one looks at the types: the tests are compiled once, and not
in each process that runs some of them, and other people's software is installed. What fails here is said by the tests.
"""

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest

from examples.environments import NotInstallable, proxy
from examples.jupyterhub.environment import installed
from examples.whole_cycle import environments
from tests.hubs.environments import NEWEST, VERSIONS, hub_programs
from tests.nbgrader.people import MODULES
from tests.others import ngshare_reference
from tests.others.ngshare_reference import NotInstallable as NotInstallableHere
from tests.others.old_client import environment


def nbgrader() -> None:
    """With the plug-ins; all that many tests import of it is compiled."""
    program = f"import {', '.join(MODULES)}"
    subprocess.run([environments.for_plug_ins() / "python", "-c", program], check=True)


def hub(version: str) -> None:
    """The same for a JupyterHub."""
    subprocess.run([hub_programs(version) / "python", "-c", "import jupyterhub.app"], check=True)


def main(options: list[str]) -> None:
    pytest.main(["--collect-only", "-qq", *options])
    makes: list[Callable[[], object]] = []
    if set(options) <= {"--long"}:  # otherwise some tests are asked for, and perhaps none of these
        makes += [proxy, lambda: hub(NEWEST), nbgrader, ngshare_reference.python, environment.programs]
    if options == ["--long"]:
        makes += [installed, *(partial(hub, version) for version in VERSIONS[:-1])]
    for make in makes:
        with suppress(RuntimeError, OSError, subprocess.SubprocessError, NotInstallable, NotInstallableHere):
            make()


if __name__ == "__main__":
    main(sys.argv[1:])
