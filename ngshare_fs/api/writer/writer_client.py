"""The process that writes, as the server sees it."""

import asyncio
import contextlib
import os
import socket
from typing import Any

from ngshare_fs.api.call import Call
from ngshare_fs.api.endpoint import Endpoint
from ngshare_fs.api.writer.messages import END, HEAD, Outcome, Ready, Unexpected, pack, unpack
from ngshare_fs.api.writer.starter import WriterStarter
from ngshare_fs.store.errors import Interrupted

START_SECONDS = 60
# Asked for; most systems give 416 KiB at most.
SEND_BUFFER = 2**20


class CannotStart(Exception):
    """The process did not get ready; the text says why."""


class StarterIsGone(Exception):
    """Nobody is there who could start one."""


class WriterClient:
    """A process that writes. Use `WriterClient.start`.

    Args:
        pid: its process id.
        incoming: what it says, from its second word on.
        outgoing: the way to it.
        lifeline: our end of a pipe; its end is that of the process.
    """

    def __init__(self, pid: int, incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter, lifeline: int) -> None:
        self.pid = pid
        self.is_gone = False
        self._incoming = incoming
        self._outgoing = outgoing
        self._lifeline = lifeline
        self._outcomes: dict[int, asyncio.Future[Outcome]] = {}
        self._number = 0
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, starter: WriterStarter, root: str) -> "WriterClient":
        """Start one and wait until it is ready.

        Args:
            starter: starts it.
            root: the volume's folder.

        Raises:
            CannotStart: it does not get ready.
            StarterIsGone: it never will.
        """
        try:
            connection, lifeline = starter.start(root)
        except ConnectionError:
            raise StarterIsGone from None
        except OSError as error:
            raise CannotStart(error.strerror) from None
        # By default it holds a submission and a half: nearly each would be sent in two goes, by way of a copy.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        incoming, outgoing = await asyncio.open_unix_connection(sock=connection)
        try:
            _, said = await asyncio.wait_for(_next(incoming), START_SECONDS)
            assert isinstance(said, Ready)
        except BaseException as error:
            outgoing.close()
            os.close(lifeline)
            if isinstance(error, asyncio.TimeoutError):
                raise CannotStart(f"it was not ready after {START_SECONDS} seconds") from None
            if isinstance(error, (EOFError, OSError)):
                raise CannotStart("it has ended") from None
            raise
        return cls(said.pid, incoming, outgoing, lifeline)

    async def perform(self, call: Call, endpoint: Endpoint) -> bytes:
        """Let it do what is called: the body of the answer.

        Raises:
            Refused, StoreError: what that raised; `Interrupted` where the process has ended meanwhile.
        """
        self._number += 1
        outcome = self._outcomes[self._number] = asyncio.get_running_loop().create_future()
        self._outgoing.write(pack(self._number, (call, endpoint)))
        found = await outcome
        if isinstance(found, bytes):
            return found
        if isinstance(found, Unexpected):
            raise RuntimeError(found.text)
        raise found

    def end(self) -> None:
        """Let it end when all jobs are done."""
        if not self.is_gone:
            self._outgoing.write(pack(0, END))

    async def ended(self) -> None:
        """Wait for its end."""
        await asyncio.wait([self._listening])

    async def _listen(self) -> None:
        try:
            while True:
                number, outcome = await _next(self._incoming)
                self._outcomes.pop(number).set_result(outcome)
        except (EOFError, ConnectionError):
            pass
        finally:
            self.is_gone = True
            self._outgoing.close()
            for outcome in self._outcomes.values():
                outcome.set_exception(Interrupted())
            self._outcomes.clear()
            os.close(self._lifeline)
            await _end_of(self.pid)


async def _end_of(pid: int) -> None:
    """Wait until a process has let go of its locks, which comes after its connections. Before Linux 5.3 nobody can."""
    with contextlib.suppress(OSError):
        process = os.pidfd_open(pid)
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(process, ended.set)
        try:
            await ended.wait()
        finally:
            asyncio.get_running_loop().remove_reader(process)
            os.close(process)


async def _next(incoming: asyncio.StreamReader) -> tuple[int, Any]:
    number, length = HEAD.unpack(await incoming.readexactly(HEAD.size))
    return number, unpack(await incoming.readexactly(length))
