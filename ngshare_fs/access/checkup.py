"""Looks whether those who come from the hub will be let in as what they are: at the hub, its groups, their meaning."""

from collections.abc import Iterator

from ngshare_fs.access.groups import GroupPatterns
from ngshare_fs.check_result import CheckResult
from ngshare_fs.hub import HubClient
from ngshare_fs.hub.checkup import look_at_groups, look_at_hub
from ngshare_fs.settings import Hub, Settings


async def look_at_who_comes(
    client: HubClient, hub: Hub, settings: Settings, asks_for_client: bool = False
) -> list[CheckResult]:
    """Look at the hub, and at its groups where this server goes by them.

    Args:
        asks_for_client: see `look_at_hub`.
    """
    found = await look_at_hub(client, hub, settings.prefix, asks_for_client)
    if settings.group_sync or any((settings.instructor_groups, settings.grader_groups, settings.student_groups)):
        found.append(await look_at_groups(client, hub, bool(settings.group_sync)))
    return [*found, *look_at_patterns(settings)]


def look_at_patterns(settings: Settings) -> Iterator[CheckResult]:
    """Look whether one group can be of two courses, and so the students of one be something else in the other."""
    for wide, narrow in GroupPatterns.configured(settings).taken_twice():
        group = narrow.group_of("c")
        detail = f"the group {group!r} is of the course 'c' by {narrow}, and of {wide.course_of(group)!r} by {wide}"
        remedy = "let each pattern begin or end as no other does, or watch over who makes courses of such names"
        yield CheckResult("patterns", None, detail, remedy)
