"""Notes on rosters whom the hub's groups have brought, so that lists and whoever collects know them.

In the background: a read stays a read, a volume that nobody can write to goes on being read, and when a class of
hundreds comes in at once, those who come while the file is being written are written together.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from ngshare_fs.access.groups import UserGroups
from ngshare_fs.access.identity import Caller
from ngshare_fs.api.blocking import Blocking
from ngshare_fs.store import Person, StoreError, Volume, journal, roster
from ngshare_fs.store.errors import CourseNotFound

logger = logging.getLogger(__name__)

# So long nobody looks again whether somebody is on a roster, unless their groups change; a minute after an instructor
# has taken them off, or after the volume could not be written to, they are noted anew.
AGAIN_SECONDS = 60.0
# A complaint about one course is repeated after so long.
COMPLAINT_SECONDS = 600.0
MOST_KNOWN = 20_000

_Member = tuple[UserGroups, Person]


class FirstContacts:
    """Those who were met in courses.

    Args:
        volume: where the rosters are.
        blocking: where slow calls run.
        clock: seconds.
    """

    def __init__(self, volume: Volume, blocking: Blocking, clock: Callable[[], float] = time.monotonic) -> None:
        self._volume = volume
        self._blocking = blocking
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], tuple[frozenset[str], float]] = OrderedDict()
        self._waiting: dict[str, dict[str, _Member]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._complained: dict[str, float] = {}

    def met(self, course: str, caller: Caller) -> None:
        """Somebody was let into a course, and has had an answer. Returns at once."""
        names = caller.groups.names
        if not names:
            return
        key, now = (course, caller.name), self._clock()
        known = self._known.get(key)
        if known is not None and known[0] == names and now - known[1] < AGAIN_SECONDS:
            return
        self._known[key] = names, now
        self._known.move_to_end(key)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        self._waiting.setdefault(course, {})[caller.name] = caller.groups, caller.person
        if course not in self._tasks:
            self._tasks[course] = asyncio.create_task(self._note_all(course))

    async def close(self) -> None:
        """Wait for what is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks.values())

    async def _note_all(self, course: str) -> None:
        try:
            while members := self._waiting.pop(course, None):
                try:
                    await self._blocking.manage(_note, self._volume, course, members)
                except CourseNotFound:
                    pass  # deleted meanwhile
                except StoreError as error:
                    self._complain(course, len(members), error)
        finally:
            del self._tasks[course]

    def _complain(self, course: str, count: int, error: StoreError) -> None:
        if self._clock() - self._complained.get(course, -COMPLAINT_SECONDS) >= COMPLAINT_SECONDS:
            self._complained[course] = self._clock()
            logger.warning(
                "%d whom groups have brought into the course %r could not be noted on its roster: %s (they are let in "
                "all the same; this is tried again)",
                count,
                course,
                str(error) or type(error).__name__,
            )


def _note(volume: Volume, course: str, members: Mapping[str, _Member]) -> None:
    people = roster.of(volume, course)
    lacking = [
        (user, role, person)
        for user, (groups, person) in members.items()
        if (role := groups.role_in(course, people)) is not None
        and (roster.lacks_mark(people, user, role) or roster.lacks_names(people, user, role, person))
    ]
    if not lacking:
        return
    roles = {user: role for user, role, _ in lacking}
    for user in roster.mark(volume, course, lacking):
        journal.record(volume, journal.Event("join-by-group", user, "api", course, detail=roles[user].value))
