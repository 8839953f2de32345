"""Keeps a command: ends it with all that it has started once the keeper's standard input is closed.

A hub starts its proxy, its services and its users' servers in process groups of their own, so that killing the hub's
group leaves them running. The keeper takes in whoever loses its parent, so that nobody gets away; and as its standard
input is a pipe from the tests, it sees their end even where they were killed.

    python keeper.py SECONDS COMMAND...

First the command gets SIGTERM and that many seconds to clean up. It uses nothing of the tests, which makes it start
quickly; and a process that has imported a program already keeps what it forks by `fork`.
"""

import ctypes
import os
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

TAKE_IN_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
POLL_SECONDS = 0.05
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def fork(seconds: float) -> None:
    """Fork, and come back in the process that is kept; the other one ends with its exit code.

    Args:
        seconds: that it gets to clean up.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(TAKE_IN_ORPHANS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    # The signals of a terminal or of a job reach the tests; what to do about them is theirs to decide.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    command = os.fork()
    if command:
        os._exit(_keep(command, seconds))
    os.setsid()
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _keep(command: int, seconds: float) -> int:
    """Return the command's exit code."""
    status = _status(command)
    while status is None and not select.select([0], [], [], POLL_SECONDS)[0]:
        status = _status(command)
    if status is None:
        os.kill(command, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while status is None and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            status = _status(command)
    # Kill children until there are none: whoever loses its parent by that is the next child.
    while children := _children():
        for child in children:
            os.kill(child, signal.SIGKILL)  # it is there until its parent, this process, waits for it
            _, ended = os.waitpid(child, 0)
            if child == command:
                status = ended
    assert status is not None
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _status(command: int) -> int | None:
    """How it has ended, if it has."""
    ended, status = os.waitpid(command, os.WNOHANG)
    return status if ended else None


def _children() -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The command's name is in parentheses and may hold anything.
            _, _, rest = status.read_text(errors="replace").rpartition(")")
            if int(rest.split()[1]) == os.getpid():
                found.append(int(status.parent.name))
    return found


if __name__ == "__main__":
    fork(float(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
