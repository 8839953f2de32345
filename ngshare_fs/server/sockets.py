"""The listening socket, and how one process hands it to the next.

The socket outlives the processes that serve it: while one of them ends and another starts, the kernel keeps
new connections waiting in the socket's queue, so that nobody is refused.
"""

import contextlib
import ctypes
import errno
import os
import socket
import struct
import sys
import time
from collections.abc import MutableMapping
from dataclasses import dataclass

from ngshare_fs.server.startup_signals import HANDOVER_VARIABLE
from ngshare_fs.settings import Settings
from ngshare_fs.terminal.logs import LOG

# A whole course hands in within a minute, and a restart takes about a second: the queue has room for that.
QUEUE = 2048
HUB_SECONDS = 25.0

# From <asm-generic/socket.h>: Python has no name for it.
SO_ATTACH_FILTER = 26
# A filter of the kernel's (Documentation/networking/filter.rst) over the TCP header, as instructions of an operation,
# two jumps and a value: a segment with SYN and without ACK, which asks for a new connection, is dropped.
OVERLOOK_SYN = [
    (0x30, 0, 0, 13),  # load the byte of the flags
    (0x54, 0, 0, 0x12),  # keep SYN and ACK of it
    (0x15, 0, 1, 0x02),  # SYN alone? else skip one
    (0x06, 0, 0, 0),  # take nothing of it
    (0x06, 0, 0, 0xFFFFFFFF),  # take all of it
]


class ListenError(Exception):
    """The address cannot be had; the text is one line that names it and the remedy.

    Args:
        is_taken: another process listens there.
    """

    def __init__(self, text: str, is_taken: bool = False) -> None:
        super().__init__(text)
        self.is_taken = is_taken


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket.

    Args:
        host: a name or an address, IPv4 or IPv6.
        port: the port; 0 picks a free one.

    Raises:
        ListenError: the address is unknown, taken or not allowed.
    """
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise ListenError(f"{address}: no such host") from None
    # `localhost` is both 127.0.0.1 and ::1: IPv4 first, since that is what clients written for ngshare use.
    family, kind, protocol, _, target = min(found, key=lambda row: row[0] != socket.AF_INET)
    listener = socket.socket(family, kind, protocol)
    try:
        # Else the port stays taken for a minute after a stop, by connections that are already closed.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(target)
        listener.listen(QUEUE)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            reason = "another program listens there; choose another --port, or end that program"
        elif error.errno == errno.EACCES:
            reason = "ports below 1024 are kept for root; choose a higher --port"
        else:
            reason = f"{error.strerror}; see --host and --port"
        is_taken = error.errno == errno.EADDRINUSE
        raise ListenError(f"cannot listen on {address}: {reason}", is_taken) from None
    return listener


def listen_for(settings: Settings) -> socket.socket:
    """Open the listening socket of these settings.

    One that a hub has started waits for the one before it: that ends when it hears that the hub does not know it any
    more, and the hub is long since starting the next one.

    Raises:
        ListenError: as `listen` does.
    """
    patience = HUB_SECONDS if settings.hub is not None and settings.hub.managed else 0.0
    deadline = time.monotonic() + patience
    while True:
        try:
            return listen(settings.host, settings.port)
        except ListenError as error:
            if not error.is_taken or time.monotonic() > deadline:
                raise
            if patience:
                LOG.warning("%s; waiting for it to end", error)
                patience = 0.0
            time.sleep(0.1)


def admit_no_more(listener: socket.socket) -> None:
    """Let the kernel overlook new connections from now on, so that the queue can be emptied before the socket's end.

    Who knocks hears nothing, knocks again a second later, and is refused then. The socket's other copies are the same
    socket: theirs are overlooked, too. Where the kernel has no such filters, nothing happens.

    Args:
        listener: the listening socket; what it has accepted is not touched.
    """
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in OVERLOOK_SYN)
    kept = ctypes.create_string_buffer(program)
    with contextlib.suppress(OSError):
        listener.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(OVERLOOK_SYN), ctypes.addressof(kept))
        )


def url_of(listener: socket.socket, prefix: str) -> str:
    """The address to give to a client on this machine."""
    host, port = listener.getsockname()[:2]
    return url_at(host, port, prefix)


def url_at(host: str, port: int, prefix: str) -> str:
    """The address, for a client on this machine, of what listens on a host and port."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{prefix}"


@dataclass(frozen=True)
class InheritedDescriptors:
    """What a process got from the one before it. All fields are None or empty in a process started by hand.

    Attributes:
        role: `worker` of a supervisor; `successor` of the process it replaced; `rehearsal` that only tries
            the start; or empty.
        listener: the listening socket.
        lifeline: a pipe whose end says that the supervisor is gone.
        ready: a pipe on which to say that requests are served.
        configuration: a file in memory with what the configuration file held when the supervisor read it: a worker in
            the place of a dead one must not serve another volume than the others because somebody edits the file.
    """

    role: str = ""
    listener: socket.socket | None = None
    lifeline: int | None = None
    ready: int | None = None
    configuration: int | None = None

    @classmethod
    def take(cls, environment: MutableMapping[str, str]) -> "InheritedDescriptors":
        """Read and remove what was handed over, so that no child of ours takes it for its own."""
        text = environment.pop(HANDOVER_VARIABLE, "")
        if not text:
            return cls()
        role, *numbers = text.split(":")
        found = [int(number) if number else None for number in numbers]
        for descriptor in found:
            if descriptor is not None:
                os.set_inheritable(descriptor, False)
        listener, *others = found
        return cls(role, None if listener is None else socket.socket(fileno=listener), *others)

    def file(self) -> bytes | None:
        """What the configuration file held; None where that is to be read."""
        if self.configuration is None:
            return None
        with open(self.configuration, "rb") as configuration:
            return configuration.read()


def handover_environment(
    role: str,
    listener: int | None = None,
    lifeline: int | None = None,
    ready: int | None = None,
    configuration: int | None = None,
) -> dict[str, str]:
    """The environment for a process that takes over."""
    numbers = ["" if number is None else str(number) for number in (listener, lifeline, ready, configuration)]
    return {**os.environ, HANDOVER_VARIABLE: ":".join([role, *numbers])}


def same_command() -> list[str]:
    """The command line that started this process, whichever way: script, `-m`, interpreter options."""
    return [sys.executable, *sys.orig_argv[1:]]
