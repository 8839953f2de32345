"""The process beside a server that writes what many hand in at once."""

import contextlib
import gc
import logging
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any

from ngshare_fs import metrics
from ngshare_fs.api.action import write
from ngshare_fs.api.blocking import translated
from ngshare_fs.api.writer.messages import END, HEAD, Job, Outcome, Ready, Unexpected, pack, unpack
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import StoreError, Volume
from ngshare_fs.terminal.logs import LOG

logger = logging.getLogger(__name__)

# They mostly wait for the disk, and flushes that wait together are shared by it.
THREADS = 32
BUFFER = 2**20
# Thousandths of the memory that there is: as if this process had so much more than it has.
MORE_THAN_SERVER = 500
MOST_OOM_SCORE = 1000


@dataclass(frozen=True)
class WriterOptions:
    """What a server tells each process that writes for it.

    Args:
        has_journal: whether it writes down who did what.
        metrics: memory in which it counts, as a descriptor; None where nobody does.
    """

    has_journal: bool = True
    metrics: int | None = None


class Writer:
    """Does the jobs of one server.

    Args:
        volume: where everything is.
        connection: to the server.
    """

    def __init__(self, volume: Volume, connection: socket.socket) -> None:
        self._volume = volume
        self._connection = connection
        self._sending = threading.Lock()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="write")

    def run(self) -> int:
        """Do what comes, until the server says that it was the last; a server that is gone has nobody to answer.

        Returns:
            the exit code.
        """
        self._send(0, Ready(os.getpid()))
        has_begun = False
        with self._threads, os.fdopen(os.dup(self._connection.fileno()), "rb", BUFFER) as incoming:
            while (received := self._next(incoming)) is not None:
                number, message = received
                if message == END:
                    return 0
                has_begun = True
                self._threads.submit(self._do, number, message)
            if has_begun:
                # As if killed with the server: whoever starts next must not find somebody who is still at work.
                os._exit(1)
        # It may have started later than whoever sweeps behind the server.
        return 1

    def _do(self, number: int, job: Job) -> None:
        try:
            self._send(number, _outcome(job))
        except BaseException:  # no memory for the answer: whoever waits for it is to hear that this process is gone
            logger.critical("an answer could not be sent", exc_info=True)
            os._exit(1)
        metrics.count_processor_time()

    def _send(self, number: int, message: object) -> None:
        packed = pack(number, message)
        # The reading thread notices when the server is gone, and ends the process.
        with self._sending, contextlib.suppress(ConnectionError):
            self._connection.sendall(packed)

    def _next(self, incoming: IO[bytes]) -> tuple[int, Any] | None:
        # A server that is gone without having read all answers is not at its end, but an error.
        with contextlib.suppress(ConnectionError):
            head = incoming.read(HEAD.size)
            if len(head) == HEAD.size:
                number, length = HEAD.unpack(head)
                content = incoming.read(length)
                if len(content) == length:
                    return number, unpack(content, self._volume)
        return None


def _outcome(job: Job) -> Outcome:
    call, endpoint = job
    try:
        return translated(write, call, endpoint)
    except (Refused, StoreError) as error:
        return error
    except Exception as error:
        logger.exception("%s %s failed", endpoint.method, endpoint.path)
        return Unexpected(repr(error))


def _be_killed_first() -> None:
    """Where memory ends, let the kernel kill this process: threads of the server write on, and clients try again."""
    with contextlib.suppress(OSError, ValueError), open("/proc/self/oom_score_adj", "r+") as file:
        more = min(MOST_OOM_SCORE, int(file.read()) + MORE_THAN_SERVER)
        file.seek(0)
        file.write(str(more))


def write_for(connection: socket.socket, root: str, options: WriterOptions) -> int:
    """Write for a server.

    Args:
        connection: to it.
        root: the volume's folder.
        options: what else it has to know.

    Returns:
        The exit code.
    """
    _be_killed_first()
    try:
        volume = Volume.join(root)
    except (OSError, StoreError) as error:
        LOG.error("%s", error)
        return 1
    volume.journal.is_on = options.has_journal
    if options.metrics is not None:
        metrics.start(options.metrics, "writer")
    gc.freeze()  # what is here now stays: collecting garbage need not look at it again
    with contextlib.closing(volume):
        return Writer(volume, connection).run()
