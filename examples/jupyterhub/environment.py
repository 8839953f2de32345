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
    installs = (["jupyterhub==6.*", "jupyterlab==4.*", "notebook==7.*", "--editable", f"{REPOSITORY}[nbgrader]"],)
    return made("jupyterhub-example", installs, say), of_proxy
