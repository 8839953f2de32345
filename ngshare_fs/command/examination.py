"""Looks at everything that a server needs, and says what to do where something is amiss."""

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

from ngshare_fs.access.checkup import look_at_who_comes
from ngshare_fs.access.identity import Admission
from ngshare_fs.check_result import CheckResult
from ngshare_fs.command.own_address import look_at_address, look_at_callback
from ngshare_fs.hub import HubClient
from ngshare_fs.hub.checkup import look_at_user
from ngshare_fs.server.sockets import url_at
from ngshare_fs.settings import Settings
from ngshare_fs.store import identity_of
from ngshare_fs.store.checking.volume_check import look_at_volume

# Where there is no volume yet, whoever answers has another one.
NO_VOLUME = "none"
LABELS = {True: "ok", False: "WRONG", None: "?"}


def examine(settings: Settings, user_token: str | None) -> list[CheckResult]:
    """Look at everything.

    Args:
        settings: those that the server would have.
        user_token: of a user of the hub, to see whether that user would be let in.
    """
    of_volume = look_at_volume(settings.data)
    return [*of_volume, *asyncio.run(_look_at_network(settings, user_token, _identity(settings)))]


def lines_of(results: list[CheckResult]) -> Iterator[str]:
    """What to print: a line for each, and below it what to do."""
    width = max(len(result.subject) for result in results)
    for result in results:
        yield f"{LABELS[result.ok]:<6} {result.subject:<{width}}  {result.detail}"
        if not result.ok and result.remedy:
            yield f"{'':<6} {'':<{width}}  -> {result.remedy}"


async def _look_at_network(settings: Settings, user_token: str | None, volume: str | None) -> list[CheckResult]:
    hub = settings.hub
    found = []
    if hub is not None:
        client = HubClient(hub)
        try:
            found += await look_at_who_comes(client, hub, settings, asks_for_client=True)
            if user_token is None:
                remedy = "--user-token-file FILE with the token of a user tells whether that user is let in"
                found.append(CheckResult("roles", None, "not looked at", remedy))
            else:
                found.append(await look_at_user(client, hub, user_token, Admission.configured(settings).refusal_of))
        finally:
            await client.close()
    remedy = "start the server, or see --host, --port and JUPYTERHUB_SERVICE_URL"
    own_url = url_at(settings.host, settings.port, settings.prefix)
    found.append(await look_at_address("service URL", own_url, volume, remedy))
    if hub is not None:
        found.append(await _look_at_proxy(hub.browser_url, settings.prefix, volume))
        found.append(await look_at_callback(hub, settings.prefix, volume))
    return found


def _identity(settings: Settings) -> str | None:
    try:
        return identity_of(str(settings.data))
    except FileNotFoundError:
        return NO_VOLUME
    except OSError:
        return None


async def _look_at_proxy(browser_url: str, prefix: str, volume: str | None) -> CheckResult:
    parts = urlsplit(browser_url)
    if not parts.netloc:
        remedy = "--hub-url, such as https://hub.example.org/hub/, tells where browsers find the hub"
        return CheckResult("proxy route", None, "not looked at", remedy)
    remedy = "does the hub's configuration have this service with its url, and does that lead here?"
    return await look_at_address("proxy route", f"{parts.scheme}://{parts.netloc}{prefix}", volume, remedy)
