"""Watches whether anything blocks the event loop: who waits there for a disk, a thread or a process keeps everybody.

Blockbuster raises where that happens. The product turns whatever is raised into an answer; so each call is noted, too.
"""

import functools
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from blockbuster import BlockBuster, BlockingError, blockbuster

from tests.servers import BLOCKED

TESTS = str(Path(__file__).parent)
# These are below whatever a watched server does.
OURS = (__file__, *(str(Path(__file__).with_name(name)) for name in ("watched_server.py", "clumsy_server.py")))
# Calls that may wait for a disk, a lock or another machine, and that Blockbuster leaves alone.
ALSO_BLOCK = (
    "builtins.open", "os.open", "os.lstat", "os.fsync", "os.fdatasync", "os.sync", "os.truncate", "os.ftruncate",
    "os.utime", "os.chmod", "os.chown", "os.makedirs", "os.statvfs", "os.waitpid", "fcntl.flock", "fcntl.lockf",
    "shutil.rmtree", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen", "pathlib.Path.open",
    "concurrent.futures.ThreadPoolExecutor.shutdown",
)  # fmt: skip


class Exemption(NamedTuple):
    """What may run on the event loop although it could wait.

    Args:
        calls: which of the calls, none for all of them.
        file: the end of the name of a file in the call's stack.
        function: a function in that file.
        reason: why.
    """

    calls: tuple[str, ...]
    file: str
    function: str
    reason: str


EXEMPTIONS = (
    Exemption(
        (),
        "logging/__init__.py",
        "emit",
        "The log goes to standard error at once: what a thread still had to write would be missing after a crash.",
    ),
    Exemption((), "server/application.py", "make_application", "Nobody is served yet."),
    Exemption(
        (),
        "filelock/_core/_lock.py",
        "__del__",
        "A lock that an earlier test has left is released where the garbage collector happens to run.",
    ),
    Exemption(("os.write",), "server/worker.py", "_ping", "One byte, into a pipe that does not block."),
)


@contextmanager
def watched(note: Callable[[str], None]) -> Iterator[None]:
    """Whatever blocks a running event loop meanwhile fails with `BlockingError`.

    Args:
        note: is told of the call and its stack.
    """

    class Noted(BlockingError):
        def __init__(self, function: str) -> None:
            super().__init__(function)
            note(f"{BLOCKED} {function}\n{''.join(traceback.format_stack(sys._getframe(2)))}")

    buster = BlockBuster()
    for name in ALSO_BLOCK:
        if name not in buster.functions:
            buster.functions[name] = blockbuster.BlockBusterFunction(None, name)
    for function in buster.functions.values():
        function.can_block_predicate = functools.partial(_may, function.can_block_predicate)
    for exemption in EXEMPTIONS:
        for name in exemption.calls or buster.functions:
            buster.functions[name].can_block_in(exemption.file, exemption.function)
    module = vars(blockbuster)
    before, module["BlockingError"] = module["BlockingError"], Noted
    buster.activate()
    try:
        yield
    finally:
        buster.deactivate()
        module["BlockingError"] = before


def _may(by_itself: Callable[..., bool], *arguments: Any, **named: Any) -> bool:
    """Whether this call does not block, or comes from a test: those run in event loops, too."""
    if by_itself(*arguments, **named):
        return True
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(TESTS) and file not in OURS:
            return True
        frame = frame.f_back
    return False
