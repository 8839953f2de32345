"""What one process of all that serve a volume does beside serving: it empties the trash of what is old."""

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta

from ngshare_fs.store import StoreError, Volume
from ngshare_fs.store.journal import record
from ngshare_fs.store.upkeep.emptying import empty, event_of
from ngshare_fs.store.upkeep.trash_entries import TrashEntry
from ngshare_fs.terminal.logs import LOG

LOOK_SECONDS = 3600.0
# Between some files that are removed: those who hand in want the disk and this process more urgently.
PAUSE_SECONDS = 0.05


async def keep_house(volume: Volume, trash_days: int) -> None:
    """Empty the trash at the start and each hour, for as long as this process serves.

    Args:
        trash_days: how long what was thrown away stays.
    """
    stopping = threading.Event()
    try:
        while True:
            await asyncio.to_thread(empty_trash, volume, timedelta(days=trash_days), stopping.is_set)
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        stopping.set()


def empty_trash(volume: Volume, age: timedelta, should_stop: Callable[[], bool]) -> None:
    """Empty it, unless another process is at it, and log what goes."""

    def removed(entry: TrashEntry) -> None:
        event = event_of(entry, "server", "server")
        names = [name for name in (event.course, event.assignment, event.student) if name]
        LOG.info("emptied the trash of %s %s", event.detail, names)
        record(volume, event)

    try:
        empty(volume, age, removed, pause=PAUSE_SECONDS, should_stop=should_stop)
    except (OSError, StoreError) as error:
        LOG.warning("the trash could not be emptied of all that is old: %s", error)
    except Exception:
        LOG.exception("the trash could not be emptied")
