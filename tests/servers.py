"""Starts the real command on a free port, as its user would, and stops it again."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.fork_server import ForkServer, fork_server
from tests.waiting import PATIENCE, until

REPOSITORY = Path(__file__).parents[1]
# States of a process that has ended; its files are closed, but somebody may yet have to collect it.
ENDED = "ZX"
# What a watched server logs, see `tests/event_loop.py`.
BLOCKED = "the event loop is blocked by"
# What a server imports, and what other commands do.
MODULES = (
    "ngshare_fs.command.main", "ngshare_fs.command.examination", "ngshare_fs.server.worker",
    "ngshare_fs.server.supervisor", "ngshare_fs.api.writer.process", "ngshare_fs.exchange.connection.client",
    "ngshare_fs.exchange.own_submissions", "ngshare_fs.management.gradebook",
)  # fmt: skip


class Process(Protocol):
    """A process that was started: what `subprocess.Popen` and `ForkedProcess` have in common."""

    pid: int

    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, number: int, /) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


@dataclass
class Server:
    """A running server: `url` ends with the prefix, `log` is all it has printed so far."""

    url: str
    process: Process
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> int:
        """Ask it to end, wait, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """End it and all its workers at once, as a power cut or the kernel would; it was started with `own_group`."""
        kill_group(self.process)

    def kill_alone(self) -> None:
        """End the one process that was started, and wait until those that write for it have noticed."""
        writers = writing_processes(self.process.pid)
        self.process.kill()
        self.process.wait(PATIENCE)
        until(lambda: not any(map(runs, writers)), "the end of what writes for the server")


def kill_group(process: Process) -> None:
    """Kill a process that leads a group, and wait until nobody of the group runs any more."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(PATIENCE)
    until(lambda: not _runs_in_group(process.pid), f"the end of the group {process.pid}")


def _runs_in_group(group: int) -> bool:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, _, of_group = _status(int(process.name))
            if state not in ENDED and int(of_group) == group:
                return True
    return False


def children_of(process: int) -> list[int]:
    """The processes that a process, whichever of its threads, has started."""
    return [
        int(child) for file in Path(f"/proc/{process}/task").glob("*/children") for child in file.read_text().split()
    ]


def writing_processes(server: int) -> list[int]:
    """The processes that a server, or one of its workers, has beside it to write in.

    Args:
        server: the process id of the one or the other.
    """
    found = []
    for child in children_of(server):
        with suppress(OSError):
            writes = Path(f"/proc/{child}/comm").read_text().strip() == "ngshare-writer"
            found += [child] if writes else writing_processes(child)
    return found


def runs(process: int) -> bool:
    """Whether a process is there, and not just waiting for somebody to collect it."""
    try:
        return _status(process)[0] not in ENDED
    except OSError:
        return False


def is_asleep(process: int) -> bool:
    """Whether a process waits for something that a signal interrupts."""
    return _status(process)[0] == "S"


def _status(process: int) -> list[str]:
    """What a process is doing, its parent, and its group."""
    status = Path(f"/proc/{process}/stat").read_text(errors="replace")
    return status.rpartition(")")[2].split()[:3]


def of_ours(python: str = sys.executable) -> ForkServer:
    """The process that `ngshare-fs` is forked from, which some interpreter runs."""
    return fork_server(Path(python), *MODULES)


def start(
    data: Path,
    log_file: Path,
    *arguments: str,
    python: str = sys.executable,
    own_group: bool = False,
    module: str = "ngshare_fs",
    **environment: str,
) -> Server:
    """Start `ngshare-fs serve --standalone` on a free port and wait until it says where it serves.

    Args:
        data: the volume.
        log_file: gets what it prints.
        arguments: more words for it.
        python: the interpreter that has the server.
        own_group: make it and its workers a process group.
        module: what it runs.
        environment: variables of its own.

    Raises:
        AssertionError: the server ended or said nothing in time; the message carries its log.
    """
    words = ["-m", module, "serve", "--standalone", "--data", str(data), "--port", "0", "--admins", "root", *arguments]
    process: Process
    with log_file.open("wb") as output:
        # What its environment says may be for the start of its interpreter: then it starts from nothing.
        if module == "ngshare_fs" and not environment:
            said = output.fileno()
            process = of_ours(python).start(words, Path.cwd(), os.environ, said, said, own_group)
        else:
            path = {"PYTHONPATH": str(REPOSITORY)} if module.startswith("tests.") else {}
            process = subprocess.Popen(
                [python, *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **path, **environment},
                start_new_session=own_group,
            )
    server = Server("", process, log_file)
    try:
        server.url = url_said_by(server, r"(http://(?:127\.0\.0\.1|localhost|\[::1\]):\d+/(?:[^\s\"?]*/)?)")
    except BaseException:
        process.kill()
        process.wait()
        raise
    return server


def url_said_by(server: Server, pattern: str, seconds: float = PATIENCE) -> str:
    """Wait until a server's log has a match of `pattern`, and give its first group.

    Raises:
        AssertionError: the server ended or said nothing in time; the message carries its log.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.process.poll() is None:
        found = re.search(pattern, server.log, re.MULTILINE)
        if found:
            return found[1]
        time.sleep(0.005)
    raise AssertionError(f"the server did not start:\n{server.log}")


@contextmanager
def running(
    data: Path,
    *arguments: str,
    python: str = sys.executable,
    module: str = "ngshare_fs",
    **environment: str,
) -> Iterator[Server]:
    """Like `start`, and stop it at the end; its log lies beside `data`."""
    log_file = data.with_name(data.name + ".log")
    server = start(data, log_file, *arguments, python=python, own_group=False, module=module, **environment)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def watched(data: Path, *arguments: str, module: str = "tests.watched_server") -> Iterator[Server]:
    """Like `running`; it is an error if anything blocked its event loop, up to its end.

    Raises:
        AssertionError: something did; the message carries the server's log.
    """
    log_file = data.with_name(data.name + ".log")
    server = start(data, log_file, *arguments, module=module)
    try:
        yield server
    finally:
        server.stop()
    assert BLOCKED not in server.log, server.log
