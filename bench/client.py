"""A lean HTTP client: the load generator must not be what is measured."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

PIECE = 2**18  # of a body, to the kernel
HEAD = 2**14  # of an answer, at most
URLENCODED = "application/x-www-form-urlencoded"
# What the plug-ins' HTTP client says in each request.
HEADERS = "User-Agent: python-requests/2.34.2\r\nAccept-Encoding: gzip, deflate, zstd\r\nAccept: application/json\r\n"
# How long a patient client goes on asking a server that cannot work at the moment.
PATIENCE_SECONDS = 60
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 8.0


def token_of(user: str) -> str:
    """The token that the fake hub knows a user by."""
    return f"token-of-{user}"


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


@dataclass(frozen=True)
class Address:
    """Where a server is, and how clients speak to it.

    Args:
        url: with the prefix.
        behind_hub: whether they are the plug-ins, who say by a token who they are, and not stand-alone clients.
        patient: whether they ask again after a 503, as the plug-ins do.
    """

    url: str
    behind_hub: bool = False
    patient: bool = False


class Client:
    """Asks one server, each time over a new connection.

    Attributes:
        refused: how often it was told 503 and has asked again.
    """

    def __init__(self, address: Address) -> None:
        parts = urlsplit(address.url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._address = address
        self._host, self._port, self._prefix = parts.hostname, parts.port, parts.path
        self.refused = 0

    async def ask(self, method: str, path: str, *body: bytes, user: str = "", encoding: str = URLENCODED) -> Answer:
        """Make a call.

        Args:
            path: what follows the prefix, encoded.
            body: parts of a form; they are sent one behind the other.
            user: who asks; empty where the form of a stand-alone client says it.
            encoding: of the form, as its content type.
        """
        started, pause = time.perf_counter(), FIRST_PAUSE_SECONDS
        head = self._head(method, path, user)
        if body:
            head += f"Content-Type: {encoding}\r\nContent-Length: {sum(map(len, body))}\r\n"
        while True:
            answer = await self._exchange((head + "\r\n").encode(), body)
            milliseconds = (time.perf_counter() - started) * 1000
            if answer.status != 503 or not self._address.patient or milliseconds > 1000 * PATIENCE_SECONDS:
                return answer._replace(milliseconds=milliseconds)
            self.refused += 1
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _head(self, method: str, path: str, user: str) -> str:
        if user and not self._address.behind_hub:
            path += f"{'&' if '?' in path else '?'}user={user}"
        head = f"{method} {self._prefix}{path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nConnection: close\r\n"
        if self._address.behind_hub:
            head += f"{HEADERS}Authorization: token {token_of(user)}\r\n"
        return head

    async def _exchange(self, head: bytes, body: tuple[bytes, ...]) -> Answer:
        loop = asyncio.get_running_loop()
        try:
            _, exchange = await loop.create_connection(lambda: _Exchange(head, body), self._host, self._port)
        except OSError:
            return Answer(0, bytearray(), 0)
        await exchange.send_large()
        return await exchange.done
