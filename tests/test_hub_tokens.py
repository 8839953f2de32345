"""Tokens: the hub is asked once for each, its answer is kept for a while, and nothing hangs when it does not answer."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ngshare_fs.hub import Account, HubClient, HubDown, Tokens, tokens
from tests.fallible_hub import FallibleHub, user


class Clock:
    """Seconds that pass when told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def hub(aiohttp_server: Any) -> FallibleHub:
    hub = FallibleHub(owners={"good": user("ada", "access:servers!server=ada/")})
    await hub.begin(aiohttp_server)
    return hub


@pytest.fixture
async def client(hub: FallibleHub) -> AsyncIterator[HubClient]:
    client = HubClient(hub.hub)
    yield client
    await client.close()


async def test_the_hub_is_asked_once_however_many_wait(hub: FallibleHub, client: HubClient) -> None:
    known = Tokens(client, 60, 300)
    hub.gate.clear()
    waiting = [asyncio.create_task(known.owner("good")) for _ in range(50)]
    while not hub.calls:
        await asyncio.sleep(0)
    hub.gate.set()
    owners = await asyncio.gather(*waiting)
    assert {owner.name for owner in owners if owner} == {"ada"}
    assert await known.owner("good") == owners[0]
    assert hub.calls == {"good": 1}


async def test_one_who_gives_up_waiting_does_not_take_the_answer_from_the_others(
    hub: FallibleHub, client: HubClient
) -> None:
    known = Tokens(client, 60, 300)
    hub.gate.clear()
    first, second = (asyncio.create_task(known.owner("good")) for _ in range(2))
    while not hub.calls:
        await asyncio.sleep(0)
    first.cancel()
    hub.gate.set()
    owner = await second
    assert owner is not None
    assert hub.calls == {"good": 1}


async def test_an_answer_is_believed_for_a_while_and_a_refusal_for_a_moment(
    hub: FallibleHub, client: HubClient
) -> None:
    clock = Clock()
    known = Tokens(client, 60, 300, clock)
    assert await known.owner("good")
    assert await known.owner("bad") is None
    clock.now += 4
    assert await known.owner("good")
    assert await known.owner("bad") is None
    assert hub.calls == {"good": 1, "bad": 1}
    assert await known.owner("good", at_most=2)
    assert hub.calls["good"] == 2
    clock.now += 2
    assert await known.owner("bad") is None
    assert hub.calls["bad"] == 2
    clock.now += 60
    del hub.owners["good"]
    assert await known.owner("good") is None
    assert await known.owner("good") is None
    assert hub.calls["good"] == 3


@pytest.mark.parametrize(
    "broken",
    [
        (500, "{}"),
        (429, ""),
        (404, "not found"),
        (403, "<html>a proxy's own"),
        (200, "<html>"),
        (200, "[]"),
        (200, '{"kind": "user"}'),
        (200, '{"kind": "user", "name": "\\ud800", "scopes": ["access:services"]}'),
        (200, "[" * 200_000),
        (200, " " * 2**21),
        (302, ""),
    ],
)
async def test_a_confused_hub_is_a_hub_that_is_down(
    hub: FallibleHub, client: HubClient, broken: tuple[int, str], caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    known = Tokens(client, 60, 300, clock)
    before = await known.owner("good")
    hub.broken = broken
    clock.now += 299
    assert await known.owner("good") == before
    assert "go on without it" in caplog.text
    with pytest.raises(HubDown):
        await known.owner("other")
    clock.now += 1
    with pytest.raises(HubDown):
        await known.owner("good")
    hub.broken = None
    assert await known.owner("good") == before
    assert "good" not in caplog.text


async def test_a_slow_hub_is_waited_for_once_by_those_who_can_go_on(
    hub: FallibleHub, client: HubClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "PATIENCE_SECONDS", 0.01)
    clock = Clock()
    known = Tokens(client, 60, 300, clock)
    before = await known.owner("good")
    hub.gate.clear()
    clock.now += 100
    assert await known.owner("good") == before
    # From now on nobody waits at all.
    monkeypatch.setattr(tokens, "PATIENCE_SECONDS", 3600)
    assert await known.owner("good") == before
    # The answer that nobody waited for counts when it comes.
    del hub.owners["good"]
    clock.now += 200
    hub.gate.set()
    assert await known.owner("good") is None or hub.calls["good"] == 2


async def test_a_dead_hub_is_told_in_one_line_without_a_secret(hub: FallibleHub) -> None:
    dead = FallibleHub(url="http://127.0.0.1:1")
    client = HubClient(dead.hub)
    with pytest.raises(HubDown) as down:
        await client.account("secret-token")
    await client.close()
    assert "127.0.0.1:1" in str(down.value)
    assert "refused" in str(down.value).lower()
    assert "secret" not in str(down.value)


async def test_guesses_do_not_displace_those_who_are_known(
    hub: FallibleHub, client: HubClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MOST_REFUSED", 3)
    known = Tokens(client, 60, 300)
    await known.owner("good")
    for number in range(5):
        await known.owner(f"guess-{number}")
    await known.owner("good")
    await known.owner("guess-4")
    assert hub.calls["good"] == hub.calls["guess-4"] == 1
    await known.owner("guess-0")
    assert hub.calls["guess-0"] == 2


def test_a_token_is_good_for_what_its_scopes_say() -> None:
    def account(*scopes: str, name: str = "ada") -> Account:
        return Account("user", name, False, frozenset(scopes))

    assert account("access:services").may_use("ngshare")
    assert account("access:services!service=ngshare").may_use("ngshare")
    assert not account("access:services!service=other").may_use("ngshare")
    assert account("access:servers!server=ada/").is_of_own_server
    assert account("access:servers!server=ada/named").is_of_own_server
    assert account("access:servers!user=ada").is_of_own_server
    assert not account("access:servers!server=adam/", name="ada").is_of_own_server
    assert not account("access:servers!user=adam", name="ada").is_of_own_server
    assert not account("access:servers!server=bob/").is_of_own_server
    assert not account().is_of_own_server


async def test_nothing_is_complained_of_that_nobody_waited_for(
    hub: FallibleHub, client: HubClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "asyncio")
    known = Tokens(client, 60, 300)
    hub.gate.clear()
    hub.broken = (500, "")
    task = asyncio.create_task(known.owner("good"))
    while not hub.calls:
        await asyncio.sleep(0)
    task.cancel()
    hub.gate.set()
    while known._asking:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert "never retrieved" not in caplog.text
