"""The requests under way in this process, and how to end without losing any."""

import asyncio
import select
import time
from collections.abc import Callable
from weakref import WeakKeyDictionary

from aiohttp import StreamReader, hdrs, web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.typedefs import Handler

from ngshare_fs import metrics
from ngshare_fs.http.client_address import Networks, client_address
from ngshare_fs.server.access_log import CLIENT, CLIENT_GONE, log_request

# How long a connection without a request may stay once the process is to end: a client in the middle of a
# series of requests sends its next one within that time, and is told with the answer that it closes.
LINGER_SECONDS = 1.0
TICK_SECONDS = 0.02


class ConnectionDrainer:
    """The connections that have a request under way.

    aiohttp's own graceful shutdown throws away what arrives from then on, so that an upload under way never
    completes, and closes connections that are about to send. So the process waits first, answering as usual.

    Args:
        trusted_proxies: who is believed to say where a request came from.
    """

    def __init__(self, trusted_proxies: Networks = ()) -> None:
        self._trusted_proxies = trusted_proxies
        self.ending = False
        # The value is the request's body, once the request is answered: some clients send all of it before
        # they read the answer, so that the connection is not free before its end.
        self._under_way: WeakKeyDictionary[asyncio.BaseTransport, StreamReader | None] = WeakKeyDictionary()

    def watch(self, application: web.Application) -> None:
        """Attach to an application that is not yet set up."""

        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._begin(request, handler)

        application.middlewares.insert(0, middleware)
        application.on_response_prepare.append(self._say_close)

    async def _begin(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        request[DRAINER] = self
        request[CLIENT] = client_address(request, self._trusted_proxies)
        started = time.monotonic()
        if request.transport is not None:
            self._under_way[request.transport] = None
        metrics.count("http_requests_in_flight")
        try:
            return await handler(request)
        except ConnectionError:
            if request.transport is not None and not request.transport.is_closing():
                raise
            # To aiohttp this is an error of ours, to be logged with a traceback. It is not: the client left.
            return web.Response(status=CLIENT_GONE)
        except asyncio.CancelledError:
            log_request(request, CLIENT_GONE, time.monotonic() - started, request.writer.output_size)
            self.answered(request)
            raise
        finally:
            metrics.count("http_requests_in_flight", by=-1)

    async def _say_close(self, request: web.Request, response: web.StreamResponse) -> None:
        if self.ending:
            # The header has been decided before this signal: `force_close` alone would close unannounced.
            response.headers[hdrs.CONNECTION] = "close"
            response.force_close()

    def answered(self, request: web.BaseRequest) -> None:
        """The request has been answered or given up."""
        if request.transport is not None:
            if request.content.is_eof():
                self._under_way.pop(request.transport, None)
            else:
                self._under_way[request.transport] = request.content

    def is_under_way(self, transport: asyncio.BaseTransport) -> bool:
        if transport not in self._under_way:
            return False
        rest = self._under_way[transport]
        return rest is None or not rest.is_eof()

    async def end(self, server: web.Server, limit: float, at_once: Callable[[], bool]) -> int:
        """Answer what is under way and close the connections; nothing accepts new ones by now.

        Args:
            server: aiohttp's server, which knows the connections.
            limit: seconds after which the rest is cut off.
            at_once: whether the operator does not want to wait.

        Returns:
            How many connections were left, with a request unanswered.
        """
        self.ending = True
        started = time.monotonic()
        idle_since: dict[asyncio.BaseTransport, float] = {}
        while server.connections and time.monotonic() < started + limit and not at_once():
            for connection in server.connections:
                transport = connection.transport
                if not isinstance(transport, asyncio.Transport):
                    continue
                if self.is_under_way(transport):
                    idle_since.pop(transport, None)
                elif time.monotonic() > idle_since.setdefault(transport, time.monotonic()) + LINGER_SECONDS:
                    await self._close_idle(transport, connection.force_close)
            await asyncio.sleep(TICK_SECONDS)
        return len(server.connections)

    async def _close_idle(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        # Nothing more is read from here on, so that what arrives stays visible in the kernel's buffer...
        transport.pause_reading()
        # ...and what was read just before gets the turns of the event loop that it takes to reach `_begin`.
        for _ in range(5):
            await asyncio.sleep(0)
        poll = select.poll()
        poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
        if transport.is_closing() or self.is_under_way(transport) or poll.poll(0):
            transport.resume_reading()
        else:
            close()


class AccessLog(AbstractAccessLogger):
    """Writes one line when an answer has been sent: aiohttp calls it after the last byte, of streams too."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        log_request(request, response.status, time, response.body_length)
        drainer = request.get(DRAINER)
        if drainer is not None:
            drainer.answered(request)


DRAINER = web.RequestKey("ngshare_fs.drainer", ConnectionDrainer)
