"""`doctor` says whether the hub lets the service read its groups, and what to write where it does not."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from ngshare_fs.access.checkup import look_at_patterns
from ngshare_fs.hub import HubClient
from ngshare_fs.hub.checkup import look_at_groups
from ngshare_fs.settings import read_settings
from ngshare_fs.settings.values import Raw
from tests.hub_groups import LIST, READ, HubWithGroups

IN_THE_CONFIGURATION = '{"name": "ngshare-groups", "services": ["ngshare"], "scopes": ["list:groups", "read:groups"]}'
IN_THE_CHART = "ngshare-groups: {services: [ngshare], scopes: [list:groups, read:groups]}"


@pytest.fixture
async def hub(aiohttp_server: Any) -> HubWithGroups:
    hub = HubWithGroups()
    await hub.begin(aiohttp_server)
    return hub


@pytest.fixture
async def client(hub: HubWithGroups) -> AsyncIterator[HubClient]:
    client = HubClient(hub.hub)
    yield client
    await client.close()


@pytest.mark.parametrize(
    ("scopes", "said"),
    [
        ((LIST, READ), "may list them, and read"),
        ((READ,), "without list:groups"),
        ((f"{READ}!group=b", f"{READ}!group=a"), "who is in a, b"),
    ],
)
async def test_enough(scopes: tuple[str, ...], said: str, hub: HubWithGroups, client: HubClient) -> None:
    hub.grant(*scopes)
    found = await look_at_groups(client, hub.hub, is_synced=True)
    assert (found.subject, found.ok) == ("groups", True)
    assert said in found.detail


@pytest.mark.parametrize("scopes", [(), (LIST,), ("read:users",)])
async def test_not_enough(scopes: tuple[str, ...], hub: HubWithGroups, client: HubClient) -> None:
    hub.grant(*scopes)
    for is_synced in (True, False):
        found = await look_at_groups(client, hub.hub, is_synced)
        assert found.ok is (False if is_synced else None)
        assert READ in found.detail
        assert IN_THE_CONFIGURATION in found.remedy
        assert IN_THE_CHART in found.remedy


async def test_nobody_could_tell(hub: HubWithGroups, client: HubClient) -> None:
    assert "nobody could tell" in (await look_at_groups(client, hub.hub, is_synced=True)).detail
    hub.broken = (500, "")
    found = await look_at_groups(client, hub.hub, is_synced=True)
    assert (found.ok, "500" in found.detail) == (None, True)


@pytest.mark.parametrize(
    ("instructors", "students", "said"),
    [
        ("formgrade-{course}, {course}:instructor", "nbgrader-{course}", []),
        ("{course}:instructor", "{course}:student", []),
        (
            "nbgrader-staff-{course}",
            "nbgrader-{course}",
            ["'c' by nbgrader-staff-{course}, and of 'staff-c' by nbgrader"],
        ),
        ("{course}:i", "{course}", ["'c' by {course}:i, and of 'c:i' by {course}"]),
        ("{course}", "{course}", []),  # of one course, the higher role
    ],
)
def test_patterns_of_which_one_takes_the_others_groups(instructors: str, students: str, said: list[str]) -> None:
    flags: dict[str, Raw] = {"standalone": True, "instructor-groups": instructors, "student-groups": students}
    found = list(look_at_patterns(read_settings(flags, {})))
    assert len(found) == len(said)
    for each, text in zip(found, said, strict=True):
        assert each.ok is None
        assert text in each.detail
