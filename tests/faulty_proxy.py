"""A proxy before a real server that loses requests and answers, cuts them off, or answers itself, as proxies do."""

import http.client
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Fault:
    """What happens to one request.

    Args:
        forward: whether the server gets it.
        status: of an answer that the proxy makes up; 0: none, the connection is cut.
        headers, body: of that answer.
        send: how many bytes of the server's own answer get through before the cut; -1: that answer is not used.
        announce: whether the length of the whole answer is announced before the cut.
        stall: instead of cutting, set the proxy's `stalled` and wait for its `go_on`. The last byte at least is kept
            back, so that the client cannot be done with the answer by then.
    """

    forward: bool = False
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    send: int = -1
    announce: bool = True
    stall: bool = False


LOST_REQUEST = Fault()
LOST_ANSWER = Fault(forward=True)
RESTARTING = Fault(status=503, headers=(("Content-Type", "text/html"),), body=b"<h1>Service Unavailable</h1>")


@dataclass
class FaultyProxy:
    """The proxy: `faults` befall the next requests, one each."""

    url: str
    faults: deque[Fault] = field(default_factory=deque)
    requests: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    stalled: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)


@contextmanager
def faulty_proxy(upstream: str) -> Iterator[FaultyProxy]:
    """Run one before the server at `upstream`."""
    server_at = urlsplit(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            proxy.requests.append(f"{self.command} {self.path.partition('?')[0]}")
            proxy.tokens.append(self.headers.get("Authorization"))
            fault = proxy.faults.popleft() if proxy.faults else Fault(forward=True, send=2**40)
            self.close_connection = True
            status, content = 0, b""
            headers: tuple[tuple[str, str], ...] = ()
            if fault.forward:
                connection = http.client.HTTPConnection(server_at.hostname or "", server_at.port, timeout=60)
                connection.request(self.command, self.path, body, dict(self.headers.items()))
                answer = connection.getresponse()
                status, content = answer.status, answer.read()
                headers = tuple(
                    (name, value)
                    for name, value in answer.getheaders()
                    if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server")
                )
                connection.close()
            if fault.status:
                status, headers, content = fault.status, fault.headers, fault.body
            elif fault.send < 0:
                return
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            if fault.announce:
                self.send_header("Content-Length", str(len(content)))
            self.send_header("Connection", "close")
            self.end_headers()
            own = content[:-1] if fault.stall else content
            self.wfile.write(content if fault.status else own[: fault.send])
            if fault.stall:
                self.wfile.flush()
                proxy.stalled.set()
                proxy.go_on.wait(60)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that was cut off, or killed

    server = Quiet(("127.0.0.1", 0), Handler)
    proxy = FaultyProxy(f"http://127.0.0.1:{server.server_address[1]}{server_at.path}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        with suppress(OSError):
            server.server_close()
        thread.join()
