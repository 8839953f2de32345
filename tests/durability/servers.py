"""The real server on a disk that may die under it."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.durability.history import PATIENCE, Answer, Client
from tests.servers import Server, start
from tests.waiting import until

# For `preloaded`: nothing is flushed.
NO_FLUSH = """
int fsync(int descriptor) { return 0; }
int fdatasync(int descriptor) { return 0; }
int syncfs(int descriptor) { return 0; }
int sync_file_range(int descriptor, long offset, long count, unsigned flags) { return 0; }
void sync(void) { }
"""


@contextmanager
def serving(
    data: Path, log_file: Path, workers: int = 1, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run a server, all its workers serving; its log lies where the disk's fate does not reach it."""
    server = start(
        data, log_file, "--workers", str(workers), own_group=False, module="ngshare_fs", **(environment or {})
    )
    # Where this process is killed, the server would keep its disk from being unmounted.
    command = ["sh", "-c", 'read -r _ || kill -9 "$1"', "sh", str(server.process.pid)]
    guard = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        until_serving(server, workers)
        yield server
    finally:
        try:
            server.stop()
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()
            raise
        finally:
            guard.communicate(b"it has ended\n", timeout=PATIENCE)


def until_serving(server: Server, workers: int) -> None:
    """Wait for all workers."""
    if workers > 1:
        until(lambda: server.log.count(" serves\n") >= workers, f"{workers} workers serve", lambda: server.log)


def probe(server: Server, path: str) -> Answer:
    """What a health check answers."""
    with Client(server.url) as client:
        return client.call("GET", path, "")


def preloaded(source: str, folder: Path) -> dict[str, str]:
    """The environment of a server in which some functions of the system's are our own.

    Args:
        source: these functions in C.
        folder: where to compile them.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("a C compiler is missing: apt-get install gcc libc6-dev")
    text, library = folder / "preloaded.c", folder / "preloaded.so"
    text.write_text(source)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(text), "-ldl"], check=True, timeout=PATIENCE)
    return {"LD_PRELOAD": str(library)}
