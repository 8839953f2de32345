"""What one process of all that serve a volume does beside serving: it keeps rosters in step with the hub's groups."""

import asyncio
import contextlib
import shlex
import time
from collections.abc import Collection

from ngshare_fs import metrics
from ngshare_fs.access.groups import GroupPatterns
from ngshare_fs.access.roster_sync import CoursePlan, carry_out, plan
from ngshare_fs.hub import HubClient, HubDown
from ngshare_fs.hub.checkup import how_to_read_groups
from ngshare_fs.hub.groups import UnknownService
from ngshare_fs.settings import Hub, Settings
from ngshare_fs.store import StoreError, Volume
from ngshare_fs.store.membership import Difference
from ngshare_fs.store.upkeep.one_of_all import one_of_all
from ngshare_fs.terminal.logs import LOG

TASK = "group-sync"
# After a failure it is tried again so soon, and then less and less often, up to the usual time.
AGAIN_SECONDS = 2.0
# So often the other processes look whether the one that does this is gone.
TAKE_OVER_SECONDS = 30.0
# A line of the log names no more people.
MOST_NAMED = 20
# What a problem can be about, beside a course.
HUB, GROUPS = ("hub", ""), ("groups", "")
SERVER = "server"


async def keep_rosters(volume: Volume, settings: Settings, hub: Hub) -> None:
    """Bring rosters in step with the hub's groups now and again, while no other process of this volume does.

    Args:
        settings: say how often, and which groups belong to which courses.
        hub: has the groups.
    """
    seconds = settings.group_sync.total_seconds()
    client = HubClient(hub)
    sync = GroupSync(volume, client, settings, hub.service_name)
    with contextlib.ExitStack() as turn:
        try:
            while not await asyncio.to_thread(sync.is_ours, turn):  # noqa: ASYNC110 - the other may be elsewhere
                await asyncio.sleep(min(seconds, TAKE_OVER_SECONDS))
            while True:
                pause = AGAIN_SECONDS
                while not await sync.is_done():
                    await asyncio.sleep(min(pause, seconds))
                    pause *= 2
                await asyncio.sleep(seconds)
        finally:
            sync.stop()
            await client.close()
            await asyncio.to_thread(turn.close)


class _Stopping(Exception):
    """The server stops, and has closed the volume perhaps."""


class GroupSync:
    """Rosters that follow groups, and what is said of it in the log: each thing once, until it changes.

    Args:
        volume: has the courses.
        client: of the hub that has the groups.
        settings: which groups belong to which courses.
        service: what the hub calls us.
    """

    def __init__(self, volume: Volume, client: HubClient, settings: Settings, service: str) -> None:
        self._volume = volume
        self._client = client
        self._patterns = GroupPatterns.configured(settings)
        self._service = service
        # By what it is about, the last one said.
        self._said: dict[tuple[str, str], str] = {}
        self._is_stopping = False

    def stop(self) -> None:
        """Change nothing from now on, also where a thread still waits for a lock."""
        self._is_stopping = True

    def _check_goes_on(self) -> None:
        if self._is_stopping:
            raise _Stopping

    def is_ours(self, turn: contextlib.ExitStack) -> bool:
        """Whether this process is the one that does it, from now on until `turn` ends."""
        with contextlib.ExitStack() as stack:
            try:
                is_ours = stack.enter_context(one_of_all(self._volume, TASK))
            except OSError as error:
                self._say(HUB, f"rosters cannot follow the hub's groups, and stay as they are: {error}")
                return False
            if is_ours:
                turn.push(stack.pop_all())
            return is_ours

    async def is_done(self) -> bool:
        """Bring the rosters in step, all that can be; False where it should be tried again soon."""
        try:
            found = await plan(self._volume, self._client, self._patterns)
        except (HubDown, UnknownService, StoreError, OSError) as error:
            # A hub that goes down fails in one way after the other: the first one will do.
            kind = type(error).__name__
            self._say(HUB, f"rosters cannot follow the hub's groups, and stay as they are: {error}", kind)
            return False
        except Exception:
            LOG.exception("rosters could not be brought in step with the hub's groups")
            return False
        if self._said.pop(HUB, None):
            LOG.info("rosters follow the hub's groups again")
        problems = {course: f"it cannot be read: {error}" for course, error in found.broken.items()}
        hidden = [each for each in found.courses if each.hidden]
        self._tell_of_hidden_groups(hidden)
        for each in found.courses:
            problem = None if each.hidden else await asyncio.to_thread(self._problem_after, each)
            if problem:
                problems[each.course] = problem
        for course, problem in problems.items():
            self._say(("course", course), f"the roster of {course!r} does not follow the hub's groups: {problem}")
        for about in self._said.keys() - {("course", course) for course in problems} - {GROUPS}:
            del self._said[about]
            # One that is deleted by now, or has no groups any more, or hidden ones, follows nothing.
            if about[1] in {each.course for each in found.courses if not each.hidden}:
                LOG.info("the roster of %r follows the hub's groups again", about[1])
        metrics.gauge("group_sync_problems", len(problems) + len(hidden))
        metrics.gauge("group_sync_timestamp_seconds", time.time())
        return True

    def _tell_of_hidden_groups(self, hidden: list[CoursePlan]) -> None:
        if not hidden:
            if self._said.pop(GROUPS, None):
                LOG.info("the hub lets this service read the groups of all courses again")
            return
        groups = sorted({repr(group) for each in hidden for group in each.hidden})
        courses = [repr(each.course) for each in hidden]
        self._say(
            GROUPS,
            f"the hub does not let this service read groups ({_some(groups)}), and rosters do not follow them "
            f"({_some(courses)}); {how_to_read_groups(self._service)}",
        )

    def _problem_after(self, planned: CoursePlan) -> str | None:
        """What of a course could not be done, after all the rest was."""
        difference = planned.without_what_is_held_back
        try:
            if difference:
                work = (self._volume, planned.course, difference, SERVER, SERVER, self._check_goes_on)
                _tell(planned.course, carry_out(*work))
        except _Stopping:
            return None
        except (StoreError, OSError) as error:
            return f"it cannot be changed: {error}"
        except Exception:
            LOG.exception("the roster of %r could not be changed", planned.course)
            return "it cannot be changed"
        return why_held_back(planned) if planned.is_held_back else None

    def _say(self, about: tuple[str, str], text: str, kind: str = "") -> None:
        """Log a problem, unless it is the same as before: the same words, or of the same kind."""
        if self._said.get(about) != (kind or text):
            self._said[about] = kind or text
            LOG.warning("%s", text)


def why_held_back(planned: CoursePlan) -> str:
    """Why nobody was removed, and what to do."""
    missing = planned.gone_with_members
    gone = f" (the hub has no group {', '.join(map(repr, missing))})" if missing else ""
    # Not how many there are in all: each who comes would make it another line.
    return (
        f"{len(planned.difference.removed)} whom groups have brought are in none any more{gone}: too many to go "
        "unasked, and nobody was removed; where that is right, run "
        f"`ngshare-fs course sync --from-hub {shlex.quote(planned.course)} --yes`"
    )


def _tell(course: str, done: Difference) -> None:
    if done:
        come = [f"{user} ({role.value})" for user, role in done.added.items()]
        moved = [f"{user} ({move.before.value}, now {move.after.value})" for user, move in done.moved.items()]
        parts = (("added", come), ("changed", moved), ("removed", list(done.removed)))
        said = "; ".join(f"{word} {_some(names)}" for word, names in parts if names)
        LOG.info("the roster of %r follows the hub's groups: %s", course, said)


def _some(names: Collection[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{len(names)}: {', '.join(list(names)[:MOST_NAMED])}{more}"
