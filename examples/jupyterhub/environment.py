"""What the hub and its users' servers run on: one virtual environment, and the hub's proxy."""

from collections.abc import Callable
from pathlib import Path

from examples.environments import REPOSITORY, made, proxy


def installed(say: Callable[[str], None] = print) -> tuple[Path, Path]:
    """Install what is missing, and return the folder of the programs, and the proxy.

    Raises:
        NotInstallable: there is no Node.js.
        RuntimeError: an installation failed.
    """
    of_proxy = proxy(say)
    # The old client pins jupyter-core to a version older than nbgrader wants, and pip finds no solution: so it is
    # installed without its dependencies, and those it needs beside nbgrader's are named here.
    installs = (
        ["jupyterhub==6.*", "jupyterlab==4.*", "notebook==7.*", "nbgrader==0.9.*", "rapidfuzz", "requests"],
        ["--no-deps", "ngshare_exchange==0.5.3"],
        ["--editable", str(REPOSITORY)],
    )
    return made("jupyterhub-example", installs, say), of_proxy
