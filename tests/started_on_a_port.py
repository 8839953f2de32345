"""Programs that have to be told a port, and cannot choose one themselves."""

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from tests import waiting

ATTEMPTS = 5
IsReady = Callable[["subprocess.Popen[bytes]", int], bool]


@contextmanager
def started(
    command: Callable[[int], list[str]], is_ready: IsReady, log: Path
) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """Start a program, on another port where somebody was faster, and end it afterwards.

    Args:
        command: what to start for a port.
        is_ready: whether it listens by now.
        log: of what it prints.
    """
    for _ in range(ATTEMPTS):
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            port: int = free.getsockname()[1]
        with log.open("wb") as output:
            process = subprocess.Popen(command(port), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            has_begun = partial(_has_begun, process, port, is_ready)
            waiting.until(has_begun, "a program that is ready", log.read_text)
            if process.poll() is None:
                yield process, port
                return
        finally:
            process.terminate()
            process.wait(waiting.PATIENCE)
    raise AssertionError(log.read_text())


def _has_begun(process: "subprocess.Popen[bytes]", port: int, is_ready: IsReady) -> bool:
    return process.poll() is not None or is_ready(process, port)
