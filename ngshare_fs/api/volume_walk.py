"""Counts what is on the volume, in the background: one process of a server does it, and takes its time."""

import logging
import threading
import time

from ngshare_fs import metrics
from ngshare_fs.api.rests import Rests, Stopped
from ngshare_fs.store import Volume
from ngshare_fs.store.upkeep import figures

logger = logging.getLogger(__name__)

# After a walk, the next one begins no sooner; nor sooner than after twenty times as long as it took.
PAUSE_SECONDS = 300.0
SHARE = 20
# Where another process does it, it is looked so often whether that is still there.
LOOK_SECONDS = 15.0
# Of the time, so much is spent on it: each piece of work is followed by nine times as long a rest.
WORK_SECONDS = 0.02
REST = 9


class VolumeWalk:
    """The walk, in a thread of its own.

    Args:
        volume: what is counted.
    """

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._stop = threading.Event()

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
        while not metrics.leads():
            if self._stop.wait(LOOK_SECONDS):
                return
        while True:
            started = time.monotonic()
            try:
                _publish(figures.collect(self._volume, Rests(self._stop, REST, WORK_SECONDS)))
            except Stopped:
                return
            except Exception:
                logger.exception("what is on the volume could not be counted")
            taken = time.monotonic() - started
            metrics.gauge("collection_duration_seconds", taken)
            if self._stop.wait(max(PAUSE_SECONDS, SHARE * taken)):
                return


def _publish(found: figures.Figures) -> None:
    metrics.gauge("courses", found.courses)
    metrics.gauge("assignments", found.assignments)
    metrics.gauge("submissions_stored", found.submissions)
    metrics.gauge("staging_entries", found.staging_entries)
    for kind in figures.KINDS:
        metrics.gauge("stored_files", found.files[kind], kind)
        metrics.gauge("stored_bytes", found.bytes[kind], kind)
    metrics.gauge("collected_timestamp_seconds", time.time())
