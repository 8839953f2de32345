"""Several workers on one listening socket: started, replaced and stopped from here.

This process serves nothing and loads nothing that does, so that it stays small and never fails with them.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from ngshare_fs import metrics
from ngshare_fs.metrics import board
from ngshare_fs.server.handover import Handover, same_command
from ngshare_fs.server.signal_pipe import SignalPipe, heed_none_any_more
from ngshare_fs.server.sockets import Listener, listener_for
from ngshare_fs.server.startup_message import announce
from ngshare_fs.settings import Settings, SettingsError
from ngshare_fs.terminal.control_signals import CONTROL_SIGNALS
from ngshare_fs.terminal.logs import LOG

# A worker that ends within this time of its start counts as failing at the start: the next one waits longer.
YOUNG_SECONDS = 10
LONGEST_PAUSE_SECONDS = 30
# What a worker takes, beyond the time for its requests, to clean up and end.
EXTRA_SECONDS = 15
START_SECONDS = 120
LOOK_SECONDS = 1.0
# A worker that was not heard of in so many looks one after the other hangs: its event loop does not turn. Whatever may
# take long, such as a flush, is done in threads. Looks are counted, and not seconds, because after a pause of the whole
# machine or container (a snapshot, `docker pause`, Ctrl-Z) this process may be the first that goes on.
SILENT_LOOKS = 30
MOST_PINGS = 65536  # a full pipe
# To write into the log where it hangs.
STACK_SECONDS = 1


@dataclass
class Worker:
    """A child process; on the pipe `pings` it says that it serves, each second."""

    process: "subprocess.Popen[bytes]"
    started: float
    pings: int | None
    is_ready: bool = False
    silent_looks: int = 0
    outdated: bool = False
    kill_at: float | None = None

    @property
    def is_ending(self) -> bool:
        return self.kill_at is not None

    def has_pinged(self) -> bool:
        """Whether it has said something since somebody last looked."""
        try:
            return self.pings is not None and os.read(self.pings, MOST_PINGS) != b""
        except BlockingIOError:
            return False


def supervise(settings: Settings, read_again: Callable[[], Settings]) -> int:
    """Keep workers serving until told to stop.

    Args:
        settings: how to serve; `workers` says how many.
        read_again: reads the settings anew, for a restart; raises SettingsError.

    Returns:
        The exit code: that of the first worker, where it did not even start.

    Raises:
        ListenError: the address cannot be had.
    """
    return Supervisor(settings, listener_for(settings, os.environ), read_again).run()


class Supervisor:
    """The workers, and what is to become of them. One thread; every signal and pipe wakes its one loop."""

    def __init__(self, settings: Settings, listener: Listener, read_again: Callable[[], Settings]) -> None:
        self.settings = self.former = settings
        self.read_again = read_again
        self.announced = False
        self.listener = listener
        self.workers: list[Worker] = []
        self.stopping = False
        self.early_ends = 0
        self.next_start = 0.0
        self.next_look = 0.0
        self.had_terminal = os.isatty(0)
        # Workers read this pipe's end when we are gone, however we went: no orphan keeps the port.
        self.lifeline, self._lifeline_kept = os.pipe()
        # Its counters outlive each worker. A restart may switch them on: without, it takes no memory.
        self.metrics = board.make()
        if settings.metrics:
            metrics.start(self.metrics, "supervisor")
        self.selector = selectors.DefaultSelector()

    def run(self) -> int:
        """Start the workers, and look after them until the last one has ended."""
        signals = SignalPipe((*CONTROL_SIGNALS, signal.SIGCHLD))
        self.selector.register(signals.end, selectors.EVENT_READ)
        while True:
            code = self._act()
            if code is not None:
                heed_none_any_more()
                return code
            for key, _ in self.selector.select(LOOK_SECONDS):
                if key.fileobj is signals.end:
                    for received in signals.received():
                        self._obey(received)
                else:
                    self._hear(key.data)

    def _obey(self, number: signal.Signals) -> None:
        if number == signal.SIGHUP and self.had_terminal and not os.isatty(0):
            number = signal.SIGTERM  # the terminal was closed, nobody asked for a restart
        if number in (signal.SIGTERM, signal.SIGINT):
            if self.stopping and number == signal.SIGINT:
                for worker in self.workers:
                    worker.process.kill()
            elif not self.stopping:
                self._stop()
        elif number == signal.SIGHUP and not self.stopping:
            self._restart()

    def _stop(self) -> None:
        LOG.info("stopping: %d workers finish their requests", len(self.workers))
        self.stopping = True
        self.listener.socket.close()  # the last worker to end accepts what is queued until then
        for worker in self.workers:
            self._end(worker)

    def _restart(self) -> None:
        try:
            settings = self.read_again()
        except SettingsError as error:
            LOG.error("no restart, it would fail: %s", error)
            return
        is_elsewhere = (settings.host, settings.port) != (self.settings.host, self.settings.port)
        if is_elsewhere and not self.listener.is_systemds:
            LOG.warning("another host or port counts after a stop and a start only")
        LOG.info("restarting: %d workers are replaced one by one", len(self.workers))
        if not any(worker.outdated and not worker.is_ending for worker in self.workers):
            self.former = self.settings  # else these are still being tried
        self.settings = settings
        self.early_ends, self.next_start = 0, 0.0
        for worker in self.workers:
            worker.outdated = True

    def _hear(self, worker: Worker) -> None:
        if worker.pings is None:
            return  # reaped in the same round
        self.selector.unregister(worker.pings)  # from now on its pings are looked for
        worker.is_ready = worker.has_pinged()
        if not worker.is_ready:
            return  # the pipe ended without a word: the process is about to end, too
        LOG.info("worker %d serves", worker.process.pid)
        if not self.announced and not self.stopping:
            self.announced = True
            announce(self.settings, self.listener.socket)
        if worker.outdated or self.stopping:
            return
        replaced = next((old for old in self.workers if old.outdated and not old.is_ending), None)
        if replaced is not None:
            self._end(replaced)

    def _act(self) -> int | None:
        """Do what is due. Gives the exit code once all is done."""
        now = time.monotonic()
        if now >= self.next_look:
            self.next_look = now + LOOK_SECONDS
            metrics.count_processor_time()
            self._look_for_hanging(now)
        for worker in list(self.workers):
            if worker.process.poll() is not None:
                code = self._reap(worker, now)
                if code is not None:
                    return code
            elif worker.kill_at is not None and now >= worker.kill_at:
                LOG.error("worker %d does not end: killed", worker.process.pid)
                worker.process.kill()
                worker.kill_at = now + EXTRA_SECONDS
            elif not worker.is_ready and not worker.is_ending and now > worker.started + START_SECONDS:
                LOG.error("worker %d does not get ready: killed", worker.process.pid)
                worker.process.kill()
                worker.started = now
        self._reap_orphans()
        if self.stopping:
            if self.workers:
                return None
            LOG.info("stopped")
            return 0
        staying = [worker for worker in self.workers if not worker.is_ending]
        outdated = [worker for worker in staying if worker.outdated]
        starting = [worker for worker in staying if not worker.is_ready]
        current = len(staying) - len(outdated)
        if not outdated:
            for worker in staying[self.settings.workers :]:
                self._end(worker)
        # One at a time, while a worker's start is what tries the settings: the first ever, and at a restart.
        missing = self.settings.workers - current
        room = 1 - len(starting) if outdated or not self.announced else missing
        for _ in range(min(missing, room) if now >= self.next_start else 0):
            self._start()
        if outdated and current >= self.settings.workers and not starting:
            # Fewer workers than before the restart: the rest of the old ones go without a successor.
            for worker in outdated:
                self._end(worker)
        return None

    def _reap_orphans(self) -> None:
        """As a container's process 1, this one is given what a dead worker has started, and has to collect it."""
        own = {worker.process.pid for worker in self.workers}
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and ended.si_pid not in own:
                os.waitpid(ended.si_pid, 0)

    def _look_for_hanging(self, now: float) -> None:
        for worker in self.workers:
            if not worker.is_ready or worker.is_ending:
                continue
            worker.silent_looks = 0 if worker.has_pinged() else worker.silent_looks + 1
            if worker.silent_looks >= SILENT_LOOKS:
                LOG.critical(
                    "worker %d hangs, it has not been heard of for %.0f s: it is killed, and another one starts; "
                    "this is where it hangs, unless the kernel holds it:",
                    worker.process.pid,
                    SILENT_LOOKS * LOOK_SECONDS,
                )
                metrics.count("worker_restarts_total", "hung")
                worker.process.send_signal(signal.SIGUSR1)
                worker.kill_at = now + STACK_SECONDS

    def _reap(self, worker: Worker, now: float) -> int | None:
        self.workers.remove(worker)
        self._close_pipe(worker)
        if worker.is_ending:
            return None
        code = worker.process.returncode
        if not self.announced:
            # The very first one did not start, and has said why: the next one would fail as well.
            return code if code > 0 else 1
        outdated = [old for old in self.workers if old.outdated and not old.is_ending]
        if not worker.is_ready and not worker.outdated and outdated:
            LOG.error(
                "no restart: the new worker %d did not start (%s); the old ones serve on",
                worker.process.pid,
                _end_text(code),
            )
            for old in outdated:
                old.outdated = False
            self.settings = self.former
            return None
        self.early_ends = self.early_ends + 1 if now < worker.started + YOUNG_SECONDS else 0
        pause = min(2.0 ** (self.early_ends - 1), LONGEST_PAUSE_SECONDS) if self.early_ends else 0.0
        self.next_start = now + pause
        metrics.count("worker_restarts_total", "ended")
        LOG.error(
            "worker %d ended unasked (%s); another one starts%s",
            worker.process.pid, _end_text(code), f" in {pause:.0f} s" if pause else "",
        )  # fmt: skip
        return None

    def _start(self) -> None:
        ours, theirs = os.pipe()
        os.set_blocking(ours, False)
        configuration = os.memfd_create("configuration")
        os.write(configuration, self.settings.file)
        os.lseek(configuration, 0, os.SEEK_SET)
        handover = Handover(self.listener, self.lifeline, theirs, self.metrics, configuration)
        # Blocked in the child from its first instruction: Ctrl-C and a closed terminal are for us to act on, and a stop
        # waits until it can answer those who are in the queue.
        signal.pthread_sigmask(signal.SIG_BLOCK, CONTROL_SIGNALS)
        try:
            process = subprocess.Popen(  # noqa: S603 - our own command line
                same_command(),
                env=handover.environment(),
                pass_fds=handover.descriptors,
                stdin=subprocess.DEVNULL,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, CONTROL_SIGNALS)
            os.close(theirs)
            os.close(configuration)
        worker = Worker(process, time.monotonic(), ours)
        self.workers.append(worker)
        self.selector.register(ours, selectors.EVENT_READ, worker)

    def _end(self, worker: Worker) -> None:
        if not worker.is_ending:
            worker.kill_at = time.monotonic() + self.settings.drain_seconds + EXTRA_SECONDS
            worker.process.terminate()

    def _close_pipe(self, worker: Worker) -> None:
        if worker.pings is not None:
            with contextlib.suppress(KeyError):  # it is ready: nobody waits for it any more
                self.selector.unregister(worker.pings)
            os.close(worker.pings)
            worker.pings = None


def _end_text(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
