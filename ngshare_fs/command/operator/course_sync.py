"""`ngshare-fs course sync --from-hub`: rosters follow the hub's groups, on the volume itself."""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ngshare_fs.command.operator.data_folder import (
    DONE,
    SOMETHING_LEFT,
    add_dry_run,
    add_json,
    opened_folder,
    operator,
)
from ngshare_fs.command.operator.document import print_document
from ngshare_fs.command.operator.failures import checked_name, reason
from ngshare_fs.command.output import fail
from ngshare_fs.command.parser import add_options, flags_in
from ngshare_fs.settings import Settings, SettingsError, read_settings
from ngshare_fs.store import StoreError, Volume
from ngshare_fs.store.errors import CourseNotFound
from ngshare_fs.terminal.confirmation import NotConfirmed, confirm
from ngshare_fs.terminal.saying import counted, say

if TYPE_CHECKING:
    from ngshare_fs.access.roster_sync import CoursePlan, Plan
    from ngshare_fs.store.membership import Difference

FLAG = "--from-hub"
HELP = "make rosters follow the hub's groups, on the data folder itself"
DESCRIPTION = (
    "Make rosters follow the groups that the hub has, on the data folder itself; servers may run. It takes the options "
    "and variables of `serve`, for it asks the hub as that does. Only entries that groups have brought are removed. "
    "Exit code 0: done, or nothing to do; 1: not done, or not in all courses; 2: wrong use, or no such course."
)
# Words of this command alone: all others are options of the server.
_OWN = ("action", "from-hub", "courses", "dry-run", "json", "yes")


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the action its options."""
    parser.add_argument("courses", metavar="COURSE", nargs="*", help="only these; otherwise all that have groups")
    parser.add_argument(FLAG, action="store_true", required=True, help="ask the hub who is in its groups")
    parser.add_argument("--yes", action="store_true", help="do not ask before many are removed")
    add_dry_run(parser)
    add_json(parser)
    add_options(parser)


def run(given: argparse.Namespace) -> int:
    """Ask the hub, and change the rosters.

    Returns:
        The exit code: 0, or 1 where something was not done.

    Raises:
        SettingsError: the words are wrong, there is no hub, or the folder is no volume.
    """
    flags = {name: value for name, value in flags_in(given).items() if name not in _OWN}
    settings = read_settings(flags, os.environ)
    if settings.hub is None:
        raise SettingsError(f"{FLAG}: JupyterHub says who is in its groups, and --standalone is without it")
    for name in given.courses:
        checked_name(name)
    from ngshare_fs.hub import HubDown
    from ngshare_fs.hub.groups import UnknownService

    with opened_folder(settings.data, given.dry_run) as volume:
        volume.journal.is_on = settings.journal
        try:
            found = asyncio.run(_plan(volume, settings, given.courses))
            return _sync(volume, given, found, settings.hub.service_name)
        except CourseNotFound as error:
            raise SettingsError(reason(error)) from None
        except (HubDown, UnknownService) as error:
            return fail(f"{error}; nothing was changed", SOMETHING_LEFT)
        except (StoreError, OSError) as error:
            return fail(reason(error), SOMETHING_LEFT)


async def _plan(volume: Volume, settings: Settings, courses: list[str]) -> "Plan":
    from ngshare_fs.access.groups import GroupPatterns
    from ngshare_fs.access.roster_sync import plan
    from ngshare_fs.hub import HubClient

    assert settings.hub is not None
    client = HubClient(settings.hub)
    try:
        return await plan(volume, client, GroupPatterns.configured(settings), courses or None)
    finally:
        await client.close()


def _sync(volume: Volume, given: argparse.Namespace, found: "Plan", service: str) -> int:
    problems: dict[str, str] = {course: reason(error) for course, error in found.broken.items()}
    for course in given.courses:
        if course in found.without_groups:
            problems[course] = "no groups belong to it: see --student-groups, and `groups:` in course.yaml"
    may_remove = given.dry_run or _is_confirmed(found, given)
    done: dict[str, Difference] = {}
    for each in found.courses:
        problem = None
        try:
            done[each.course], problem = _sync_course(volume, given, each, may_remove)
        except (StoreError, OSError) as error:
            problem = reason(error)
        if problem:
            problems[each.course] = problem
    if given.json:
        print_document(_document(given.dry_run, found, done, problems))
    else:
        _say(given, found, done)
        for course, problem in problems.items():
            say(f"ngshare-fs: {course}: {problem}", sys.stderr)
        if any(each.hidden for each in found.courses):
            from ngshare_fs.hub.checkup import how_to_read_groups

            say(f"ngshare-fs: {how_to_read_groups(service)}", sys.stderr)
    return SOMETHING_LEFT if problems else DONE


def _is_confirmed(found: "Plan", given: argparse.Namespace) -> bool:
    """Whether so many are to be removed as somebody may only have meant by mistake."""
    many = [each for each in found.courses if each.is_held_back]
    if not many:
        return True
    removed = "; ".join(
        f"{len(each.difference.removed)} of {each.difference.followers} in {each.course}" for each in many
    )
    try:
        confirm(
            f"Remove whom groups have brought and no group has any more: {removed}?", given.yes, may_ask=not given.json
        )
    except NotConfirmed:
        return False
    return True


def _sync_course(
    volume: Volume, given: argparse.Namespace, planned: "CoursePlan", may_remove: bool
) -> tuple["Difference", str | None]:
    """What was done in a course, or would be, and why not all was."""
    from ngshare_fs.access.roster_sync import carry_out

    if planned.hidden:
        return planned.difference, f"the hub does not let this service read {', '.join(planned.hidden)}"
    if given.dry_run:
        return planned.difference, None
    difference = planned.difference if may_remove else planned.without_what_is_held_back
    done = carry_out(volume, planned.course, difference, operator(), "command") if difference else difference
    if may_remove or not planned.is_held_back:
        return done, None
    removed, followers = len(planned.difference.removed), planned.difference.followers
    return done, f"{removed} of {followers} whom groups have brought were not removed: where that is right, say --yes"


def _say(given: argparse.Namespace, found: "Plan", done: Mapping[str, "Difference"]) -> None:
    added = moved = removed = 0
    for each in found.courses:
        difference = done.get(each.course)
        if difference is None:
            continue
        for line in _lines(difference):
            say(f"{each.course}: {line}")
        for group in each.gone_with_members:
            say(f"{each.course}: the hub has no group {group}")
        if given.dry_run and each.is_held_back:
            say(f"{each.course}: {len(difference.removed)} of {difference.followers} would be removed with --yes alone")
        added += len(difference.added)
        moved += len(difference.moved)
        removed += len(difference.removed)
    if not found.courses and not given.courses:
        say("no groups belong to any course: see --student-groups, and `groups:` in course.yaml")
    elif given.dry_run:
        say(f"{added} to add, {moved} to change, {removed} to remove; nothing was changed")
    else:
        say(f"{added} added, {moved} changed, {removed} removed, in {counted(len(found.courses), 'course')}")


def _lines(difference: "Difference") -> list[str]:
    return [
        *(f"+ {user} ({role.value})" for user, role in difference.added.items()),
        *(f"~ {user} ({move.before.value}, now {move.after.value})" for user, move in difference.moved.items()),
        *(f"- {user} ({role.value})" for user, role in difference.removed.items()),
    ]


def _document(
    is_dry: bool, found: "Plan", done: Mapping[str, "Difference"], problems: Mapping[str, str]
) -> dict[str, Any]:
    planned = {each.course: each for each in found.courses}
    return {
        "dry_run": is_dry,
        "courses": [
            _entry(course, planned.get(course), done.get(course), problems.get(course))
            for course in sorted({*planned, *problems})
        ],
        "without_groups": list(found.without_groups),
    }


def _entry(course: str, planned: "CoursePlan | None", done: "Difference | None", problem: str | None) -> dict[str, Any]:
    from ngshare_fs.store.membership import Difference

    done = done or Difference()
    return {
        "course": course,
        "added": [{"user": user, "role": role.value} for user, role in done.added.items()],
        "changed": [
            {"user": user, "before": move.before.value, "after": move.after.value} for user, move in done.moved.items()
        ],
        "removed": [{"user": user, "role": role.value} for user, role in done.removed.items()],
        "held_back": planned is not None and planned.is_held_back,
        "missing_groups": sorted(frozenset[str]().union(*planned.gone.values())) if planned else [],
        "problem": problem,
    }
