"""Runs a command, and ends it with all that it has started once the keeper's standard input is closed.

A hub starts its proxy, its services and its users' servers in process groups of their own, so that killing the hub's
group leaves them running. The keeper takes in whoever loses its parent, so that nobody gets away; and as its standard
input is a pipe from the tests, it sees their end even where they were killed.

    python keeper.py SECONDS COMMAND...

First the command gets SIGTERM and that many seconds to clean up. It uses nothing of the tests, which makes it start
quickly.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

TAKE_IN_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
POLL_SECONDS = 0.05


def main() -> int:
    """Return the command's exit code."""
    seconds, command = float(sys.argv[1]), sys.argv[2:]
    if ctypes.CDLL(None, use_errno=True).prctl(TAKE_IN_ORPHANS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    # The signals of a terminal or of a job reach the tests; what to do about them is theirs to decide.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_heed_signals)
    while process.poll() is None and not select.select([0], [], [], POLL_SECONDS)[0]:
        pass
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    _end_children(process)
    code = process.wait()
    return code if code >= 0 else 128 - code


def _heed_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _end_children(process: "subprocess.Popen[bytes]") -> None:
    """Kill children until there are none: whoever loses its parent by that is the next child."""
    while children := _children():
        for child in children:
            os.kill(child, signal.SIGKILL)  # it is there until its parent, this process, waits for it
            process.wait() if child == process.pid else os.waitpid(child, 0)


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
    sys.exit(main())
