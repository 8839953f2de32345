"""A process that has imported what a program imports, and forks for each command: the imports are paid once.

Each command is still a process of its own, with its own environment, folder, arguments and exit code; it runs the
program's own file or module. What a process does that starts from nothing, other tests go through: the image's, those
of several workers, and `examples/whole_cycle`.

As a script, in whichever environment, it is the server; it knows nothing of this repository's tests.
"""

import atexit
import contextlib
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
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NoReturn

LONGEST_MESSAGE = 2**18
NOWHERE = "/nonexistent"


class ForkedProcess:
    """A command that was forked, as `subprocess.Popen` shows one.

    Args:
        pid: its process id.
        end: where its exit code arrives.

    Attributes:
        returncode: the exit code, or minus the signal that ended it; None while nobody has asked since.
    """

    def __init__(self, pid: int, end: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._end = end
        self._waiting = threading.Lock()

    def poll(self) -> int | None:
        """The exit code, if it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and give the exit code.

        Raises:
            subprocess.TimeoutExpired: it takes longer.
        """
        # It is said once; another thread may be waiting for it.
        if not self._waiting.acquire(timeout=-1 if timeout is None else timeout):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        try:
            if self.returncode is None:
                self._end.settimeout(timeout)
                self.returncode = self._heard(timeout or 0)
                self._end.close()
            return self.returncode
        finally:
            self._waiting.release()

    def _heard(self, timeout: float) -> int:
        try:
            said = self._end.recv(LONGEST_MESSAGE)
        except (TimeoutError, BlockingIOError):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout) from None
        assert said, "the fork server was killed"
        return int(said)

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@dataclass(frozen=True)
class Keeper:
    """Who ends a command with all that it has started.

    Args:
        file: a module whose `fork` comes back in the command's process, and keeps it in its parent.
        seconds: what `fork` is given.
        input: the descriptor that is the keeper's standard input.
    """

    file: Path
    seconds: float
    input: int


class ForkServer:
    """The server as those see it who have something run. It ends when the process does that started it.

    Args:
        python: the interpreter.
        modules: what it imports.
        prefix: what begins its command, to run it and all that it forks as another user of the system.
    """

    def __init__(self, python: Path, modules: Sequence[str], prefix: Sequence[str] = ()) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # Nothing of the environment and no home: what is read while importing is the same for everybody.
            self._process = subprocess.Popen(
                [*prefix, str(python), __file__, str(theirs.fileno()), *modules],
                cwd="/",
                env={"PATH": os.defpath, "HOME": NOWHERE, "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self.close)

    def close(self) -> None:
        """Let it end."""
        self._control.close()
        self._process.wait()

    def start(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        output: int,
        errors: int,
        own_group: bool = False,
        keeper: Keeper | None = None,
    ) -> ForkedProcess:
        """Start a command.

        Args:
            command: the path of a Python program, or `-m` and a module, and its words.
            folder: where.
            environment: all of it.
            output, errors: descriptors of files to print to.
            own_group: make it the leader of a session and a group of its own.
            keeper: who keeps it.

        Raises:
            RuntimeError: the server is not there; what it could not import, for one.
        """
        request = json.dumps(
            {
                "command": command,
                "folder": str(folder),
                "environment": dict(environment),
                "own_group": own_group,
                "keeper": keeper and [str(keeper.file), keeper.seconds],
            }
        )
        passed = [output, errors] if keeper is None else [output, errors, keeper.input]
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                socket.send_fds(self._control, [request.encode()], [theirs.fileno(), *passed])
            return ForkedProcess(int(ours.recv(LONGEST_MESSAGE)), ours)
        except (OSError, ValueError) as error:
            ours.close()
            raise RuntimeError("the fork server has ended; what it has printed says why") from error

    def run(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        seconds: float,
        apart: bool = False,
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end.

        Args:
            command, folder, environment: see `start`.
            seconds: to wait at most.
            apart: whether its errors are kept apart from its output.

        Raises:
            subprocess.TimeoutExpired: it took longer; it is killed.
        """
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            said = errors if apart else output
            process = self.start(command, folder, environment, output.fileno(), said.fileno())
            try:
                exit_code = process.wait(seconds)
            except BaseException:
                process.kill()
                process.wait()
                raise
            for file in (output, errors):
                file.seek(0)
            return subprocess.CompletedProcess(command, exit_code, output.read().decode(), errors.read().decode())


@cache
def fork_server(python: Path, *modules: str, prefix: tuple[str, ...] = ()) -> ForkServer:
    """The one of this process, for each user."""
    return ForkServer(python, modules, prefix)


def _serve(control: socket.socket) -> None:
    """Fork for each request; comes back in the process that is to run a command, kept if it is to be."""
    # Nobody waits for those in between: the system collects them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # Ctrl-C reaches all processes of a terminal. The commands act on it themselves.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, LONGEST_MESSAGE, 4)
        if not message:
            os._exit(0)
        if not os.fork():
            break
        for descriptor in descriptors:
            os.close(descriptor)
    control.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    answer, output, errors, *inputs = descriptors
    command = os.fork()
    if command:
        _wait(command, socket.socket(fileno=answer))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    request = json.loads(message)
    os.dup2(output, 1)
    os.dup2(errors, 2)
    for each in inputs:
        os.dup2(each, 0)
    for descriptor in descriptors:
        os.close(descriptor)
    if request["own_group"]:
        os.setsid()
    if request["keeper"]:
        file, seconds = request["keeper"]
        runpy.run_path(file)["fork"](seconds)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = request["command"]
    # A program that starts itself once more looks here.
    sys.orig_argv = [sys.executable, *sys.argv]


def _wait(command: int, answer: socket.socket) -> NoReturn:
    answer.send(str(command).encode())
    _, status = os.waitpid(command, 0)
    with contextlib.suppress(OSError):  # who asked has given up
        answer.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _main() -> None:
    # A program's first folder is its own: modules of this one have names of packages.
    del sys.path[0]
    descriptor, *modules = sys.argv[1:]
    for module in modules:
        importlib.import_module(module)
    gc.freeze()  # a fork copies what the collector of its child would touch
    _serve(socket.socket(fileno=int(descriptor)))
    try:
        if sys.argv[0] == "-m":
            module = sys.argv[1]
            del sys.argv[:1]
            sys.path.insert(0, os.getcwd())
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        else:
            sys.path.insert(0, os.path.dirname(sys.argv[0]))
            runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            raise
        _end(end.code or 0)
        raise
    _end(0)


def _end(exit_code: int) -> None:
    """End as an interpreter does, but that it takes nothing apart: it would copy all that the fork shares, 30 ms each.

    Comes back where what was printed cannot be written; the interpreter says so then, in its way.
    """
    if not _flushed():
        return
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    if _flushed():
        os._exit(exit_code & 0xFF)


def _flushed() -> bool:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            try:
                stream.flush()
            except (OSError, ValueError):
                return False
    return True


if __name__ == "__main__":
    _main()
