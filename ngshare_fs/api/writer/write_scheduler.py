"""Decides where a write is done, and looks after the process beside this one."""

import asyncio
import logging
import time

from ngshare_fs.api.action import write
from ngshare_fs.api.blocking import WRITERS, Blocking
from ngshare_fs.api.call import Call
from ngshare_fs.api.endpoint import Endpoint
from ngshare_fs.api.writer.messages import Job
from ngshare_fs.api.writer.writer_client import CannotStart, WriterClient
from ngshare_fs.store import Volume
from ngshare_fs.store.errors import Interrupted

logger = logging.getLogger(__name__)

# So many writes at once are done by threads of this process; more are worth another one, and its memory.
FEW = 2
# Jobs that the other process has: what it does, and as many at hand. The rest need not take memory in both.
MOST_JOBS = 2 * WRITERS
# It ends after so long without a write.
IDLE_SECONDS = 60.0
# Where one died or did not start, the next one is not tried for so long.
PAUSE_SECONDS = 30.0


class WriteScheduler:
    """Where students' work is written.

    Args:
        blocking: the threads of this process.
        volume: where everything is.
        log_format: `text` or `json`.
        debug: whether debug mode is on.

    Attributes:
        writer: the other process, while there is one.
    """

    def __init__(self, blocking: Blocking, volume: Volume, log_format: str, debug: bool) -> None:
        self._blocking = blocking
        self._volume = volume
        self._arguments = [volume.root, log_format, *(["debug"] if debug else [])]
        self._under_way: set[asyncio.Task[bytes]] = set()
        self._last = 0.0
        self._jobs = asyncio.Semaphore(MOST_JOBS)
        self.writer: WriterClient | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._not_before = 0.0
        self._closed = False

    async def write(self, call: Call, endpoint: Endpoint) -> bytes:
        """Do it, to its end even if nobody waits for it any more: the body of the answer.

        Raises:
            Refused, StoreError: it was not done, or nobody knows whether it will last.
        """
        self._last = time.monotonic()
        task = asyncio.create_task(self._write(call, endpoint))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        if len(self._under_way) > FEW and self._keeping is None and self._last >= self._not_before:
            self._keeping = asyncio.create_task(self._keep())
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for what is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)
        self._closed = True
        if self.writer is not None:
            self.writer.end()
        if self._keeping is not None:
            await self._keeping

    async def _write(self, call: Call, endpoint: Endpoint) -> bytes:
        async with self._jobs:
            if self.writer is None or self.writer.is_gone:
                return await self._blocking.write(write, call, endpoint)
            upload = call.form.upload
            job = Job(
                endpoint.method, endpoint.path, call.user, call.is_admin, call.debug, dict(call.names),
                call.form.texts, call.form.tree, upload.staging_folder,
            )  # fmt: skip
            try:
                return await self.writer.perform(job)
            except Interrupted:
                await self._blocking.write(upload.discard)
                raise

    async def _keep(self) -> None:
        """Start the other process, and look after it to its end."""
        try:
            writer = await WriterClient.start(self._arguments)
        except CannotStart as problem:
            logger.error("no process beside this one to write: %s; threads go on", problem)
            await self._pause()
            return
        self.writer = writer
        while not self._closed and (self._under_way or time.monotonic() - self._last < IDLE_SECONDS):
            if await writer.has_ended(IDLE_SECONDS) and not self._closed:
                logger.error("the writing process %d ended unasked; threads go on", writer.pid)
                await self._pause()
                return
        writer.end()
        self.writer = self._keeping = None
        await writer.has_ended(None)

    async def _pause(self) -> None:
        await self._blocking.write(self._volume.staging.sweep)
        self.writer = self._keeping = None
        self._not_before = time.monotonic() + PAUSE_SECONDS
