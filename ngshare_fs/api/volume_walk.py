"""Counts what is on the volume, in the background, for the metrics and for the pages of admins.

Where there are metrics, one process of each server does it again and again. Otherwise one of all processes that serve
the volume does it now and then. Either leaves what it has found on the volume, for the pages of all of them.
"""

import logging
import threading
import time

from ngshare_fs import metrics
from ngshare_fs.api.rests import Rests, Stopped
from ngshare_fs.store import StoreError, Volume
from ngshare_fs.store.upkeep import figures, last_count

logger = logging.getLogger(__name__)

# After a walk, the next one begins no sooner; nor sooner than after twenty times as long as it took.
PAUSE_SECONDS = 300.0
SHARE = 20
# The same where nobody but the pages asks for it: of all processes of the volume, so long after the last one's walk.
PAGES_SECONDS = 3600.0
# Where another process does it, it is looked so often whether that is still there.
LOOK_SECONDS = 15.0
LOOK_FOR_PAGES_SECONDS = 300.0
# Whoever starts has other things to do.
FIRST_SECONDS = 10.0
# Of the time, so much is spent on it: each piece of work is followed by nine times as long a rest.
WORK_SECONDS = 0.02
REST = 9


class VolumeWalk:
    """The walk, in a thread of its own.

    Args:
        volume: what is counted.
        for_metrics: whether this server has metrics.
    """

    def __init__(self, volume: Volume, for_metrics: bool) -> None:
        self._volume = volume
        self._for_metrics = for_metrics
        self._stop = threading.Event()
        self._rosters = figures.Rosters()
        self._said = ""

    def start(self) -> None:
        """Begin, if there can be a thread more."""
        try:
            threading.Thread(target=self._run, name="volume walk", daemon=True).start()
        except RuntimeError:
            logger.error("there can be no thread to count what is on the volume")

    def stop(self) -> None:
        """End soon."""
        self._stop.set()

    def _run(self) -> None:
        try:
            if self._for_metrics:
                self._walk_for_metrics()
            else:
                self._walk_for_pages()
        except Stopped:
            return

    def _walk_for_metrics(self) -> None:
        while not metrics.leads():
            self._wait(LOOK_SECONDS)
        while True:
            started = time.monotonic()
            try:
                found = self._collect()
                _publish(found)
                with last_count.counting(self._volume) as is_ours:
                    if is_ours:
                        last_count.leave(self._volume, found)
                self._said = ""
            except Exception as error:
                self._failed(error)
            taken = time.monotonic() - started
            metrics.gauge("collection_duration_seconds", taken)
            self._wait(max(PAUSE_SECONDS, SHARE * taken))

    def _walk_for_pages(self) -> None:
        self._wait(FIRST_SECONDS)
        while True:
            started = time.monotonic()
            try:
                with last_count.counting(self._volume) as is_ours:
                    if is_ours and self._is_due():
                        last_count.leave(self._volume, self._collect())
                self._said = ""
            except Exception as error:
                self._failed(error)
            self._wait(max(LOOK_FOR_PAGES_SECONDS, SHARE * (time.monotonic() - started)))

    def _is_due(self) -> bool:
        # Whoever looks first after that is late by a little: better once an hour than each second one.
        return last_count.seconds_since_last(self._volume) > PAGES_SECONDS - LOOK_FOR_PAGES_SECONDS

    def _collect(self) -> figures.Figures:
        return figures.collect(self._volume, Rests(self._stop, REST, WORK_SECONDS), self._rosters)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, Stopped):
            raise error
        if not isinstance(error, (OSError, StoreError)):
            logger.error("what is on the volume could not be counted", exc_info=error)
        elif self._said != str(error):
            # A full disk, or one that is mounted read-only, stays so for long: once is enough.
            self._said = str(error)
            logger.warning("what was counted on the volume cannot be left there for the pages: %s", error)

    def _wait(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Stopped


def _publish(found: figures.Figures) -> None:
    metrics.gauge("courses", found.courses)
    metrics.gauge("assignments", found.assignments)
    metrics.gauge("submissions_stored", found.submissions)
    metrics.gauge("staging_entries", found.staging_entries)
    for kind in figures.KINDS:
        metrics.gauge("stored_files", found.files[kind], kind)
        metrics.gauge("stored_bytes", found.bytes[kind], kind)
    metrics.gauge("collected_timestamp_seconds", time.time())
