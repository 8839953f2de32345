"""What the operator's signals do from a command's first instant until it takes them over itself.

The kernel drops what is sent to process 1, such as a container's, unless that has a handler for it or blocks it. The
image therefore starts the command with these signals blocked (image/Dockerfile): what comes before Python runs waits.
"""

import os
import signal
from collections.abc import Sequence
from functools import partial

from ngshare_fs.terminal.control_signals import CONTROL_SIGNALS

# Set for the workers of a supervisor.
HANDOVER_VARIABLE = "NGSHARE_FS_HANDOVER"


def handle_startup_signals(words: Sequence[str]) -> None:
    """Let a signal end this process at once, before there is anything to finish. Imports nothing slow.

    Args:
        words: the command line after the program's name.
    """
    if HANDOVER_VARIABLE in os.environ:
        return  # They stay blocked: clients may be in the socket's queue, and are answered before this process ends.
    is_first = os.getpid() == 1
    if words[:1] == ["serve"]:
        # Exit code 0 as for every other stop of a server, and no traceback for Ctrl-C.
        codes = {signal.SIGINT: 0, signal.SIGTERM: 0}
        if is_first:
            # A restart with the configuration as it is by then: it waits until the workers can be replaced.
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    elif is_first:
        codes = {number: 128 + number for number in CONTROL_SIGNALS}
    else:
        # The kernel's own way to end a process works even where that waits for a dead file system.
        codes = {}
        signal.pthread_sigmask(signal.SIG_UNBLOCK, CONTROL_SIGNALS)
    for number, code in codes.items():
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, partial(_end, code))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, codes)


def _end(code: int, *_: object) -> None:
    os._exit(code)
