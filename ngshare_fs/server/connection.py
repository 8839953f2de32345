"""One client's connection: aiohttp's, with limits on what arrives before anybody knows who is asking.

A head is a request's first line and its headers. aiohttp bounds each header and their number, but neither a head as a
whole nor the time that it takes. For these, private names of its class are used; the tests say when one has changed.
"""

import asyncio
import json
import math
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import hdrs, web
from aiohttp.http import RawRequestMessage

from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refusal

# From its first byte to its last; the first one of a connection, from the connection's begin.
HEAD_SECONDS = 60.0
LONGEST_HEAD = 64 * 1024
MOST_HEADERS = 100
# aiohttp remembers the last request of a connection, its head too, until the next one comes.
LONGEST_REMEMBERED = 16 * 1024
# Heads that have begun and are not whole, of all connections together.
MOST_OF_ALL_HEADS = 16 * 2**20

END_OF_HEAD = b"\r\n\r\n"


@dataclass
class UnfinishedHeads:
    """What all connections of a process hold of heads that are not whole yet.

    Args:
        size: in bytes.
    """

    size: int = 0


class Connection(web.RequestHandler):
    """Receives the requests of one client.

    After a chunked request it closes: the fields that may stand behind such a body (trailers) are taken by aiohttp's
    parser for headers of the request that comes next, which would be answered as the trailer's user.

    Args:
        manager: aiohttp's server, which knows all connections.
        heads: shared by all connections.
        options: see `web.RequestHandler`.
    """

    __slots__ = ("_deadline", "_head", "_heads", "_rest_of_body")

    def __init__(self, manager: web.Server, heads: UnfinishedHeads, **options: Any) -> None:
        super().__init__(manager, max_headers=MOST_HEADERS, **options)
        self._heads = heads
        # Bytes of a head that has begun.
        self._head = 0
        # Bytes of the last request's body that are still to come.
        self._rest_of_body = 0.0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._deadline = self._loop.call_later(HEAD_SECONDS, self._head_is_late)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._head_has_ended()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._force_close or self._close:
            return
        count = self._request_count
        super().data_received(data)
        begun = self._request_count - count
        if begun:
            self._request_has_begun(data, begun)
            return
        self._rest_of_body -= len(data)
        if self._rest_of_body < 0:
            self._head_has_grown(-int(self._rest_of_body))
            self._rest_of_body = 0

    def _request_has_begun(self, data: bytes, begun: int) -> None:
        """Find out what else has come with the end of a head.

        Args:
            data: what has just been received.
            begun: how many requests begin with it.
        """
        size = self._head
        self._head_has_ended()
        # Who sends requests without waiting for answers may have to send the later ones again.
        for _ in range(begun - 1):
            self._messages.pop()
        message, payload = self._messages[-1]
        self._rest_of_body = math.inf
        if not isinstance(message, RawRequestMessage):
            return  # no HTTP: it is answered with 400, and the connection closed
        end = data.find(END_OF_HEAD)
        is_large = size + (len(data) if end < 0 else end) > LONGEST_REMEMBERED
        if is_large:
            self._lingering_time = 0.0  # nor is it held while a body comes that nobody reads
        ends_here = begun == 1 and end >= 0 and not is_large
        if message.chunked or message.upgrade or hdrs.EXPECT in message.headers or not ends_here:
            # Where this request ends is not known here; after `Expect`, its client decides whether a body comes.
            self._messages[-1] = (message._replace(should_close=True), payload)
            return
        self._rest_of_body = int(message.headers.get(hdrs.CONTENT_LENGTH, 0)) - (len(data) - end - len(END_OF_HEAD))
        if self._rest_of_body < 0:
            self._head_has_grown(-int(self._rest_of_body))
            self._rest_of_body = 0

    def _head_has_grown(self, count: int) -> None:
        if self._deadline is None:
            self._deadline = self._loop.call_later(HEAD_SECONDS, self._head_is_late)
        self._head += count
        self._heads.size += count
        if self._head > LONGEST_HEAD:
            self._refuse(refusals.HEAD_TOO_LARGE)
        elif self._heads.size > MOST_OF_ALL_HEADS:
            self._refuse(refusals.TOO_MUCH_AT_ONCE)

    def _head_has_ended(self) -> None:
        self._heads.size -= self._head
        self._head = 0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _head_is_late(self) -> None:
        self._deadline = None
        self._end()

    def _refuse(self, refusal: Refusal) -> None:
        if self.transport is not None and self._waits_for_a_request:
            body = json.dumps({"success": False, "message": refusal.message}).encode()
            again = f"Retry-After: {refusal.retry_after}\r\n" if refusal.retry_after is not None else ""
            head = (
                f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}\r\n"
                f"Content-Type: application/json; charset=utf-8\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n{again}\r\n"
            )
            self.transport.write(head.encode() + body)
        self._end()

    def _end(self) -> None:
        """Close, after the answer to a request that is under way."""
        if self._waits_for_a_request:
            self.force_close()
        else:
            self.close()

    @property
    def _waits_for_a_request(self) -> bool:
        return self._current_request is None and not self._messages
