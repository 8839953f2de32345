"""The hubs' software: a virtual environment for each version of JupyterHub."""

from pathlib import Path

from examples.environments import made
from tests.fork_server import ForkServer, fork_server

# The newest of each, as pip finds it on the day when the environment is made.
VERSIONS = ("4", "5", "6")
NEWEST = VERSIONS[-1]
RELEASES = {"4": "4.1.*", "5": "5.*", "6": "6.*"}
# Of others, for what the documentation says of them.
AUTHENTICATORS = ("oauthenticator>=17.3", "jupyterhub-ltiauthenticator>=1.6")


def hub_programs(version: str) -> Path:
    """Return the folder of the programs of a JupyterHub of this version, made on first use."""
    return made(f"jupyterhub-{version}", ([f"jupyterhub=={RELEASES[version]}", *AUTHENTICATORS],))


def hub_server(version: str) -> ForkServer:
    """The process that hubs of this version are forked from: importing one takes as long as all else of its start."""
    return fork_server(hub_programs(version) / "python", "jupyterhub.app")
