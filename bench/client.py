"""A lean HTTP client: the load generator must not be what is measured."""

import asyncio
import json
import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit

PIECE = 2**18  # of a body, to the kernel
HEAD = 2**14  # of an answer, at most
URLENCODED = "application/x-www-form-urlencoded"


class Wrong(Exception):
    """An answer is not what it must be; the message says how."""


class Answer(NamedTuple):
    """What came back; status 0 where the connection ended before a whole answer was there."""

    status: int
    body: bytearray
    milliseconds: float

    def json(self) -> dict[str, Any]:
        """The answer to a call that must succeed.

        Raises:
            Wrong: it did not.
        """
        if self.status != 200:
            raise Wrong(f"status {self.status}: {bytes(self.body[:200])!r}")
        try:
            answer = json.loads(self.body)
        except ValueError:
            raise Wrong(f"no JSON: {bytes(self.body[:200])!r}") from None
        if not isinstance(answer, dict) or answer.get("success") is not True:
            raise Wrong(f"no success: {bytes(self.body[:200])!r}")
        return answer


class _Exchange(asyncio.BufferedProtocol):
    """One request and its answer on a connection of their own."""

    def __init__(self, head: bytes, body: tuple[bytes, ...]) -> None:
        self._head, self._body = head, body
        # The head, and what came with it; then the body, received into its place without copies.
        self._received = bytearray(HEAD)
        self._got = 0
        self._length = -1
        self._status = 0
        self._may_write = asyncio.Event()
        self._may_write.set()
        self.transport: asyncio.Transport | None = None
        self.done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if sum(map(len, self._body)) <= PIECE:
            transport.write(b"".join((self._head, *self._body)))

    async def send_large(self) -> None:
        """Hand a body over piece by piece, so that it is not copied as a whole."""
        if sum(map(len, self._body)) <= PIECE or self.transport is None:
            return
        self.transport.write(self._head)
        for part in self._body:
            view = memoryview(part)
            for start in range(0, len(view), PIECE):
                await self._may_write.wait()
                if self.done.done() or self.transport.is_closing():
                    return
                self.transport.write(view[start : start + PIECE])

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    def get_buffer(self, sizehint: int) -> memoryview:
        return memoryview(self._received)[self._got :]

    def buffer_updated(self, how_much: int) -> None:
        self._got += how_much
        if self._length < 0:
            end = self._received.find(b"\r\n\r\n", 0, self._got)
            if end < 0:
                return
            self._read_head(bytes(self._received[:end]))
            rest = self._received[end + 4 : min(self._got, end + 4 + self._length)]
            self._received, self._got = bytearray(self._length), len(rest)
            self._received[: len(rest)] = rest
        if self._got == self._length:
            self._finish(self._status)

    def _read_head(self, head: bytes) -> None:
        lines = head.split(b"\r\n")
        self._status = int(lines[0].split(b" ", 2)[1])
        lengths = [line[15:] for line in lines if line[:15].lower() == b"content-length:"]
        # An answer without a length would end with the connection; no server here sends such.
        self._length = int(lengths[0]) if lengths else 0

    def connection_lost(self, error: Exception | None) -> None:
        self._may_write.set()
        self._finish(0)

    def _finish(self, status: int) -> None:
        if not self.done.done():
            self.done.set_result(Answer(status, self._received if status else bytearray(), 0))
        if self.transport is not None:
            self.transport.close()


class Client:
    """Asks one server, each time over a new connection.

    Args:
        url: the server's, with the prefix.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._host, self._port, self._prefix = parts.hostname, parts.port, parts.path

    async def ask(self, method: str, path: str, *body: bytes, encoding: str = URLENCODED) -> Answer:
        """Make a call.

        Args:
            path: what follows the prefix, encoded.
            body: parts of a form; they are sent one behind the other.
            encoding: of the form, as its content type.
        """
        started = time.perf_counter()
        head = f"{method} {self._prefix}{path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nConnection: close\r\n"
        if body:
            head += f"Content-Type: {encoding}\r\nContent-Length: {sum(map(len, body))}\r\n"
        loop = asyncio.get_running_loop()
        try:
            _, exchange = await loop.create_connection(
                lambda: _Exchange((head + "\r\n").encode(), body), self._host, self._port
            )
        except OSError:
            return Answer(0, bytearray(), (time.perf_counter() - started) * 1000)
        await exchange.send_large()
        answer = await exchange.done
        return answer._replace(milliseconds=(time.perf_counter() - started) * 1000)
