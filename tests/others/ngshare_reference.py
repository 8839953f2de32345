"""Installs the released ngshare in a virtual environment of its own, and starts it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from examples.environments import make_environment
from tests.servers import Server, url_said_by

# ngshare 0.6.0 names no upper bounds; these are the last releases it works with.
NEWEST = "0.6.0"
BESIDE_IT = ("sqlalchemy<2", "alembic<1.14", "jupyterhub<5")
IMPORT_SECONDS = 600  # uv leaves it to the first import to compile everything; on a busy machine that takes a minute
START_SECONDS = 60
# What Tornado programs and the floors of the bench say.
LISTENING = r"^listening on (http://\S+)$"
LAUNCHER = Path(__file__).with_name("run_ngshare.py")


class NotInstallable(Exception):
    """No Python of this machine takes this ngshare; the message says what pip said."""


def cache() -> Path:
    """Where environments are kept from one run of the tests to the next."""
    chosen = os.environ.get("NGSHARE_FS_TEST_CACHE")
    return Path(chosen) if chosen else Path(__file__).parents[2] / ".cache"


def python(version: str = NEWEST) -> Path:
    """Return the interpreter of an environment that holds a release of ngshare, made on first use.

    Raises:
        NotInstallable: see there.
    """
    folder = cache().absolute() / "venvs" / f"ngshare-{version}"
    requirements = (f"ngshare=={version}", *BESIDE_IT)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Workers of pytest-xdist come here at the same time.
    with FileLock(folder.with_name(folder.name + ".lock")):
        interpreter, marker = folder / "bin" / "python", folder / "complete.json"
        # Written last: an environment without it was cut off while it was made, one with another was made of
        # other requirements.
        wanted = json.dumps(requirements)
        # An interpreter is a link; it dangles once the Python it was made of has gone.
        if not (interpreter.exists() and marker.exists() and marker.read_text() == wanted):
            _make(folder, requirements)
            marker.write_text(wanted)
        return interpreter


def _make(folder: Path, requirements: tuple[str, ...]) -> None:
    candidates = [sys.executable, shutil.which("python3.11"), shutil.which("python3.10")]
    said = ""
    for candidate in filter(None, candidates):
        shutil.rmtree(folder, ignore_errors=True)
        try:
            make_environment(folder, [requirements], candidate, constraints=None)
        except RuntimeError as error:
            said += f"{error}\n"
            continue
        step = [str(folder / "bin" / "python"), "-c", "import ngshare.ngshare"]
        done = subprocess.run(step, capture_output=True, text=True, timeout=IMPORT_SECONDS)
        if done.returncode == 0:
            return
        said += f"{' '.join(step)}:\n{done.stdout}{done.stderr}\n"
    shutil.rmtree(folder, ignore_errors=True)
    raise NotInstallable(f"{requirements[0]} cannot be installed here:\n{said}")


@contextmanager
def running_ngshare(folder: Path, *arguments: str, version: str = NEWEST, **more: str) -> Iterator[Server]:
    """Run ngshare with all it stores below `folder`.

    Args:
        arguments: its own, such as --debug.
        more: variables of its environment.

    Raises:
        AssertionError: it ended or said nothing in time; the message carries its log.
        NotInstallable: see there.
    """
    interpreter = python(version)
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(interpreter), str(LAUNCHER), "--admins", "root", *arguments]
    command += ["--database", f"sqlite:///{folder}/ngshare.db", "--storage", str(folder / "files")]
    # Nothing of the tests' own environment: in debug mode, ngshare shows it to whoever asks for an unknown path.
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "TMPDIR": str(folder),
        "JUPYTERHUB_API_TOKEN": "none",
        "JUPYTERHUB_API_URL": "http://127.0.0.1:1/hub/api",
        "JUPYTERHUB_CLIENT_ID": "service-ngshare",
        "JUPYTERHUB_SERVICE_PREFIX": "/api/",
        "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:1",
        **more,
    }
    log_file = folder / "log"
    with log_file.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder, env=environment
        )
    server = Server("", process, log_file)
    try:
        server.url = url_said_by(server, LISTENING, START_SECONDS) + "/api/"
        yield server
    finally:
        server.stop()
