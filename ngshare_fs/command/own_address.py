"""Looks whether an address leads to this service, and to this volume: another one may listen there as well."""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp

from ngshare_fs.check_result import CheckResult, look_at_clock
from ngshare_fs.hub.checkup import CLOCKS_DIFFER_SECONDS
from ngshare_fs.hub.client import date_ahead
from ngshare_fs.hub.unreachable import UNREACHABLE, reason_of
from ngshare_fs.settings import Hub
from ngshare_fs.web.sign_in import CALLBACK

SECONDS = 15.0
LONGEST_ANSWER = 4096


async def look_at_address(subject: str, base: str, volume: str | None, remedy: str) -> CheckResult:
    """Ask what is there whether it is this service.

    Args:
        subject: what the address is.
        base: the service's URL; ends with the prefix.
        volume: the identity of our volume; None where nobody can tell.
        remedy: what to do where another program, or nobody, answers.
    """
    url = base + "readyz"
    asked = time.time()
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            said = _parsed(await answer.content.read(LONGEST_ANSWER))
            found = _judge(subject, url, answer.status, said, volume, remedy)
            ahead = date_ahead(answer.headers.get("Date"), asked)
            if not found.ok or ahead is None or abs(ahead) < CLOCKS_DIFFER_SECONDS:
                return found
            return look_at_clock(subject, f"{found.detail}; the clock there", ahead, CLOCKS_DIFFER_SECONDS)
    except UNREACHABLE as error:
        return CheckResult(subject, False, f"{url}: {reason_of(error)}", remedy)


def _judge(
    subject: str, url: str, status: int, said: Mapping[str, Any], volume: str | None, remedy: str
) -> CheckResult:
    if status == 503 and said.get("success") is False:
        return CheckResult(subject, False, f"{url} answers: {said.get('message')}", "see what is wrong with its volume")
    if status != 200 or said.get("success") is not True:
        return CheckResult(subject, False, f"{url} answers {status}, but not as this service does", remedy)
    if volume is None or "volume" not in said:
        return CheckResult(subject, None, f"{url} answers; from which volume, nobody can tell")
    if said["volume"] != volume:
        elsewhere = "--data names another folder than the server there has, or the address leads to another server"
        return CheckResult(subject, False, f"{url} answers from another volume", elsewhere)
    return CheckResult(subject, True, f"{url} answers, from this volume")


def _parsed(content: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


async def look_at_callback(hub: Hub, prefix: str, volume: str | None) -> CheckResult:
    """Look whether browsers come back to this service from the hub.

    Whether the hub would send them there, it says to nobody but somebody who is signing in: it compares the address,
    letter by letter, with the service's `oauth_redirect_uri`.
    """
    subject, own = "callback", prefix + CALLBACK
    parts = urlsplit(hub.callback)
    if hub.told_callback and hub.told_callback != hub.callback:
        detail = f"it is {hub.callback}, and the hub says {hub.told_callback}"
        return CheckResult(
            subject, False, detail, "leave --oauth-callback out: the hub has said where it sends browsers"
        )
    if unquote(parts.path) != unquote(own):
        detail = f"it is {hub.callback}, where this service does not answer"
        remedy = f"its path has to be {own}, in --oauth-callback and in the service's oauth_redirect_uri"
        return CheckResult(subject, False, detail, remedy)
    if parts.netloc:
        base = f"{parts.scheme}://{parts.netloc}{prefix}"
        found = await look_at_address(subject, base, volume, "does that address lead to the hub's proxy?")
        if not found.ok:
            return found
    if hub.callback == hub.told_callback:
        return CheckResult(subject, True, f"{hub.callback}, as the hub says")
    if hub.callback == own:
        return CheckResult(subject, True, f"{own}, which is right unless the service has an oauth_redirect_uri")
    remedy = 'where the hub shows "mismatching redirect URI" to whoever signs in, make the two the same'
    return CheckResult(
        subject, None, f"{hub.callback}; is it the service's oauth_redirect_uri, letter by letter?", remedy
    )
