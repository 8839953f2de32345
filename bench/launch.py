"""Starts programs that say where they serve: the hub, and servers that are its services."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.cgroup import Cgroup
from tests.others.ngshare_reference import LAUNCHER, LISTENING, python
from tests.servers import Server, url_said_by

ROOT = Path(__file__).parents[1]
# What the hub knows of its service. It stands here: each generator of load imports this module, and none needs aiohttp.
SERVICE = "ngshare"
SERVICE_TOKEN = "token-of-the-service"
PREFIX = f"/services/{SERVICE}/"
START_SECONDS = 60


@contextmanager
def started(
    command: Sequence[str],
    log: Path,
    said: str = LISTENING,
    environment: Mapping[str, str] | None = None,
    inside: Cgroup | None = None,
) -> Iterator[Server]:
    """Run a program until the end of the block.

    Args:
        log: what it prints goes there.
        said: matches where it says its URL.
        environment: beside the search path.
        inside: where it is to be from its first moment on.

    Raises:
        AssertionError: it ended or said nothing in time; the message carries its log.
    """
    if inside is not None:
        command = [*inside.entrance, *command]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=ROOT,
            env={"PATH": os.environ.get("PATH", os.defpath), **(environment or {})},
        )
    server = Server("", process, log)
    try:
        server.url = url_said_by(server, said, START_SECONDS)
        yield server
    finally:
        server.stop()


@contextmanager
def hub(folder: Path) -> Iterator[str]:
    """Run the fake hub; gives the URL of its API."""
    with started([sys.executable, "-m", "bench.fake_hub"], folder / "hub.log") as server:
        yield server.url + "/hub/api"


@contextmanager
def our_service(
    folder: Path, hub_url: str, workers: int, options: Sequence[str], inside: Cgroup | None = None
) -> Iterator[Server]:
    """Run ngshare-fs as a hub's service."""
    command = [sys.executable, "-m", "ngshare_fs", "serve", "--data", str(folder / "data"), "--port", "0"]
    command += ["--admins", "root", "--workers", str(workers), *options]
    with started(command, folder / "log", r"serves (http://\S+)", _environment(hub_url), inside) as server:
        yield server


@contextmanager
def ngshare_service(folder: Path, hub_url: str, inside: Cgroup | None = None) -> Iterator[Server]:
    """Run ngshare 0.6.0 as a hub's service.

    Raises:
        NotInstallable: see there.
    """
    command = [str(python()), str(LAUNCHER), "--admins", "root"]
    command += ["--database", f"sqlite:///{folder}/ngshare.db", "--storage", str(folder / "files")]
    environment = {**_environment(hub_url), "TMPDIR": str(folder)}
    with started(command, folder / "log", environment=environment, inside=inside) as server:
        server.url += PREFIX
        yield server


def _environment(hub_url: str) -> dict[str, str]:
    """What a hub tells its services."""
    return {
        "JUPYTERHUB_API_URL": hub_url,
        "JUPYTERHUB_API_TOKEN": SERVICE_TOKEN,
        "JUPYTERHUB_CLIENT_ID": f"service-{SERVICE}",
        "JUPYTERHUB_SERVICE_NAME": SERVICE,
        "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
        "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:1",
        "JUPYTERHUB_BASE_URL": "/",
    }
