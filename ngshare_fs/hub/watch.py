"""Beside serving: whether the hub is there and knows us, and whether it has been replaced."""

import asyncio
import contextlib
from collections.abc import Callable

from ngshare_fs.hub.checkup import CLOCK, look_at_hub
from ngshare_fs.hub.client import HubClient, HubDown
from ngshare_fs.settings import Hub
from ngshare_fs.terminal.logs import LOG

# The hub may start after us, and be mended while we serve.
GREET_AGAIN_SECONDS = 2.0
GREET_AGAIN_AT_LAST_SECONDS = 60.0
HUB_GONE_SECONDS = 1.0


async def greet_hub(hub: Hub, prefix: str) -> None:
    """Look until the hub is there and knows us; what is wrong is said in one line, and serving goes on meanwhile."""
    client = HubClient(hub)
    pause, said = GREET_AGAIN_SECONDS, ""
    try:
        while True:
            found = await look_at_hub(client, hub, prefix)
            wrong = next((result for result in found if result.ok is False), None)
            if wrong is None:
                LOG.info("%s", found[0])
                return
            # By how much a clock is wrong comes out a little different at each look.
            problem = wrong.subject if wrong.subject == CLOCK else str(wrong)
            if problem != said:
                said = problem
                LOG.error("%s", wrong)
            await asyncio.sleep(pause)
            pause = min(2 * pause, GREET_AGAIN_AT_LAST_SECONDS)
    finally:
        await client.close()


async def watch_hub(hub: Hub, started_by: Callable[[], int], stop: Callable[[], None]) -> None:
    """End when the hub that started this is gone and another one answers, which starts the service anew.

    A hub that was killed leaves its services behind. They serve on while it is down; when it is back, it has a new
    secret for signing in, and wants the port.

    Args:
        started_by: the id of the process that has started the service.
        stop: ends it.
    """
    first = started_by()
    while started_by() == first:  # noqa: ASYNC110 - nobody tells when a parent dies
        await asyncio.sleep(HUB_GONE_SECONDS)
    LOG.warning("the hub that started this service is gone; serving on until there is another one")
    client = HubClient(hub)
    try:
        while True:
            with contextlib.suppress(HubDown):
                await client.greeting()
                break
            await asyncio.sleep(HUB_GONE_SECONDS)
    finally:
        await client.close()
    LOG.warning("there is another hub, which starts this service anew: making room")
    stop()
