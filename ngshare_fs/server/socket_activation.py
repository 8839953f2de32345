"""A listening socket that systemd has opened and keeps: sd_listen_fds(3)."""

import os
import socket
from collections.abc import MutableMapping

PID, COUNT = "LISTEN_PID", "LISTEN_FDS"
FURTHER = ("LISTEN_FDNAMES", "LISTEN_PIDFDID")
FIRST = 3


def take_socket(environment: MutableMapping[str, str]) -> socket.socket | None:
    """Take the socket that this process was started with; None where it was started without one.

    Args:
        environment: of which the variables about it are removed, so that no child of ours takes it for its own.

    Raises:
        ValueError: it is none that can be served, or there are several; the text is one line with the remedy.
    """
    pid, count = environment.pop(PID, ""), environment.pop(COUNT, "")
    for name in FURTHER:
        environment.pop(name, None)
    # Whoever got the variables from its parent, without the socket, is not meant.
    if pid != str(os.getpid()) or count in ("", "0"):
        return None
    if count != "1":
        raise ValueError(f"{COUNT} is {count}: one socket is served; leave one ListenStream= in the .socket unit")
    try:
        found = socket.socket(fileno=FIRST)
    except OSError as error:
        raise ValueError(f"{COUNT} is 1, but descriptor {FIRST} is no socket ({error.strerror})") from None
    found.set_inheritable(False)
    problem = _problem_with(found)
    if problem:
        found.close()
        raise ValueError(f"the socket from systemd {problem}")
    return found


def _problem_with(found: socket.socket) -> str:
    if found.type != socket.SOCK_STREAM:
        return "is no stream socket: the .socket unit needs ListenStream="
    if found.family not in (socket.AF_INET, socket.AF_INET6):
        return "has no host and port, of which this server makes its address: write ListenStream=127.0.0.1:8080"
    if not found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return "does not listen: the .socket unit needs Accept=no, and one service for all connections"
    return ""
