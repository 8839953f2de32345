"""Rosters brought in step with the hub's groups: what has to be done in each course, and doing it."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from ngshare_fs.access.groups import GroupPatterns
from ngshare_fs.access.identity import SERVICE_MARK
from ngshare_fs.hub import HubClient
from ngshare_fs.hub.groups import Members, members_of
from ngshare_fs.store import CourseGroups, LastCheck, Role, Roster, StoreError, Volume, no_check, roster
from ngshare_fs.store.course import all_courses
from ngshare_fs.store.errors import CourseNotFound
from ngshare_fs.store.journal import Event, record
from ngshare_fs.store.membership import Difference, difference, follow, is_too_much


@dataclass(frozen=True)
class CoursePlan:
    """What has to be done in a course.

    Args:
        course: its name.
        difference: between its roster and its groups.
        gone: those of its groups that the hub does not have, by the role that they give.
        hidden: those that the hub does not let this service read; then nothing is done.
        is_held_back: whether so many would be removed that somebody has to look first.
    """

    course: str
    difference: Difference
    gone: Mapping[Role, frozenset[str]] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    is_held_back: bool = False

    @property
    def gone_with_members(self) -> list[str]:
        """The groups that may be why somebody goes: the hub does not have them any more, or never had."""
        roles = set(self.difference.removed.values())
        return sorted({group for role, groups in self.gone.items() if role in roles for group in groups})

    @property
    def without_what_is_held_back(self) -> Difference:
        """What may be done before anybody has looked."""
        return self.difference.without_removals() if self.is_held_back else self.difference


@dataclass(frozen=True)
class Plan:
    """What has to be done.

    Args:
        courses: those that have groups.
        without_groups: the names of those that have none.
        broken: those whose roster cannot be read, and why.
    """

    courses: tuple[CoursePlan, ...]
    without_groups: tuple[str, ...]
    broken: Mapping[str, StoreError | OSError]


async def plan(volume: Volume, client: HubClient, patterns: GroupPatterns, only: Collection[str] | None = None) -> Plan:
    """Look what has to be done. Nothing is changed.

    Args:
        client: of the hub that has the groups.
        patterns: which groups belong to courses that name none themselves.
        only: the names of courses; all by default.

    Raises:
        CourseNotFound: one of `only` is not there.
        HubDown, UnknownService: nobody says who is in the groups.
        OSError: nobody can say which courses there are.
    """
    # Before the hub is asked: whoever comes into a group afterwards, and is entered at once, has not left it.
    people, broken = await asyncio.to_thread(_rosters, volume, only)
    groups = {course: patterns.groups_of(course, each) for course, each in people.items()}
    names = {name for each in groups.values() for name in _names(each)}
    members = await members_of(client, names) if names else Members({})
    # Many courses with many members take long enough for others to wait for the event loop.
    planned = await asyncio.to_thread(_differences, people, groups, members)
    without = (course for course, each in groups.items() if not _names(each))
    return Plan(tuple(planned), tuple(without), broken)


def carry_out(
    volume: Volume, course: str, planned: Difference, by: str, via: str, last_check: LastCheck = no_check
) -> Difference:
    """Change a course's roster as planned, and write down what was done.

    Args:
        by, via: who does it, see `Event`.
        last_check: see `roster.change`.

    Returns:
        what was done: less than planned where others were faster.

    Raises:
        StoreError, OSError: nothing was, or nobody knows whether it will last.
    """
    done = follow(volume, course, planned, last_check)
    roles = {**done.added, **{user: move.after for user, move in done.moved.items()}}
    for user, role in roles.items():
        record(volume, Event("join-by-group", by, via, course, student=user, detail=role.value))
    for user, role in done.removed.items():
        record(volume, Event("leave-by-group", by, via, course, student=user, detail=role.value))
    return done


def _rosters(volume: Volume, only: Collection[str] | None) -> tuple[dict[str, Roster], dict[str, StoreError | OSError]]:
    """The rosters as their files say now, by course, and why others cannot be read."""
    found: dict[str, Roster] = {}
    broken: dict[str, StoreError | OSError] = {}
    for course in all_courses(volume) if only is None else dict.fromkeys(only):
        try:
            found[course] = roster.present(volume, course)
        except CourseNotFound:
            if only is not None:
                raise
        except (StoreError, OSError) as error:
            broken[course] = error
    return found, broken


def _differences(
    people: Mapping[str, Roster], groups: Mapping[str, CourseGroups], members: Members
) -> list[CoursePlan]:
    planned = [_of_course(course, people[course], each, members) for course, each in groups.items() if _names(each)]
    # Each may be a course so small that all of it may go; all of them together are not.
    going = [each.difference for each in planned if not each.is_held_back]
    if is_too_much(sum(len(each.removed) for each in going), sum(each.followers for each in going)):
        planned = [replace(each, is_held_back=bool(each.difference.removed)) for each in planned]
    return planned


def _names(groups: CourseGroups) -> frozenset[str]:
    return groups.instructors | groups.graders | groups.students


def _of_course(course: str, people: Roster, groups: CourseGroups, members: Members) -> CoursePlan:
    names = _names(groups)
    hidden = tuple(sorted(names & members.hidden))
    if hidden:
        return CoursePlan(course, Difference(), hidden=hidden)
    by_role = {
        role: {user for name in groups.of(role) for user in members.of.get(name, ()) if _may_come(user)}
        for role in Role
    }  # fmt: skip
    found = difference(people, by_role)
    gone = {role: groups.of(role) & members.gone for role in Role}
    return CoursePlan(course, found, gone, is_held_back=is_too_much(len(found.removed), found.followers))


def _may_come(user: str) -> bool:
    """Whether somebody of that name would be let in."""
    return not user.startswith(SERVICE_MARK)
