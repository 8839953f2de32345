"""A process that has imported nbgrader, and forks for each command: a second of imports is paid once, not each time.

Each command is still a process of its own, with its own environment, folder, arguments and exit code; it runs the
program's own file. What nbgrader does in a process that starts from nothing, `examples/whole_cycle` goes through.

As a script, in nbgrader's environment, it is the server; it knows nothing of this repository's tests.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NoReturn

LONGEST_MESSAGE = 2**18
NOWHERE = "/nonexistent"


class ForkServer:
    """The server as those see it who have something run. It ends when the process does that started it.

    Args:
        programs: the folder of nbgrader's programs.
        modules: what it imports beside nbgrader.
    """

    def __init__(self, programs: Path, modules: Sequence[str]) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # Nothing of the environment and no home: what is read while importing is the same for everybody.
            self._process = subprocess.Popen(
                [str(programs / "python"), __file__, str(theirs.fileno()), *modules],
                cwd="/",
                env={"PATH": os.defpath, "HOME": NOWHERE, "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self._end)

    def _end(self) -> None:
        self._control.close()
        self._process.wait()

    def run(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float
    ) -> tuple[int, str]:
        """Run a Python program, its path first, and give its exit code and what it printed.

        Raises:
            TimeoutError: it took longer; it is killed.
        """
        request = json.dumps({"command": command, "folder": str(folder), "environment": dict(environment)})
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, tempfile.TemporaryFile() as output:
            with theirs:
                socket.send_fds(self._control, [request.encode()], [theirs.fileno(), output.fileno()])
            process = int(ours.recv(LONGEST_MESSAGE))
            ours.settimeout(seconds)
            try:
                exit_code = int(ours.recv(LONGEST_MESSAGE))
            except TimeoutError:
                os.kill(process, signal.SIGKILL)
                raise
            output.seek(0)
            return exit_code, output.read().decode()


@cache
def fork_server(programs: Path, *modules: str) -> ForkServer:
    """The one of this process."""
    return ForkServer(programs, modules)


def _serve(control: socket.socket) -> None:
    """Fork for each request; comes back in the process that is to run a command."""
    # Nobody waits for those in between: the system collects them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, LONGEST_MESSAGE, 2)
        if not message:
            os._exit(0)
        if not os.fork():
            break
        for descriptor in descriptors:
            os.close(descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    control.close()
    answer, output = descriptors
    command = os.fork()
    if command:
        _wait(command, socket.socket(fileno=answer))
    os.close(answer)
    request = json.loads(message)
    for standard in (1, 2):
        os.dup2(output, standard)
    os.close(output)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = request["command"]


def _wait(command: int, answer: socket.socket) -> NoReturn:
    answer.send(str(command).encode())
    _, status = os.waitpid(command, 0)
    with suppress(OSError):  # who asked has given up
        answer.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _main() -> None:
    # A program's first folder is its own: modules of this one have names of packages.
    del sys.path[0]
    descriptor, *modules = sys.argv[1:]
    for module in ("nbgrader.apps.nbgraderapp", *modules):
        importlib.import_module(module)
    gc.freeze()  # a fork copies what the collector of its child would touch
    _serve(socket.socket(fileno=int(descriptor)))
    sys.path.insert(0, os.path.dirname(sys.argv[0]))
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    _main()
