"""Asking the hub who is in its groups: page by page, or one by one, as far as its scopes allow."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from ngshare_fs.hub import HubClient, HubDown
from ngshare_fs.hub.groups import UnknownService, members_of
from tests.hub_groups import LIST, READ, HubWithGroups


@pytest.fixture
async def hub(aiohttp_server: Any) -> HubWithGroups:
    hub = HubWithGroups(groups={"math": ["ada", "bob"], "empty": [], "art/2026 +": ["zoë"]})
    hub.grant(LIST, READ)
    await hub.begin(aiohttp_server)
    return hub


@pytest.fixture
async def client(hub: HubWithGroups) -> AsyncIterator[HubClient]:
    client = HubClient(hub.hub)
    yield client
    await client.close()


async def test_who_may_list_reads_all_pages(hub: HubWithGroups, client: HubClient) -> None:
    hub.groups |= {f"group {number}": [f"u{number}"] for number in range(120)}
    found = await members_of(client, ["math", "empty", "group 119", "none"])
    assert found.of == {"math": {"ada", "bob"}, "empty": set(), "group 119": {"u119"}}
    assert found.gone == {"none"}
    assert not found.hidden
    assert (hub.pages, hub.asked) == ([0, 50, 100], [])


async def test_pages_may_be_smaller_than_asked_for(hub: HubWithGroups, client: HubClient) -> None:
    hub.page = 1
    assert (await members_of(client, ["art/2026 +"])).of == {"art/2026 +": {"zoë"}}
    assert hub.pages == [0, 1, 2]


async def test_a_group_that_goes_while_the_pages_are_read_hides_none(hub: HubWithGroups, client: HubClient) -> None:
    hub.page = 2
    hub.groups = {f"g{number}": ["ada"] for number in range(6)}

    def delete_once(offset: int) -> None:
        if offset == 2:
            hub.groups.pop("g0", None)

    hub.before_page = delete_once
    # With `g0` gone, `g2` slips onto the page that was read already.
    found = await members_of(client, ["g0", "g1", "g2", "g5"])
    assert set(found.of) == {"g1", "g2", "g5"}
    assert found.gone == {"g0"}
    assert hub.pages == [0, 2, 4, 0, 2, 4]


async def test_groups_that_always_change_are_not_believed(hub: HubWithGroups, client: HubClient) -> None:
    hub.page = 1

    def add(offset: int) -> None:
        hub.groups[f"new {len(hub.pages)}"] = []

    hub.before_page = lambda offset: add(offset) if offset < 3 else None
    with pytest.raises(HubDown, match="change faster"):
        await members_of(client, ["math"])


async def test_who_may_not_list_asks_for_each(hub: HubWithGroups, client: HubClient) -> None:
    hub.grant(READ)
    names = ["math", "none", "art/2026 +", "..", "a?b#c%2F"]
    found = await members_of(client, names)
    assert found.of == {"math": {"ada", "bob"}, "art/2026 +": {"zoë"}}
    assert found.gone == {"none", "..", "a?b#c%2F"}
    assert hub.pages == []
    assert sorted(hub.asked) == sorted(set(names) - {".."})


async def test_of_groups_that_are_hidden_nothing_is_believed(hub: HubWithGroups, client: HubClient) -> None:
    hub.grant(f"{READ}!group=math", f"{READ}!group=gone")
    found = await members_of(client, ["math", "empty", "gone", "none"])
    assert found.of == {"math": {"ada", "bob"}}
    assert found.gone == {"gone"}
    assert found.hidden == {"empty", "none"}
    # Who sees the list knows of one that is not there.
    hub.grant(f"{READ}!group=math", LIST)
    found = await members_of(client, ["math", "empty", "none"])
    assert found.of == {"math": {"ada", "bob"}}
    assert found.gone == {"none"}
    assert found.hidden == {"empty"}
    for scopes in ([], [LIST], ["read:users"]):
        hub.grant(*scopes)
        assert (await members_of(client, ["math"])).hidden == {"math"}


async def test_a_token_that_the_hub_does_not_know(hub: HubWithGroups, client: HubClient) -> None:
    hub.owners.clear()
    with pytest.raises(UnknownService, match="does not know the token"):
        await members_of(client, ["math"])


@pytest.mark.parametrize("broken", [(500, "{}"), (502, "<html>"), (200, "[]"), (200, "null"), (200, "[" * 100_000)])
@pytest.mark.parametrize("scopes", [(LIST, READ), (READ,)])
async def test_a_hub_that_answers_something_else_is_down(
    broken: tuple[int, str], scopes: tuple[str, ...], hub: HubWithGroups, client: HubClient
) -> None:
    hub.grant(*scopes)

    async def own_account() -> Any:
        account = await HubClient.own_account(client)
        hub.broken = broken
        return account

    client.own_account = own_account  # type: ignore[method-assign]
    with pytest.raises(HubDown) as caught:
        await members_of(client, ["math"])
    assert "own-token" not in str(caught.value)


@pytest.mark.parametrize("users", [None, "ada", ["ada", 7], [""], {"ada": 1}])
async def test_what_is_no_list_of_names_is_no_membership(users: Any, hub: HubWithGroups, client: HubClient) -> None:
    hub.groups["math"] = users
    for scopes in ((LIST, READ), (READ,)):
        hub.grant(*scopes)
        with pytest.raises(HubDown, match="math"):
            await members_of(client, ["math"])


async def test_half_a_letter_is_nobodys_name(hub: HubWithGroups, client: HubClient) -> None:
    hub.groups["math"] = ["ada", "\ud83d"]
    assert (await members_of(client, ["math"])).of == {"math": {"ada"}}


async def test_many_members_come_whole(hub: HubWithGroups, client: HubClient) -> None:
    many = [f"student-{number:06}@university.example" for number in range(60_000)]
    hub.groups["math"] = many
    assert len((await members_of(client, ["math"])).of["math"]) == len(many)
