"""What a connection may carry before anybody knows who is asking, byte by byte."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from ngshare_fs.server import connection
from ngshare_fs.server.application import make_application
from ngshare_fs.server.connection import LONGEST_HEAD, LONGEST_REMEMBERED, Connection, UnfinishedHeads
from ngshare_fs.settings import Settings
from ngshare_fs.store import Volume
from tests.conftest import until

AS_ROOT = "Authorization: token user:root\r\n"
PATIENCE = 60
# The user of a request with nothing in it but this is nobody.
NOBODY = b"GET /api/courses HTTP/1.1\r\nHost: x\r\n\r\n"
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"


class Caller:
    """One end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, *parts: str | bytes) -> None:
        for part in parts:
            self.writer.write(part if isinstance(part, bytes) else part.encode())

    async def answer(self) -> tuple[int, dict[str, Any], str]:
        """Status, body and head of the next answer."""
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r")[0])
        body = await asyncio.wait_for(self.reader.readexactly(length), PATIENCE)
        return int(head.split()[1]), json.loads(body) if b"{" in body else {}, head

    async def ends(self) -> bool:
        """Whether the server closes without another word."""
        try:
            return await asyncio.wait_for(self.reader.read(), PATIENCE) == b""
        except ConnectionError:
            return True


Connect = Callable[[], Awaitable[Caller]]


@asynccontextmanager
async def serving(settings: Settings, heads: UnfinishedHeads) -> AsyncIterator[int]:
    """Serve an application through our own connections; gives the port."""
    volume = Volume.open(settings.data)
    runner = web.AppRunner(make_application(volume, settings))
    await runner.setup()
    assert runner.server is not None
    loop = asyncio.get_running_loop()
    acceptor = await loop.create_server(partial(Connection, runner.server, heads, loop=loop), "127.0.0.1", 0)
    try:
        yield acceptor.sockets[0].getsockname()[1]
    finally:
        acceptor.close()
        await runner.cleanup()
        volume.close()


@pytest.fixture
def heads() -> UnfinishedHeads:
    return UnfinishedHeads()


@pytest.fixture
async def connect(settings: Settings, heads: UnfinishedHeads, tmp_path: Path) -> AsyncIterator[Connect]:
    """Makes connections to a server."""
    callers: list[Caller] = []
    async with serving(settings, heads) as port:

        async def made() -> Caller:
            callers.append(Caller(*await asyncio.open_connection("127.0.0.1", port)))
            return callers[-1]

        yield made
        for caller in callers:
            caller.writer.transport.abort()
    assert heads.size == 0


TRAILERS = {
    "one": f"0\r\n{AS_ROOT}\r\n",
    "several": f"0\r\nX-First: 1\r\n{AS_ROOT}\r\n",
    "several, ours first": f"0\r\n{AS_ROOT}X-Last: 1\r\n\r\n",
    "announced": f"0;x=y\r\n{AS_ROOT}\r\n",
    "none": "0\r\n\r\n",
}


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("trailer", TRAILERS)
async def test_a_trailer_is_no_header_of_the_next_request(connect: Connect, trailer: str, together: bool) -> None:
    caller = await connect()
    head = f"POST /api/course/c HTTP/1.1\r\nHost: x\r\nTE: trailers\r\n{FORM}Transfer-Encoding: chunked\r\n\r\n"
    request = f"{head}9\r\nuser=anna\r\n{TRAILERS[trailer]}"
    if together:
        caller.send(request, NOBODY)
    else:
        caller.send(request)
    status, body, said = await caller.answer()
    assert (status, body["message"]) == (403, "Permission denied (not admin)")
    assert "connection: close" in said
    if not together:
        caller.send(NOBODY)
    assert await caller.ends()


@pytest.mark.parametrize("path", ["courses", "healthz", "nowhere"])
async def test_two_authorizations_are_refused(connect: Connect, path: str) -> None:
    caller = await connect()
    caller.send(f"GET /api/{path} HTTP/1.1\r\nHost: x\r\n{AS_ROOT}authorization: token user:kevin\r\n\r\n")
    status, body, _ = await caller.answer()
    assert (status, body["message"]) == (400, "Malformed request: more than one Authorization header")


AMBIGUOUS = {
    "two lengths": "Content-Length: 5\r\nContent-Length: 7\r\n",
    "one length twice": "Content-Length: 5\r\nContent-Length: 5\r\n",
    "two lengths in one": "Content-Length: 5, 7\r\n",
    "a length with a sign": "Content-Length: +5\r\n",
    "a length and chunks": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "chunks and a length": "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "chunks twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "an encoding that is no framing": "Transfer-Encoding: identity\r\n",
    "an encoding after the chunks": "Transfer-Encoding: chunked, gzip\r\n",
    "another word for chunks": "Transfer-Encoding: xchunked\r\n",
    "two hosts": "Host: y\r\n",
    "a blank before the colon": "Content-Length : 5\r\n",
    "a folded header": "X: 1\r\n Content-Length: 5\r\n",
    "a line that ends early": "X: 1\nContent-Length: 5\r\n",
    "a name that is none": "Content Length: 5\r\n",
    "a NUL": "X: \0\r\n",
}


@pytest.mark.parametrize("case", AMBIGUOUS)
async def test_a_head_that_can_be_read_in_two_ways_is_refused(connect: Connect, case: str) -> None:
    caller = await connect()
    smuggled = f"GET /api/courses HTTP/1.1\r\nHost: x\r\n{AS_ROOT}\r\n"
    caller.send(f"POST /api/course/c HTTP/1.1\r\nHost: x\r\n{FORM}{AMBIGUOUS[case]}\r\n0\r\n\r\n{smuggled}")
    received = await asyncio.wait_for(caller.reader.read(), PATIENCE)
    assert received.split()[1] == b"400", received
    assert received.count(b"HTTP/1.") == 1, received


@pytest.mark.parametrize("upgrade", ["Connection: upgrade\r\nUpgrade: websocket\r\n", "Upgrade: h2c\r\n"])
async def test_after_an_upgrade_that_is_none_nothing_is_misunderstood(connect: Connect, upgrade: str) -> None:
    caller = await connect()
    caller.send(f"GET /api/courses HTTP/1.1\r\nHost: x\r\n{AS_ROOT}{upgrade}\r\n", NOBODY)
    status, _, said = await caller.answer()
    assert status == 200
    if "connection: close" in said:
        assert await caller.ends()
    else:
        assert (await caller.answer())[0] == 403


async def test_requests_that_follow_each_other_keep_the_connection(connect: Connect) -> None:
    caller = await connect()
    get = f"GET /api/courses HTTP/1.1\r\nHost: x\r\n{AS_ROOT}\r\n"
    post = f"POST /api/course/{{}} HTTP/1.1\r\nHost: x\r\n{AS_ROOT}{FORM}Content-Length: 11\r\n\r\nx=%0d%0a%0d"
    for number in range(3):
        caller.send(get)
        assert (await caller.answer())[0] == 200
        caller.send(post.format(number))
        assert (await caller.answer())[0] == 200
        another = post.format(f"{number}x")
        for piece in (another[:20], another[20:-4], another[-4:]):
            caller.send(piece)
            await caller.writer.drain()
        assert (await caller.answer())[0] == 200
    # One that does not wait for the answer may be cut off behind the first one, but never gets a wrong one.
    caller.send(get, NOBODY)
    assert (await caller.answer())[0] == 200


async def test_a_head_that_does_not_end_is_cut_off(connect: Connect, heads: UnfinishedHeads) -> None:
    caller = await connect()
    caller.send("GET /api/courses HTTP/1.1\r\nHost: x\r\n", "".join(f"X-{i}: {'x' * 8000}\r\n" for i in range(8)))
    await caller.writer.drain()
    caller.send(f"X-9: {'x' * 2000}\r\n")
    status, body, _ = await caller.answer()
    assert (status, body["message"]) == (431, "Request headers too large")
    assert await caller.ends()
    await until(lambda: heads.size == 0)


async def test_all_unfinished_heads_together_are_bounded(
    connect: Connect, heads: UnfinishedHeads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MOST_OF_ALL_HEADS", 5 * LONGEST_HEAD // 2)
    callers = [await connect() for _ in range(8)]
    for caller in callers:
        caller.send("GET /api/courses HTTP/1.1\r\n", "".join(f"X-{i}: {'x' * 8000}\r\n" for i in range(7)))
    answers = [asyncio.ensure_future(caller.answer()) for caller in callers]
    await until(lambda: sum(answer.done() for answer in answers) >= 6)
    assert {answer.result()[0] for answer in answers if answer.done()} == {503}
    assert heads.size <= connection.MOST_OF_ALL_HEADS
    for answer in answers:
        answer.cancel()
    caller = await connect()  # whose head comes as a whole is answered
    caller.send(NOBODY)
    assert (await caller.answer())[0] == 403


@pytest.mark.parametrize("begin", ["", "G", "GET /api/courses HTTP/1.1\r\nHost: x\r\nX: 1"])
@pytest.mark.parametrize("before", ["nothing", "a request", "a request with it", "a body with it"])
async def test_a_head_that_is_late_is_cut_off(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, before: str, begin: str
) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.2)
    caller = await connect()
    request = f"GET /api/courses HTTP/1.1\r\nHost: x\r\n{AS_ROOT}"
    if before == "a body with it":
        request += f"{FORM}Content-Length: 8\r\n\r\nxx=12345"
    elif before != "nothing":
        request += "\r\n"
    if before == "nothing":
        caller.send(begin)
    elif before == "a request":
        caller.send(request)
        assert (await caller.answer())[0] == 200
        caller.send(begin)
    else:
        caller.send(request + begin)
        assert (await caller.answer())[0] == 200
    if before != "nothing" and not begin:
        # A connection that has served and now rests may rest longer than that.
        await asyncio.sleep(0.5)
        caller.send(NOBODY)
        assert (await caller.answer())[0] == 403
    else:
        assert await caller.ends()


async def test_a_slow_head_is_answered(connect: Connect) -> None:
    caller = await connect()
    for byte in NOBODY:
        caller.send(bytes([byte]))
        await caller.writer.drain()
    assert (await caller.answer())[0] == 403


@pytest.mark.parametrize("body", ["", "Content-Length: 1000\r\n"])
async def test_a_large_head_is_not_remembered(connect: Connect, body: str) -> None:
    caller = await connect()
    headers = "".join(f"X-{i}: {'x' * 8000}\r\n" for i in range(LONGEST_REMEMBERED // 8000 + 1))
    caller.send(f"GET /api/healthz HTTP/1.1\r\nHost: x\r\n{AS_ROOT}{headers}{body}\r\n")
    status, _, said = await caller.answer()
    assert status == 200
    assert "connection: close" in said
    begun = asyncio.get_running_loop().time()
    assert await caller.ends()
    assert asyncio.get_running_loop().time() - begun < 5  # who reads on for the rest of a body does so for ten seconds
