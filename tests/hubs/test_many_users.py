"""A whole course comes at once: the hub is asked once about each of them."""

import asyncio
from collections import Counter

import aiohttp
import pytest

from tests.hubs.environments import NEWEST
from tests.hubs.hub import Hub

# With the hub made up, `test_hub_tokens.py` says so in the short check.
pytestmark = [pytest.mark.hubs, pytest.mark.long]

# The number is for the service; what the hub says of one of them is tried on each version.
USERS, USERS_OF_OTHERS = 300, 50
REQUESTS_EACH = 3
# As many as there are file descriptors for, the service's own included.
CONNECTIONS = 400


async def test_the_hub_is_asked_once_about_each_token(plain_hub: Hub, version: str) -> None:
    users = [f"student-{number}" for number in range(USERS if version == NEWEST else USERS_OF_OTHERS)]
    plain_hub.add_users(*users)
    tokens = {user: plain_hub.token(user, f"access:servers!server={user}/").text for user in users}
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(120)) as session:

        async def ask(user: str) -> int:
            headers = {"Authorization": f"token {tokens[user]}"}
            async with session.get(plain_hub.direct_url + "courses", headers=headers) as answer:
                return answer.status

        for _ in range(2):  # the second time, the hub is not asked at all
            statuses = await asyncio.gather(*(ask(user) for user in users for _ in range(REQUESTS_EACH)))
            assert Counter(statuses) == {200: len(users) * REQUESTS_EACH}
    asked = plain_hub.questions_about_users()
    assert {user: asked[user] for user in users} == dict.fromkeys(users, 1)
