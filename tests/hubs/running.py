"""Starts programs that start others, on addresses that nobody else uses."""

import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from tests.fork_server import ForkServer, Keeper
from tests.servers import Process

KEEPER = Path(__file__).with_name("keeper.py")
PATIENCE_SECONDS = 20.0
MOST_TRIES = 100


@contextmanager
def kept(
    command: Sequence[str],
    log_file: Path,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    patience: float = PATIENCE_SECONDS,
    server: ForkServer | None = None,
) -> Iterator[Process]:
    """Run a command; at the end it ends, with all that it has started. It ends so, too, where the tests are killed.

    Args:
        command: its words.
        log_file: where what it says goes, after what is there already.
        environment: its environment; that of the tests by default.
        folder: where it runs.
        patience: the seconds that it gets to clean up.
        server: that it is forked from, where it is a Python program whose imports are to be paid once.
    """
    environment = os.environ if environment is None else environment
    input, ours = os.pipe()  # closed here, it is the end
    process: Process
    try:
        with log_file.open("ab") as output, closing(os.fdopen(input)):
            if server:
                said, keeper = output.fileno(), Keeper(KEEPER, patience, input)
                process = server.start(command, folder or Path.cwd(), environment, said, said, True, keeper)
            else:
                process = subprocess.Popen(
                    [sys.executable, "-S", "-E", str(KEEPER), str(patience), *command],
                    stdin=input,
                    stdout=output,
                    stderr=output,
                    env=environment,
                    cwd=folder,
                    start_new_session=True,
                )
    except BaseException:
        os.close(ours)
        raise
    try:
        yield process
    finally:
        os.close(ours)
        process.wait()


def free_address(ports: int, start: int | None = None) -> tuple[str, list[int]]:
    """Find an address of this machine's loopback network, and ports that are free there.

    All of 127.0.0.0/8 is loopback on Linux. An address of one's own keeps the ports from whoever opens connections or
    looks for free ports on 127.0.0.1, and a browser's cookies from other hubs. What remains is somebody who
    listens on the same port of every address: starting fails then, and is tried again.

    Args:
        ports: how many.
        start: have them follow each other from here on; any by default.
    """
    for _ in range(MOST_TRIES):
        address = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
        with ExitStack() as held:
            try:
                sockets = [
                    held.enter_context(socket.create_server((address, start + number if start else 0)))
                    for number in range(ports)
                ]
            except OSError:
                continue
            return address, [each.getsockname()[1] for each in sockets]
    raise AssertionError(f"no {ports} free ports from {start} on")
