"""The hub is killed, hangs and comes back, while people work: those it has confirmed lately go on."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest

from tests.hubs.conftest import StartHub
from tests.hubs.exchange import ask_at, must
from tests.hubs.hub import SERVICE_SCOPE, Hub, Plan

pytestmark = pytest.mark.hubs

KNOWN = 8
# Longer than any answer may take: what hangs shows as this.
HANGS_SECONDS = 25
REQUESTS_MEANWHILE = 10
# Between two requests of a client; without it, they take all of the processor from the hub that they wait for.
PAUSE_SECONDS = 0.02


@dataclass
class Load:
    """Clients whose tokens the service knows, each asking again and again."""

    answers: dict[str, list[int]] = field(default_factory=dict)
    slowest: float = 0.0

    @property
    def statuses(self) -> set[int]:
        return {status for of_one in self.answers.values() for status in of_one}

    async def more(self) -> None:
        """Wait until each of them has been answered so many times more."""
        enough = {token: len(of_one) + REQUESTS_MEANWHILE for token, of_one in self.answers.items()}
        deadline = time.monotonic() + 60
        while any(len(self.answers[token]) < enough[token] for token in enough):
            assert time.monotonic() < deadline, "the clients hang"
            await asyncio.sleep(0.01)


async def status_of(session: aiohttp.ClientSession, hub: Hub, token: str) -> tuple[int, str | None]:
    """The status of an answer, and when to try again."""
    headers = {"Authorization": f"token {token}"}
    # Past the proxy, which ends with the hub that has started it.
    async with session.get(hub.direct_url + "courses", headers=headers) as answer:
        assert (await answer.json())["success"] is (answer.status == 200)
        return answer.status, answer.headers.get("Retry-After")


@asynccontextmanager
async def session_with_load(hub: Hub, tokens: list[str]) -> AsyncIterator[tuple[aiohttp.ClientSession, Load]]:
    load = Load({token: [] for token in tokens})
    timeout = aiohttp.ClientTimeout(HANGS_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:

        async def client(token: str) -> None:
            while True:
                began = time.monotonic()
                status, _ = await status_of(session, hub, token)
                load.answers[token].append(status)
                load.slowest = max(load.slowest, time.monotonic() - began)
                await asyncio.sleep(PAUSE_SECONDS)

        clients = [asyncio.create_task(client(token)) for token in tokens]
        try:
            await load.more()
            yield session, load
            await load.more()
            for each in clients:
                assert not each.done(), each.exception()
        finally:
            for each in clients:
                each.cancel()
            await asyncio.gather(*clients, return_exceptions=True)


@pytest.fixture
def hub(start_hub: StartHub, version: str) -> Hub:
    """A service beside its hub, which asks again and again, whatever it was told."""
    hub = start_hub(Plan(version, managed=False, options=("--auth-cache", "1")))
    hub.add_users("teacher", *(f"known {number}" for number in range(KNOWN)), "newcomer", "latecomer")
    return hub


async def until_200(session: aiohttp.ClientSession, hub: Hub, token: str) -> None:
    deadline = time.monotonic() + 60
    while (status := (await status_of(session, hub, token))[0]) != 200:
        assert status == 503
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def test_the_hub_is_killed_and_restarted_under_load(hub: Hub) -> None:
    known = [hub.token(f"known {number}", SERVICE_SCOPE).text for number in range(KNOWN)]
    newcomer, latecomer = (hub.token(user, SERVICE_SCOPE).text for user in ("newcomer", "latecomer"))
    async with session_with_load(hub, known) as (session, load):
        hub.kill()
        await load.more()
        for unseen in (newcomer, "0" * 32):
            status, retry_after = await status_of(session, hub, unseen)
            assert status == 503
            assert retry_after is not None
            assert int(retry_after) > 0
        await asyncio.to_thread(hub.start)
        await until_200(session, hub, newcomer)
        assert (await status_of(session, hub, latecomer))[0] == 200
        assert (await status_of(session, hub, "1" * 32))[0] == 403
    assert load.statuses == {200}
    assert "Traceback" not in hub.service_log


@pytest.mark.long
async def test_the_hub_hangs_under_load(hub: Hub) -> None:
    known = [hub.token(f"known {number}", SERVICE_SCOPE).text for number in range(KNOWN)]
    newcomer = hub.token("newcomer", SERVICE_SCOPE).text
    async with session_with_load(hub, known) as (session, load):
        with hub.halted():
            await load.more()
            (status, retry_after), _ = await asyncio.gather(status_of(session, hub, newcomer), load.more())
            assert status == 503
            assert retry_after is not None
        await until_200(session, hub, newcomer)
    assert load.statuses == {200}
    assert load.slowest < 10


@pytest.mark.long
async def test_after_the_time_of_grace_nobody_is_known(start_hub: StartHub, version: str) -> None:
    hub = start_hub(Plan(version, managed=False, options=("--auth-cache", "1", "--auth-grace", "2")))
    hub.add_users("teacher")
    token = hub.token("teacher", SERVICE_SCOPE).text
    must(ask_at(hub.direct_url, "GET", "courses", token))
    hub.kill()
    deadline = time.monotonic() + 30
    while (answer := ask_at(hub.direct_url, "GET", "courses", token)).status == 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert answer.status == 503
    assert answer.headers["Retry-After"]
