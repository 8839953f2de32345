"""One process that serves the listening socket: alone, or as one of a supervisor's workers."""

import asyncio
import contextlib
import faulthandler
import gc
import logging
import os
import re
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

from aiohttp import web

from ngshare_fs import metrics
from ngshare_fs.api.allocator import share_arenas
from ngshare_fs.api.writer import WriterOptions, WriterStarter
from ngshare_fs.hub.watch import greet_hub, watch_hub
from ngshare_fs.metrics import board
from ngshare_fs.server.access_log import ACCESS_LOG, hide_malformed
from ngshare_fs.server.application import make_application
from ngshare_fs.server.connection import Connection, UnfinishedHeads
from ngshare_fs.server.drain import AccessLog, ConnectionDrainer
from ngshare_fs.server.group_sync import keep_rosters
from ngshare_fs.server.handover import Handover
from ngshare_fs.server.housekeeping import keep_house
from ngshare_fs.server.signal_pipe import heed_none_any_more
from ngshare_fs.server.signals import Shutdown
from ngshare_fs.server.sockets import QUEUE, Listener, listener_for
from ngshare_fs.server.startup_message import announce
from ngshare_fs.settings import Settings
from ngshare_fs.store import Volume
from ngshare_fs.terminal.logs import LOG

# How many connections are accepted in one turn: few, so that a burst spreads over the workers.
ACCEPT_AT_ONCE = 8
# How long handlers get to clean up after they were cut off.
CLEAN_UP_SECONDS = 2
# A thread that hangs in a dead network file system would keep the process for ever.
EXIT_SECONDS = 10
LOOK_SECONDS = 0.1
PING_SECONDS = 1.0
# Files and connections that a process may have open.
MOST_OPEN = 65536


def serve(settings: Settings, supervisor: Handover | None) -> int:
    """Serve until told to stop.

    Args:
        settings: how to serve.
        supervisor: what a worker got from its supervisor; None in a process that serves alone.

    Returns:
        The exit code.

    Raises:
        ListenError: the address cannot be had.
        VolumeError: the data folder cannot be used.
    """
    share_arenas()
    _allow_many_connections()
    # Whoever sends this signal sees in the log what each thread is at, even where the event loop hangs.
    faulthandler.register(signal.SIGUSR1)
    listener = supervisor.listener if supervisor is not None else listener_for(settings, os.environ)
    counters = None
    if settings.metrics:
        counters = board.make() if supervisor is None else supervisor.metrics
    starter = WriterStarter.fork(WriterOptions(settings.journal, counters))
    if counters is not None:
        metrics.start(counters, "server")  # not sooner: a place belongs to one process, not to its children
    asyncio.run(_serve(settings, listener, supervisor, starter))
    if starter is not None:
        starter.close()
    return 0


def _allow_many_connections() -> None:
    # Few systems allow a process more than 1,024 open files and connections unless it asks. Courses have more members.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_OPEN if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _end_in_time() -> None:
    """End the process within some seconds, even where a thread hangs in a file system that is gone."""
    timer = threading.Timer(EXIT_SECONDS, _end_now)
    timer.daemon = True
    timer.start()


def _end_now() -> NoReturn:
    LOG.critical(
        "stopped without an end of what hangs in the file system, or of the process that writes: look at the volume "
        "and at the system's log"
    )
    os._exit(1)


async def _serve(
    settings: Settings, listener: Listener, supervisor: Handover | None, starter: WriterStarter | None
) -> None:
    shutdown = Shutdown()
    shutdown.listen(None if supervisor is None else supervisor.lifeline)
    volume = await _opened(settings, shutdown)
    volume.journal.is_on = settings.journal
    drainer = ConnectionDrainer(settings.trusted_proxies)
    application = make_application(volume, settings, starter)
    drainer.watch(application)
    logging.getLogger("aiohttp.server").addFilter(hide_malformed)
    runner = web.AppRunner(application, shutdown_timeout=CLEAN_UP_SECONDS)
    await runner.setup()
    assert runner.server is not None
    loop = asyncio.get_running_loop()
    connect = partial(
        Connection, runner.server, UnfinishedHeads(), loop=loop, access_log_class=AccessLog, access_log=ACCESS_LOG
    )
    # asyncio closes the socket that it is given when it stops accepting: it gets a copy.
    accepting = listener.socket.dup()
    accepting.setblocking(False)
    acceptor = await loop.create_server(connect, sock=accepting, backlog=ACCEPT_AT_ONCE)
    listener.socket.listen(QUEUE)  # asyncio has set the queue's length to what it accepts at once
    gc.freeze()  # what is here now stays: collecting garbage need not look at it again
    pings = None if supervisor is None else asyncio.create_task(_ping(supervisor.pings))
    if supervisor is None:
        await asyncio.to_thread(announce, settings, listener.socket)  # it looks at what the volume lies on
    beside = _beside_serving(settings, supervisor, shutdown, volume)
    await shutdown.asked.wait()
    for task in beside:
        task.cancel()
    await _stop_accepting(accepting, acceptor)
    if listener.is_systemds:
        listener.socket.close()  # what is queued waits there for the next process
    else:
        await _accept_the_rest(listener.socket, connect)
    LOG.info("stopping: finishing the requests under way")
    cut_off = await drainer.end(runner.server, settings.drain_seconds, lambda: shutdown.at_once)
    if cut_off:
        LOG.warning("%d connections cut off", cut_off)
    heed_none_any_more()
    _end_in_time()
    await runner.cleanup()
    await asyncio.to_thread(volume.close)
    if pings is not None:
        pings.cancel()  # not sooner: whoever takes its time to end does not hang
    LOG.info("stopped")


async def _opened(settings: Settings, shutdown: Shutdown) -> Volume:
    """Open the volume, and heed a shutdown meanwhile: where a file system does not answer, nobody could stop this."""
    opening = asyncio.create_task(asyncio.to_thread(Volume.open, settings.data, settings.upgrade_layout))
    give_up_at = time.monotonic() + EXIT_SECONDS
    while not opening.done():
        await asyncio.wait([opening], timeout=LOOK_SECONDS)
        if not shutdown.asked.is_set():
            give_up_at = time.monotonic() + EXIT_SECONDS
        elif time.monotonic() > give_up_at:
            _end_now()
    return opening.result()


def _beside_serving(
    settings: Settings, supervisor: Handover | None, shutdown: Shutdown, volume: Volume
) -> list[asyncio.Task[None]]:
    tasks = []
    if settings.trash_days:
        tasks.append(asyncio.create_task(keep_house(volume, settings.trash_days)))
    hub = settings.hub
    if hub is None:
        return tasks
    tasks.append(asyncio.create_task(greet_hub(hub, settings.prefix)))
    if settings.group_sync:
        tasks.append(asyncio.create_task(keep_rosters(volume, settings, hub)))
    if hub.managed and supervisor is not None:
        tasks.append(asyncio.create_task(watch_hub(hub, _parent_of_supervisor, _stop_supervisor)))
    elif hub.managed:
        tasks.append(asyncio.create_task(watch_hub(hub, os.getppid, shutdown.ask)))
    return tasks


async def _ping(pings: int) -> None:
    """Tell the supervisor that this process serves, and go on telling as long as the event loop turns."""
    os.set_blocking(pings, False)
    with contextlib.suppress(BrokenPipeError):  # the supervisor is gone: the lifeline says so, too
        while True:
            with contextlib.suppress(BlockingIOError):  # the pipe is full: it has not looked for hours
                os.write(pings, b"1")
            await asyncio.sleep(PING_SECONDS)


def _parent_of_supervisor() -> int:
    status = Path(f"/proc/{os.getppid()}/status").read_text(encoding="utf-8", errors="replace")
    found = re.search(r"^PPid:\s*(\d+)", status, re.MULTILINE)
    return int(found[1]) if found else 0


def _stop_supervisor() -> None:
    os.kill(os.getppid(), signal.SIGTERM)


async def _stop_accepting(accepting: socket.socket, acceptor: asyncio.Server) -> None:
    """Stop accepting, in two steps: asyncio's `Server.close` loses connections accepted in this very turn."""
    asyncio.get_running_loop().remove_reader(accepting)
    for _ in range(5):
        await asyncio.sleep(0)
    acceptor.close()


async def _accept_the_rest(listener: socket.socket, connect: Callable[[], Connection]) -> None:
    """Accept what the kernel has queued, then close: with the socket's end it would be reset.

    Nothing comes between the last look and the end: what the kernel completes in a turn of the event loop would be
    lost.
    """
    queued = []
    listener.setblocking(False)
    with listener, contextlib.suppress(OSError):  # none is left, or no more may be open
        while True:
            with contextlib.suppress(ConnectionAbortedError):  # that client is gone, the next one is not
                queued.append(listener.accept()[0])
    for connection in queued:
        connection.setblocking(False)
        await asyncio.get_running_loop().connect_accepted_socket(connect, connection)
