"""Servers that say to each connection what a test wants, byte for byte: proxies, other protocols, what hangs."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

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
Speaker = Callable[[socket.socket, RawServer], object]


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
        # Before TLS nobody knows which bytes are a request.
        with suppress(OSError), connection, _encrypted(connection, tls) if tls else connection as wrapped:
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


def _encrypted(connection: socket.socket, tls: ssl.SSLContext) -> ssl.SSLSocket:
    wrapped = tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
    try:
        wrapped.do_handshake()
    except ssl.SSLError:
        with wrapped:
            # Closed with bytes unread, the connection would be reset, and TLS's own answer lost.
            socket.socket.recv(wrapped, 2**16)
        raise
    return wrapped


def certified(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate that nobody but itself vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
