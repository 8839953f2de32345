"""The listening socket.

It outlives the workers that serve it, and where systemd has opened it, this program, too: while one process ends and
another starts, the kernel keeps new connections waiting in the socket's queue, so that nobody is refused.
"""

import errno
import socket
import time
from collections.abc import MutableMapping
from dataclasses import dataclass

from ngshare_fs.server.socket_activation import take_socket
from ngshare_fs.settings import Settings
from ngshare_fs.terminal.logs import LOG

# A whole course hands in within a minute, and a start takes about a second: the queue has room for that.
QUEUE = 2048
HUB_SECONDS = 25.0


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


@dataclass(frozen=True)
class Listener:
    """The listening socket.

    Attributes:
        socket: it.
        is_systemds: systemd keeps it when we end: who waits in its queue is answered by the next process.
    """

    socket: socket.socket
    is_systemds: bool = False


def listener_for(settings: Settings, environment: MutableMapping[str, str]) -> Listener:
    """The socket that this process was started with, or else a new one, where these settings say.

    One that a hub has started waits for the one before it: that ends when it hears that the hub does not know it any
    more, and the hub is long since starting the next one.

    Args:
        environment: says whether there is one; that is removed.

    Raises:
        ListenError: as `listen` does; or what the process was started with cannot be served.
    """
    try:
        inherited = take_socket(environment)
    except ValueError as error:
        raise ListenError(str(error)) from None
    if inherited is not None:
        return Listener(inherited, is_systemds=True)
    patience = HUB_SECONDS if settings.hub is not None and settings.hub.managed else 0.0
    deadline = time.monotonic() + patience
    while True:
        try:
            return Listener(listen(settings.host, settings.port))
        except ListenError as error:
            if not error.is_taken or time.monotonic() > deadline:
                raise
            if patience:
                LOG.warning("%s; waiting for it to end", error)
                patience = 0.0
            time.sleep(0.1)


def url_of(listener: socket.socket, prefix: str) -> str:
    """The address to give to a client on this machine."""
    host, port = listener.getsockname()[:2]
    return url_at(host, port, prefix)


def url_at(host: str, port: int, prefix: str) -> str:
    """The address, for a client on this machine, of what listens on a host and port."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{prefix}"
