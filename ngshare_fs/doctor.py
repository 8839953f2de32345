"""`ngshare-fs doctor`: looks at everything that a server needs, and says what to do where something is amiss."""

import asyncio
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import aiohttp

from ngshare_fs.api.identity import Admission
from ngshare_fs.config import Settings
from ngshare_fs.hub import HubClient
from ngshare_fs.hub.checkup import look_at_hub, look_at_user
from ngshare_fs.hub.unreachable import UNREACHABLE, reason_of
from ngshare_fs.listening import url_at
from ngshare_fs.observation import Observation
from ngshare_fs.store.checkup import look_at_volume

SECONDS = 10.0
MARKS = {True: "ok", False: "WRONG", None: "?"}


def examine(settings: Settings, user_token: str | None) -> list[Observation]:
    """Look at everything.

    Args:
        settings: those that the server would have.
        user_token: of a user of the hub, to see whether that user would be let in.
    """
    return [*look_at_volume(settings.data), *asyncio.run(_look_at_network(settings, user_token))]


def lines_of(observations: list[Observation]) -> Iterator[str]:
    """What to print: a line for each, and below it what to do."""
    width = max(len(observation.subject) for observation in observations)
    for observation in observations:
        yield f"{MARKS[observation.fine]:<6} {observation.subject:<{width}}  {observation.saw}"
        if not observation.fine and observation.remedy:
            yield f"{'':<6} {'':<{width}}  -> {observation.remedy}"


async def _look_at_network(settings: Settings, user_token: str | None) -> list[Observation]:
    hub = settings.hub
    found = []
    if hub is not None:
        client = HubClient(hub)
        try:
            found += await look_at_hub(client, hub, settings.prefix)
            if user_token is None:
                remedy = "--user-token-file FILE with the token of a user tells whether that user is let in"
                found.append(Observation("roles", None, "not looked at", remedy))
            else:
                found.append(await look_at_user(client, hub, user_token, Admission.configured(settings).refusal_of))
        finally:
            await client.close()
    remedy = "start the server, or see --host, --port and JUPYTERHUB_SERVICE_URL"
    found.append(
        await _look_at_url("service URL", url_at(settings.host, settings.port, settings.prefix) + "healthz", remedy)
    )
    if hub is not None:
        found.append(await _look_at_proxy(hub.browser_url, settings.prefix))
    return found


async def _look_at_proxy(browser_url: str, prefix: str) -> Observation:
    parts = urlsplit(browser_url)
    if not parts.netloc:
        remedy = "--hub-url, such as https://hub.example.org/hub/, tells where browsers find the hub"
        return Observation("proxy route", None, "not looked at", remedy)
    remedy = "does the hub's configuration have this service with its url, and does that lead here?"
    return await _look_at_url("proxy route", f"{parts.scheme}://{parts.netloc}{prefix}healthz", remedy)


async def _look_at_url(subject: str, url: str, remedy: str) -> Observation:
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            try:
                is_ours = json.loads(await answer.content.read(1024)) == {"success": True}
            except (ValueError, RecursionError):
                is_ours = False
            saw = f"{url} answers" if is_ours else f"{url} answers {answer.status}, but not as this service does"
            return Observation(subject, is_ours, saw, remedy)
    except UNREACHABLE as error:
        return Observation(subject, False, f"{url}: {reason_of(error)}", remedy)
