"""As whom a command acts."""

from collections.abc import Mapping

from ngshare_fs.exchange.connection import server
from ngshare_fs.exchange.connection.server import Server
from ngshare_fs.exchange.failures.problems import ServerProblem


def find(url: str, user: str | None, environment: Mapping[str, str]) -> Server:
    """The server, and who we are to it.

    Args:
        url: as configured; looked for where it is empty.
        user: what `--user` says; only a stand-alone server takes anybody's word for that.
        environment: of this user's server, or of a shell.

    Raises:
        ServerProblem: the server cannot be found, or knows by a token that we are somebody else.
    """
    if user is None:
        return server.find(url, environment)
    if not user:
        raise ServerProblem("--user: the user name is empty")
    if environment.get("JUPYTERHUB_API_TOKEN"):
        owner = environment.get("JUPYTERHUB_USER")
        if owner != user:
            of = f"that of {owner}" if owner else "that of somebody whose name is not said here (JUPYTERHUB_USER)"
            raise ServerProblem(
                f"--user {user}: a token of the hub is in use (JUPYTERHUB_API_TOKEN), {of}, and the server goes by it. "
                "Leave out --user; for a stand-alone server, unset JUPYTERHUB_API_TOKEN."
            )
    return server.find(url, {**environment, "NGSHARE_USER": user})
