"""Servers that say to each connection what a test wants, byte for byte: proxies, other protocols, what hangs."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"


@dataclass
class RawServer:
    """A server.

    Args:
        port: on the loopback address.
        ended: set at the end of the test, for those that answer slowly.
        requests: the first line of each that was read.
    """

    port: int
    ended: threading.Event = field(default_factory=threading.Event)
    requests: list[str] = field(default_factory=list)


# What is said to a connection whose request has been read.
Speaker = Callable[[socket.socket, RawServer], None]


def saying(answer: bytes) -> Speaker:
    """Say this, and hang up."""
    return lambda connection, server: connection.sendall(answer)


@contextmanager
def raw_server(speak: Speaker, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Run one; it reads the head of a request, and not its body."""
    listener = socket.create_server((LOOPBACK, 0))
    server = RawServer(listener.getsockname()[1])
    threads = []

    def converse(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            # Before TLS nobody knows which bytes are a request.
            wrapped = tls.wrap_socket(connection, server_side=True) if tls else connection
            with wrapped:
                head = b""
                while b"\n" not in head:
                    piece = wrapped.recv(2**16)
                    if not piece:
                        break
                    head += piece
                server.requests.append(head.split(b"\r\n")[0].decode("latin-1"))
                speak(wrapped, server)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=converse, args=(connection,), daemon=True)
            thread.start()
            threads.append(thread)

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        server.ended.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for thread in threads:
            thread.join()
