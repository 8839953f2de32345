"""A real Jupyter server with nbgrader's Assignment List, and calls as its page makes them.

This module may not be called `jupyter_server`: scripts of this folder import the package of that name.
"""

import http.client
import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.nbgrader.people import Person

TOKEN = "of-jupyter"
START_SECONDS = 120
ANSWER_SECONDS = 180


class _ThroughSocket(http.client.HTTPConnection):
    """A connection by a socket in a folder: a free port could be somebody else's by the time it is used."""

    def __init__(self, place: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS)
        self._place = place

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._place))


@dataclass
class JupyterServer:
    """A running server, and the file with what it has logged."""

    place: Path
    log_file: Path

    def ask(self, method: str, path: str, **fields: str) -> Any:
        """Make a call, and give its answer."""
        connection = _ThroughSocket(self.place)
        try:
            headers = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}
            connection.request(method, path, json.dumps(fields) if method == "POST" else None, headers)
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status == 200, content
            return json.loads(content)
        finally:
            connection.close()

    def press(self, action: str, course: str, assignment: str) -> Any:
        """Press a button of the Assignment List."""
        return self.ask("POST", f"/assignments/{action}", course_id=course, assignment_id=assignment)


@contextmanager
def jupyter_server(person: Person) -> Iterator[JupyterServer]:
    """Run one at somebody's home."""
    log_file = person.home / "jupyter.log"
    # The path to a socket has to be short.
    with tempfile.TemporaryDirectory(prefix="jupyter-") as folder, log_file.open("wb") as log:
        server = JupyterServer(Path(folder) / "socket", log_file)
        process = subprocess.Popen(
            [
                str(person.programs / "python"), "-m", "jupyter_server", "--allow-root", "--no-browser",
                f"--ServerApp.sock={server.place}", f"--IdentityProvider.token={TOKEN}",
 f"--ServerApp.root_dir={person.home}",
            ],
            cwd=person.home, env=person.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + START_SECONDS
            while True:
                assert process.poll() is None, log_file.read_text()
                assert time.monotonic() < deadline, log_file.read_text()
                try:
                    server.ask("GET", "/api/status")
                    break
                except OSError:
                    time.sleep(0.05)
            yield server
        finally:
            process.kill()
            process.wait()
