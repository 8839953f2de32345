"""One process that serves the listening socket: alone, or as one of a supervisor's workers."""

import asyncio
import contextlib
import gc
import logging
import math
import os
import re
import resource
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

from aiohttp import web

from ngshare_fs.api.allocator import share_arenas
from ngshare_fs.hub.watch import greet_hub, watch_hub
from ngshare_fs.server.access_log import ACCESS_LOG, hide_malformed
from ngshare_fs.server.application import make_application
from ngshare_fs.server.connection import Connection, UnfinishedHeads
from ngshare_fs.server.drain import AccessLog, ConnectionDrainer
from ngshare_fs.server.signals import Shutdown
from ngshare_fs.server.sockets import (
    QUEUE,
    InheritedDescriptors,
    admit_no_more,
    handover_environment,
    listen_for,
    same_command,
)
from ngshare_fs.server.startup_message import announce
from ngshare_fs.settings import Settings
from ngshare_fs.store import Volume
from ngshare_fs.terminal.logs import LOG

# How many connections are accepted in one turn: few, so that a burst spreads over the workers.
ACCEPT_AT_ONCE = 8
# A connection that was begun before the stop completes within this time, unless the client is on another continent.
HANDSHAKE_SECONDS = 0.1
# How long handlers get to clean up after they were cut off.
CLEAN_UP_SECONDS = 2
# A thread that hangs in a dead network file system would keep the process for ever.
EXIT_SECONDS = 10
LOOK_SECONDS = 0.1
REHEARSAL_SECONDS = 60
# Files and connections that a process may have open.
MOST_OPEN = 65536


def serve(settings: Settings, inherited: InheritedDescriptors) -> int:
    """Serve until told to stop.

    Args:
        settings: how to serve.
        inherited: what the process before this one left, such as the listening socket.

    Returns:
        The exit code.

    Raises:
        ListenError: the address cannot be had.
        VolumeError: the data folder cannot be used.
    """
    share_arenas()
    _allow_many_connections()
    listener = inherited.listener or listen_for(settings)
    shutdown = Shutdown()
    code = asyncio.run(_serve(settings, inherited, listener, shutdown))
    end_in_time(shutdown)
    return code


def _allow_many_connections() -> None:
    # Few systems allow a process more than 1,024 open files and connections unless it asks. Courses have more members.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_OPEN if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def rehearse(settings: Settings) -> int:
    """Try everything that a start does, except to serve: the process that asks goes on serving meanwhile.

    Raises:
        VolumeError: the data folder cannot be used.
    """

    async def make() -> None:
        with contextlib.closing(Volume.open(settings.data)) as volume:
            make_application(volume, settings)

    asyncio.run(make())
    return 0


def end_in_time(shutdown: Shutdown, become_successor: Callable[[], None] | None = None) -> None:
    """End the process within some seconds, even where a thread hangs in a file system that is gone.

    Args:
        shutdown: what it was told.
        become_successor: what to do instead, in a restart, unless it was told to stop meanwhile.
    """

    def give_up() -> None:
        if become_successor and not shutdown.should_exit:
            _tell_what_hangs("restarting")
            become_successor()
        _end_now()

    timer = threading.Timer(EXIT_SECONDS, give_up)
    timer.daemon = True
    timer.start()


def _end_now() -> NoReturn:
    _tell_what_hangs("stopped")
    os._exit(1)


def _tell_what_hangs(outcome: str) -> None:
    LOG.critical(
        "%s without an end of what hangs in the file system, or of the process that writes: look at the volume and at "
        "the system's log", outcome,
    )  # fmt: skip


async def _serve(
    settings: Settings, inherited: InheritedDescriptors, listener: socket.socket, shutdown: Shutdown
) -> int:
    shutdown.listen(inherited.lifeline)
    volume = await _opened(settings.data, shutdown)
    drainer = ConnectionDrainer(settings.trusted_proxies)
    application = make_application(volume, settings)
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
    accepting = listener.dup()
    accepting.setblocking(False)
    acceptor = await loop.create_server(connect, sock=accepting, backlog=ACCEPT_AT_ONCE)
    listener.listen(QUEUE)  # asyncio has set the queue's length to what it accepts at once
    gc.freeze()  # what is here now stays: collecting garbage need not look at it again
    if inherited.ready is not None:
        with contextlib.suppress(BrokenPipeError):  # the supervisor is gone: the lifeline says so, too
            os.write(inherited.ready, b"1")
        os.close(inherited.ready)
    if not inherited.role:
        announce(settings, listener)
    elif inherited.role == "successor":
        _reap_children_of_predecessor()
        LOG.info("restarted, process %d serves on", os.getpid())

    beside = _beside_serving(settings, inherited, shutdown)
    await _until_told(shutdown, alone=inherited.lifeline is None)
    for task in beside:
        task.cancel()
    restarting = not shutdown.should_exit
    if not restarting:
        if inherited.lifeline is None or shutdown.is_orphaned:
            admit_no_more(listener)
        await asyncio.sleep(HANDSHAKE_SECONDS)
    await _stop_accepting(accepting, acceptor)
    if not restarting:
        await _accept_the_rest(listener, connect)
    LOG.info("%s: finishing the requests under way", "restarting" if restarting else "stopping")
    cut_off = await drainer.end(runner.server, settings.drain_seconds, lambda: shutdown.force_exit)
    if cut_off:
        LOG.warning("%d connections cut off", cut_off)
    become_successor = partial(_become_successor, listener, shutdown) if restarting else None
    end_in_time(shutdown, become_successor)
    await runner.cleanup()
    await asyncio.to_thread(volume.close)
    if become_successor and not shutdown.force_exit:
        become_successor()
    LOG.info("stopped")
    return 0


async def _opened(data: Path, shutdown: Shutdown) -> Volume:
    """Open the volume, and heed a shutdown meanwhile: where a file system does not answer, nobody could stop this."""
    opening = asyncio.create_task(asyncio.to_thread(Volume.open, data))
    give_up_at = math.inf
    while not opening.done():
        await asyncio.wait([opening], timeout=LOOK_SECONDS)
        if not shutdown.should_exit:
            give_up_at = time.monotonic() + EXIT_SECONDS
        elif time.monotonic() > give_up_at:
            _end_now()
    return opening.result()


def _beside_serving(
    settings: Settings, inherited: InheritedDescriptors, shutdown: Shutdown
) -> list[asyncio.Task[None]]:
    hub = settings.hub
    if hub is None:
        return []
    tasks = [asyncio.create_task(greet_hub(hub, settings.prefix))]
    if hub.managed and inherited.role == "worker":
        tasks.append(asyncio.create_task(watch_hub(hub, _parent_of_supervisor, _stop_supervisor)))
    elif hub.managed:
        tasks.append(asyncio.create_task(watch_hub(hub, os.getppid, shutdown.ask_stop)))
    return tasks


def _parent_of_supervisor() -> int:
    status = Path(f"/proc/{os.getppid()}/status").read_text(encoding="utf-8", errors="replace")
    found = re.search(r"^PPid:\s*(\d+)", status, re.MULTILINE)
    return int(found[1]) if found else 0


def _stop_supervisor() -> None:
    os.kill(os.getppid(), signal.SIGTERM)


async def _until_told(shutdown: Shutdown, alone: bool) -> None:
    """Wait for the order to stop, or for one to restart whose rehearsal went well."""
    while True:
        await shutdown.changed.wait()
        shutdown.changed.clear()
        if shutdown.should_exit:
            return
        if shutdown.restart:
            shutdown.restart = False
            if alone and await _rehearsal_goes_well():
                return


async def _rehearsal_goes_well() -> bool:
    """Start the same command aside, with the configuration and the code as they are now, up to serving."""
    process = await asyncio.create_subprocess_exec(
        *same_command(), env=handover_environment("rehearsal"), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(process.communicate(), REHEARSAL_SECONDS)
    except asyncio.TimeoutError:
        process.kill()
        await process.wait()
        output = b"no answer in time"
    if process.returncode == 0:
        return True
    last = output.decode(errors="replace").strip().rpartition("\n")[2]
    LOG.error("no restart, it would fail: %s", last)
    return False


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
            connection, _ = listener.accept()
            queued.append(connection)
    for connection in queued:
        connection.setblocking(False)
        await asyncio.get_running_loop().connect_accepted_socket(connect, connection)


def _reap_children_of_predecessor() -> None:
    """Nobody else waits for a process that wrote, where the one before this one did not see its end."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _become_successor(listener: socket.socket, shutdown: Shutdown) -> None:
    """Start the same command in this process: its id and the listening socket stay, the rest is fresh."""
    os.set_inheritable(listener.fileno(), True)
    command, environment = same_command(), handover_environment("successor", listener.fileno())
    shutdown.leave_the_rest()
    if shutdown.should_exit:
        # That came too late for this process. It waits until the successor can answer those who are in the queue.
        os.kill(os.getpid(), signal.SIGTERM)
    try:
        os.execve(command[0], command, environment)  # noqa: S606 - no shell wanted
    except OSError as error:
        LOG.critical("stopped, for there is nothing to restart: %s: %s", command[0], error.strerror)
        os._exit(1)
