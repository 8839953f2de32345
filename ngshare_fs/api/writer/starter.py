"""The process that starts the one that writes, as often as there has to be another.

It is forked from the server before that has threads and an event loop, for a process that has threads cannot be forked
safely: a copy of it may hold a lock that nobody is there to give back. So what is forked from it has all modules
already, shares most of its memory with the server, and is there in milliseconds.
"""

import contextlib
import fcntl
import gc
import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from ngshare_fs.api.writer.process import WriterOptions, write_for
from ngshare_fs.terminal.control_signals import CONTROL_SIGNALS
from ngshare_fs.terminal.logs import LOG

# What the list of processes calls them: at most 15 characters.
NAME, NAME_OF_WRITER = "ngshare-starter", "ngshare-writer"
LONGEST_PATH = 4096
# Descriptors that there may be to close.
MOST_INHERITED = 65536

_PLAIN = WriterOptions()


@dataclass
class WriterStarter:
    """The process that starts others, as the server sees it. Use `WriterStarter.fork`.

    Args:
        pid: its process id.
        connection: the way to it.
        lifeline: our end of a pipe; its end is that of the process.
    """

    pid: int
    connection: socket.socket
    lifeline: int

    @classmethod
    def fork(cls, options: WriterOptions = _PLAIN) -> "WriterStarter | None":
        """Start it; only to be called while this process has one thread.

        Args:
            options: what those that it starts have to know.

        Returns:
            None where there can be no more processes, or open files; the log says so.
        """
        try:
            return cls._fork(options)
        except OSError as error:
            LOG.error("no process beside this one to write: %s; threads write", error.strerror)
            return None

    @classmethod
    def _fork(cls, options: WriterOptions) -> "WriterStarter":
        with _ways_to_a_process(socket.SOCK_SEQPACKET) as (ours, our_end, theirs, lifeline):
            gc.collect()
            gc.freeze()  # collecting garbage would touch, and so copy, all memory that is shared
            # Blocked in the other processes for good: what reaches every process of a terminal or of a service is for
            # us to act on, and then the others hear from us.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, CONTROL_SIGNALS)
            try:
                pid = os.fork()
                if not pid:
                    run(theirs, lifeline, options)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return cls(pid, ours, our_end)

    def start(self, root: str) -> tuple[socket.socket, int]:
        """Let it start a process that writes.

        Args:
            root: the volume's folder.

        Returns:
            the connection to that, and our end of a pipe: once it is closed, the process is killed.

        Raises:
            OSError: it is gone, or too many files are open.
        """
        with _ways_to_a_process(socket.SOCK_STREAM) as (ours, our_end, theirs, lifeline):
            socket.send_fds(self.connection, [os.fsencode(root)], [theirs.fileno(), lifeline])
        return ours, our_end

    def close(self) -> None:
        """Let it end."""
        self.connection.close()
        os.close(self.lifeline)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


@contextlib.contextmanager
def _ways_to_a_process(kind: socket.SocketKind) -> Iterator[tuple[socket.socket, int, socket.socket, int]]:
    """A connection and a pipe: our ends, then those of the process. Once it has its own, we keep none of them.

    Where it comes to no process, ours are closed as well.
    """
    with contextlib.ExitStack() as all_ends, contextlib.ExitStack() as of_the_process:
        ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
        all_ends.callback(ours.close)
        of_the_process.callback(theirs.close)
        lifeline, our_end = os.pipe()
        all_ends.callback(os.close, our_end)
        of_the_process.callback(os.close, lifeline)
        yield ours, our_end, theirs, lifeline
        all_ends.pop_all()


def run(connection: socket.socket, lifeline: int, options: WriterOptions = _PLAIN) -> NoReturn:
    """Be that process.

    Args:
        connection: to the server.
        lifeline: a pipe whose other end the server has.
        options: see `WriterStarter.fork`.
    """
    try:
        kept = () if options.metrics is None else (options.metrics,)
        _prepare(NAME, connection, lifeline, *kept)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # then nobody has to wait for what is started
        while True:
            root, given, *_ = socket.recv_fds(connection, LONGEST_PATH, 2)
            if not root:
                os._exit(0)
            if _fork() == 0:
                its_connection = socket.socket(fileno=given[0])
                _prepare(NAME_OF_WRITER, its_connection, given[1], *kept)
                os._exit(write_for(its_connection, os.fsdecode(root), options))
            for descriptor in given:
                os.close(descriptor)
    except BaseException:
        LOG.critical("a process that writes has failed", exc_info=True)
    finally:
        os._exit(1)  # not by the way that the server ends, whose copy this is


def _fork() -> int | None:
    """As `os.fork`; None where there can be no more processes just now. The server hears that none has started."""
    try:
        return os.fork()
    except OSError as error:
        LOG.error("no process that writes can be started: %s", error.strerror)
        return None


def _prepare(name: str, connection: socket.socket, lifeline: int, *others: int) -> None:
    """Be a process of its own, with these descriptors, standard output and the log's."""
    lowest = 3
    for kept in sorted((connection.fileno(), lifeline, *others)):
        os.closerange(lowest, kept)
        lowest = kept + 1
    # Not up to what may be open: in a container that can be 2^30, and where Python was built for an older system, each
    # number takes a call. Numbers are given from the lowest on, and this was forked early.
    os.closerange(lowest, MOST_INHERITED)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    with contextlib.suppress(OSError), open("/proc/self/comm", "w") as file:
        file.write(name)
    # The kernel is to kill this process when the pipe's other end is closed. A process that was stopped reads no end
    # of anything. With its locks it would outlive the server, and whoever came next would wait for them.
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
