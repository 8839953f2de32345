"""The process beside a server that writes what many hand in at once."""

import contextlib
import fcntl
import gc
import logging
import os
import signal
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

from ngshare_fs.api.action import write
from ngshare_fs.api.allocator import share_arenas
from ngshare_fs.api.blocking import WRITERS, translated
from ngshare_fs.api.call import Call
from ngshare_fs.api.endpoints.table import ENDPOINTS
from ngshare_fs.api.request.form import Form
from ngshare_fs.api.writer.messages import END, HEAD, READY, Job, Outcome, Unexpected, pack, unpack
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import StoreError, Volume
from ngshare_fs.terminal.logs import LOG, set_up

logger = logging.getLogger(__name__)

BUFFER = 2**20
# Thousandths of the memory that there is: as if this process had so much more than it has.
MORE_THAN_SERVER = 500
MOST_OOM_SCORE = 1000


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
        self._threads = ThreadPoolExecutor(WRITERS, thread_name_prefix="write")
        self._endpoints = {(endpoint.method, endpoint.path): endpoint for endpoint in ENDPOINTS}

    def run(self) -> int:
        """Do what comes, until the server says that it was the last; a server that is gone has nobody to answer.

        Returns:
            the exit code.
        """
        self._send(0, READY)
        has_begun = False
        with self._threads, os.fdopen(os.dup(self._connection.fileno()), "rb", BUFFER) as incoming:
            while (received := _next(incoming)) is not None:
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
        self._send(number, self._outcome(job))

    def _outcome(self, job: Job) -> Outcome:
        try:
            form = Form(self._volume.upload(job.staging_folder), job.texts, job.tree)
            call = Call(self._volume, job.user, job.is_admin, job.debug, job.names, form)
            return translated(write, call, self._endpoints[job.method, job.path])
        except (Refused, StoreError) as error:
            return error
        except Exception as error:
            logger.exception("%s %s failed", job.method, job.path)
            return Unexpected(repr(error))

    def _send(self, number: int, message: object) -> None:
        packed = pack(number, message)
        # The reading thread notices when the server is gone, and ends the process.
        with self._sending, contextlib.suppress(ConnectionError):
            self._connection.sendall(packed)


def _die_with_owner_of(lifeline: int) -> None:
    """Let the kernel kill this process when the pipe's other end is closed.

    A process that was stopped reads no end of anything. With its locks it would outlive the server, and whoever came
    next would wait for them.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


def _be_killed_first() -> None:
    """Where memory ends, let the kernel kill this process: threads of the server write on, and clients try again."""
    with contextlib.suppress(OSError, ValueError), open("/proc/self/oom_score_adj", "r+") as file:
        more = min(MOST_OOM_SCORE, int(file.read()) + MORE_THAN_SERVER)
        file.seek(0)
        file.write(str(more))


def _next(incoming: IO[bytes]) -> tuple[int, Any] | None:
    # A server that is gone without having read all answers is not at its end, but an error.
    with contextlib.suppress(ConnectionError):
        head = incoming.read(HEAD.size)
        if len(head) == HEAD.size:
            number, length = HEAD.unpack(head)
            content = incoming.read(length)
            if len(content) == length:
                return number, unpack(content)
    return None


def main(arguments: Sequence[str]) -> int:
    """Write for the server that started this process.

    Args:
        arguments: the descriptors of the connection and of the lifeline, a pipe whose other end the server has; the
            volume's folder, the log's format, and `debug` or nothing.

    Returns:
        The exit code.
    """
    descriptor, lifeline, root, log_format, *rest = arguments
    share_arenas()
    _be_killed_first()
    set_up(log_format, debug=bool(rest))
    _die_with_owner_of(int(lifeline))
    connection = socket.socket(fileno=int(descriptor))
    try:
        volume = Volume.join(root)
    except (OSError, StoreError) as error:
        LOG.error("%s", error)
        return 1
    gc.freeze()  # what is here now stays: collecting garbage need not look at it again
    with contextlib.closing(volume):
        return Writer(volume, connection).run()
