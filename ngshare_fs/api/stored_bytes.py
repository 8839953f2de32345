"""What courses and the whole volume take, kept in memory, so that a submission need not count a thousand others.

Each process counts for itself, in the background and again and again, and adds what it stores in between. What other
processes store is in its next count: by so much a limit may be passed meanwhile. Only courses that somebody stores
something in are counted, and only where they have a limit.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ngshare_fs.api.rests import Rests, Stopped
from ngshare_fs.store import StoreError, Volume, roster
from ngshare_fs.store.quota import Limits, Used
from ngshare_fs.store.upkeep.trash_entries import entries_in, size_of_entry
from ngshare_fs.store.upkeep.usage import names_of_courses, usage_of_course

logger = logging.getLogger(__name__)

# A count is old after so long, or after less where somebody has met a limit: perhaps something was deleted since.
OLD_SECONDS = 900.0
OLD_AT_LIMIT_SECONDS = 2.0
# But no more than a tenth of the time is spent on counting again and again.
PAUSE_PER_SECOND = 10.0
LOOK_SECONDS = 60.0
# While it counts, for so long for each second of work requests have the interpreter for themselves.
REST_PER_SECOND = 2.0

VOLUME = None  # in place of a course's name


@dataclass
class _Count:
    """What something takes.

    Args:
        bytes: that was counted, and what this process stored since.
        ended: when it had been counted, by the monotonic clock.
        took: how long that was.
    """

    bytes: int
    ended: float
    took: float

    def is_old(self, is_at_limit: bool) -> bool:
        """Whether it is time for another one."""
        most = max(OLD_AT_LIMIT_SECONDS, self.took * PAUSE_PER_SECOND) if is_at_limit else OLD_SECONDS
        return time.monotonic() - self.ended > most


@dataclass
class StoredBytes:
    """The counts of one process. For the event loop's thread only.

    Args:
        volume: what is counted.
        limits: those of the server.
    """

    volume: Volume
    limits: Limits
    _counts: dict[str | None, _Count] = field(default_factory=dict)
    _in_use: set[str] = field(default_factory=set)
    _at_limit: set[str | None] = field(default_factory=set)
    _meanwhile: dict[str | None, int] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _counting: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Count from now on."""
        self._counting = asyncio.create_task(self._count_again_and_again())

    async def close(self) -> None:
        """Count no more."""
        self._stopping.set()
        if self._counting is not None:
            self._counting.cancel()
            await asyncio.wait([self._counting])

    def used(self, course: str) -> Used:
        """What is taken by now, as far as it has been counted."""
        of_course, of_all = self._counts.get(course), self._counts.get(VOLUME)
        return Used(None if of_all is None else of_all.bytes, None if of_course is None else of_course.bytes)

    def stored(self, course: str, size: int) -> None:
        """Something was stored in a course."""
        if course not in self._in_use:
            self._in_use.add(course)
            self._wake.set()
        for what in (course, VOLUME):
            self._meanwhile[what] = self._meanwhile.get(what, 0) + size
            if what in self._counts:
                self._counts[what].bytes += size

    def met_limit(self, course: str) -> None:
        """Somebody was refused: see soon whether that is still so."""
        self._at_limit |= {course, VOLUME}
        self._wake.set()

    async def _count_again_and_again(self) -> None:
        while True:
            if self.limits.volume and self._is_due(VOLUME):
                await self._count(VOLUME, self._bytes_of_volume)
            for course in list(self._in_use):
                if self._is_due(course):
                    await self._count(course, lambda course=course: self._bytes_of_course(course))  # type: ignore[misc]
            # Whoever met a limit just after a count is to find room that was made since, too.
            waits = OLD_AT_LIMIT_SECONDS if self._at_limit & self._counts.keys() else LOOK_SECONDS
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), waits)
            self._wake.clear()

    def _is_due(self, what: str | None) -> bool:
        count = self._counts.get(what)
        return count is None or count.is_old(what in self._at_limit)

    async def _count(self, what: str | None, count: Callable[[], int | None]) -> None:
        began = time.monotonic()
        # What is stored during the count may be in it or not; for once it counts twice.
        self._meanwhile[what] = 0
        self._at_limit.discard(what)
        try:
            found = await asyncio.to_thread(count)
        except Stopped:
            return
        except (OSError, StoreError) as error:
            logger.warning("what is stored could not be counted for the quotas: %s", error)
            return
        except Exception:
            logger.exception("what is stored could not be counted for the quotas")
            return
        if found is None:
            self._counts.pop(what, None)
            return
        ended = time.monotonic()
        self._counts[what] = _Count(found + self._meanwhile[what], ended, ended - began)

    def _bytes_of_course(self, course: str) -> int | None:
        """What a course takes; None where it has no limit."""
        if not self.limits.in_course(roster.of(self.volume, course).rules).course:
            return None
        return usage_of_course(self.volume, course, Rests(self._stopping, REST_PER_SECOND)).bytes

    def _bytes_of_volume(self) -> int:
        rests = Rests(self._stopping, REST_PER_SECOND)
        found = 0
        for course in names_of_courses(self.volume):
            with contextlib.suppress(StoreError):  # deleted meanwhile
                found += usage_of_course(self.volume, course, rests).bytes
        for entry in entries_in(self.volume):
            found += size_of_entry(self.volume, entry).bytes
            rests()
        return found
