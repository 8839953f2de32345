"""The process that writes, as the server sees it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from ngshare_fs.api.writer.messages import END, HEAD, READY, Job, Outcome, Unexpected, pack, unpack
from ngshare_fs.store.errors import Interrupted
from ngshare_fs.terminal.control_signals import CONTROL_SIGNALS

START_SECONDS = 60
# With `-m`, a `yaml.py` that somebody has put into the working directory would be imported.
PROGRAM = (
    "import sys; sys.path[:] = sys.argv.pop(1).split(':'); "
    "from ngshare_fs.api.writer.process import main; sys.exit(main(sys.argv[1:]))"
)


class CannotStart(Exception):
    """The process did not get ready; the text says why."""


class WriterClient:
    """A process that writes. Use `WriterClient.start`.

    Args:
        process: it.
        incoming: what it says, from its first word on.
        outgoing: the way to it.
        lifeline: our end of a pipe; its end is that of the process.
    """

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        incoming: asyncio.StreamReader,
        outgoing: asyncio.StreamWriter,
        lifeline: int,
    ) -> None:
        self.pid = process.pid
        self.is_gone = False
        self._process = process
        self._incoming = incoming
        self._outgoing = outgoing
        self._lifeline = lifeline
        self._outcomes: dict[int, asyncio.Future[Outcome]] = {}
        self._number = 0
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, arguments: Sequence[str]) -> "WriterClient":
        """Start one and wait until it is ready.

        Args:
            arguments: as of `process.main`, but for the descriptors.

        Raises:
            CannotStart: it does not get ready.
        """
        try:
            process, connection, lifeline = await asyncio.to_thread(_start, arguments)
        except OSError as error:
            raise CannotStart(error.strerror) from None
        incoming, outgoing = await asyncio.open_unix_connection(sock=connection)
        try:
            _, said = await asyncio.wait_for(_next(incoming), START_SECONDS)
            assert said == READY
        except (EOFError, OSError, asyncio.TimeoutError):
            process.kill()
            outgoing.close()
            os.close(lifeline)
            code = await asyncio.to_thread(process.wait)
            raise CannotStart(f"it ended with exit code {code}") from None
        return cls(process, incoming, outgoing, lifeline)

    async def perform(self, job: Job) -> bytes:
        """Let it do a job: the body of the answer.

        Raises:
            Refused, StoreError: what the job raised; `Interrupted` where the process has ended meanwhile.
        """
        self._number += 1
        outcome = self._outcomes[self._number] = asyncio.get_running_loop().create_future()
        self._outgoing.write(pack(self._number, job))
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

    async def has_ended(self, timeout: float | None) -> bool:
        """Wait for its end, so many seconds at most."""
        await asyncio.wait([self._listening], timeout=timeout)
        return self._listening.done()

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
            await asyncio.to_thread(self._process.wait)
            os.close(self._lifeline)


async def _next(incoming: asyncio.StreamReader) -> tuple[int, Any]:
    number, length = HEAD.unpack(await incoming.readexactly(HEAD.size))
    return number, unpack(await incoming.readexactly(length))


def _start(arguments: Sequence[str]) -> tuple["subprocess.Popen[bytes]", socket.socket, int]:
    lifeline, our_end = os.pipe()
    try:
        ours, theirs = socket.socketpair()
    except OSError:
        os.close(lifeline)
        os.close(our_end)
        raise
    # Blocked in the other process for good: what reaches every process of a terminal or of a service is for us to
    # act on, and then the other one hears from us.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, CONTROL_SIGNALS)
    try:
        given = [theirs.fileno(), lifeline]
        command = [sys.executable, "-c", PROGRAM, ":".join(sys.path), *map(str, given), *arguments]
        process = subprocess.Popen(  # noqa: S603 - our own module
            command, pass_fds=given, stdin=subprocess.DEVNULL
        )
    except OSError:
        ours.close()
        os.close(our_end)
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        os.close(lifeline)
    return process, ours, our_end
