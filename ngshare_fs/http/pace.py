"""How fast a body has to arrive, and how long it may be."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from aiohttp import BodyPartReader, MultipartReader

from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused

Result = TypeVar("Result")
# A client that sends nothing for this long is gone; one that trickles must keep up with the rate below.
IDLE_SECONDS = 60.0
SLOWEST_BYTES_PER_SECOND = 1024
# A boundary of one letter with its dashes, and two line ends.
LEAST_HEAD = 7


class Pace:
    """Keeps a client from holding a connection for ever, or sending for ever."""

    def __init__(self, max_request: int) -> None:
        self._max_request = max_request
        self._received = 0
        self._started = time.monotonic()

    async def wait_for(self, arriving: Coroutine[Any, Any, Result]) -> Result:
        """Wait for the next bytes.

        Raises:
            Refused: none came for too long.
        """
        try:
            return await asyncio.wait_for(arriving, IDLE_SECONDS)
        except asyncio.TimeoutError:
            raise Refused(refusals.TOO_SLOW) from None

    def received(self, count: int) -> None:
        """Take note of so many bytes.

        Raises:
            Refused: they are too many by now, or come too slowly.
        """
        self._received += count
        if self._received > self._max_request:
            raise too_large(self._max_request)
        allowed = IDLE_SECONDS + self._received / SLOWEST_BYTES_PER_SECOND
        if time.monotonic() - self._started > allowed:
            raise Refused(refusals.TOO_SLOW)

    async def next_part(self, reader: MultipartReader) -> BodyPartReader | MultipartReader | None:
        """The next part of a body; None after the last one. Its head counts: else parts of nothing came for ever.

        Raises:
            Refused: it is malformed, or see `wait_for` and `received`.
        """
        try:
            part = await self.wait_for(reader.next())
        except (RuntimeError, AssertionError) as error:  # a field `_charset_` that names none, or has a long boundary
            raise Refused(refusals.MALFORMED_BODY) from error
        if part is not None:
            self.received(LEAST_HEAD + sum(len(name) + len(text) for name, text in part.headers.items()))
        return part


def too_large(most: int) -> Refused:
    """The refusal of a body of more bytes than `most`."""
    return Refused(refusals.TOO_LARGE, limits={refusals.MAX_REQUEST: most})
