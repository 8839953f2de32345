"""Where the server is, and as whom we speak to it."""

import getpass
import os
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from ngshare_fs.exchange.failures.problems import ServerProblem

SERVICE = "services/ngshare/"
# Where JupyterHub's proxy listens unless it is told otherwise.
PROXY_PORT = 8000


class Server(NamedTuple):
    """A server as a user sees it.

    Args:
        url: ends in `/`.
        token: for the header `Authorization`.
        user: who we are, as far as we know.
        standalone: the server takes our word for who we are.
        user_is_certain: it is as this user that the server knows us.
    """

    url: str
    token: str
    user: str
    standalone: bool
    user_is_certain: bool = True


def find(url: str, environment: Mapping[str, str] = os.environ) -> Server:
    """The server, and who we are.

    Args:
        url: as configured; looked for where it is empty.
        environment: of this user's server, or of a shell.

    Raises:
        ServerProblem: it cannot be found, or the URL is none.
    """
    found = url or environment.get("NGSHARE_URL") or _of_hub(environment)
    if found is None:
        raise ServerProblem(
            "It is not known where the exchange is. Set the environment variable NGSHARE_URL, or give the URL in "
            "nbgrader_config.py: configure_exchange(c, 'https://hub.example/services/ngshare/')"
        )
    if urlsplit(found).scheme not in ("http", "https") or not urlsplit(found).netloc:
        raise ServerProblem(f"{found!r} is no URL of an exchange; it looks like https://hub.example/services/ngshare/")
    found = found.rstrip("/") + "/"
    user = environment.get("NGSHARE_USER") or environment.get("JUPYTERHUB_USER") or environment.get("USER")
    user = user or getpass.getuser()
    token = environment.get("JUPYTERHUB_API_TOKEN")
    if token:
        # Only the hub knows whose its token is; `USER` may be anything in a container.
        certain = user == environment.get("JUPYTERHUB_USER")
        return Server(found, token, user, standalone=False, user_is_certain=certain)
    return Server(found, f"user:{user}", user, standalone=True)


def _of_hub(environment: Mapping[str, str]) -> str | None:
    base = environment.get("JUPYTERHUB_BASE_URL", "/")
    # On Kubernetes, every pod is told where the services of its namespace are; the hub's chart names its proxy so.
    host, port = environment.get("PROXY_PUBLIC_SERVICE_HOST"), environment.get("PROXY_PUBLIC_SERVICE_PORT", "80")
    public = environment.get("JUPYTERHUB_PUBLIC_HUB_URL")
    # No certificate names the address of a service: with https, the public name is the better one.
    if host and not (public and port == "443"):
        return f"{'https' if port == '443' else 'http'}://{_bracketed(host)}:{port}{base}{SERVICE}"
    if public:
        return public.rstrip("/").removesuffix("/hub") + "/" + SERVICE
    api = urlsplit(environment.get("JUPYTERHUB_API_URL", ""))
    if api.hostname:
        return f"{api.scheme}://{_bracketed(api.hostname)}:{PROXY_PORT}{base}{SERVICE}"
    return None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
