"""Decides where a write is done, and looks after the process beside this one."""

import asyncio
import contextlib
import logging

from ngshare_fs.api.action import write
from ngshare_fs.api.blocking import Blocking
from ngshare_fs.api.call import Call
from ngshare_fs.api.endpoint import Endpoint
from ngshare_fs.api.writer.process import THREADS
from ngshare_fs.api.writer.starter import WriterStarter
from ngshare_fs.api.writer.writer_client import CannotStart, StarterIsGone, WriterClient
from ngshare_fs.store import Volume, dates, roster
from ngshare_fs.store.errors import Interrupted

logger = logging.getLogger(__name__)

# Jobs that the other process has: what it does, and as many at hand. The rest need not take memory in both.
MOST_JOBS = 2 * THREADS
# Where one died or did not start, the next one is not tried for so long.
PAUSE_SECONDS = 30.0


class WriteScheduler:
    """Where students' work is written.

    Args:
        blocking: the threads of this process.
        volume: where everything is.
        starter: starts the other process; without it, threads write.

    Attributes:
        writer: the other process, while there is one.
    """

    def __init__(self, blocking: Blocking, volume: Volume, starter: WriterStarter | None) -> None:
        self._blocking = blocking
        self._volume = volume
        self._starter = starter
        self._under_way: set[asyncio.Task[bytes]] = set()
        self._jobs = asyncio.Semaphore(MOST_JOBS)
        self.writer: WriterClient | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def start(self) -> None:
        """Have the other process, from now on."""
        if self._starter is not None:
            self._keeping = asyncio.create_task(self._keep(self._starter))

    async def write(self, call: Call, endpoint: Endpoint) -> bytes:
        """Do it, to its end even if nobody waits for it any more: the body of the answer.

        Raises:
            Refused, StoreError: it was not done, or nobody knows whether it will last.
        """
        task = asyncio.create_task(self._write(call, endpoint))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for what is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)
        self._closing.set()
        if self.writer is not None:
            self.writer.end()
        if self._keeping is not None:
            await self._keeping

    async def _write(self, call: Call, endpoint: Endpoint) -> bytes:
        async with self._jobs:
            if self.writer is None or self.writer.is_gone or self._knows_more(call):
                return await self._blocking.write(write, call, endpoint)
            try:
                return await self.writer.perform(call, endpoint)
            except Interrupted:
                await self._blocking.write(call.form.upload.discard)
                raise

    def _knows_more(self, call: Call) -> bool:
        """Whether what a file said counts until it is mended, which the other process may never have read."""
        return roster.serves_earlier(self._volume, call.course) or dates.serves_earlier(
            self._volume, call.course, call.assignment
        )

    async def _keep(self, starter: WriterStarter) -> None:
        """Start the other process, and look after it; where one has ended, start another one."""
        while not self._closing.is_set():
            try:
                self.writer = await WriterClient.start(starter, self._volume.root)
            except StarterIsGone:
                logger.error("no process beside this one to write: what starts it is gone; threads write from now on")
                return
            except CannotStart as problem:
                logger.error("no process beside this one to write: %s; threads go on", problem)
            else:
                if self._closing.is_set():
                    self.writer.end()
                await self.writer.ended()
                pid, self.writer = self.writer.pid, None
                if self._closing.is_set():
                    return
                logger.error("the writing process %d ended unasked; threads go on", pid)
            await self._blocking.write(self._volume.staging.sweep)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._closing.wait(), PAUSE_SECONDS)
