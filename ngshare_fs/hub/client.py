"""Calls to the hub's REST API."""

import asyncio
import json
import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import aiohttp

from ngshare_fs import metrics
from ngshare_fs.check_result import clock_ahead
from ngshare_fs.hub.account import Account
from ngshare_fs.hub.unreachable import UNREACHABLE, reason_of
from ngshare_fs.settings import Hub
from ngshare_fs.settings.values import token_of_file
from ngshare_fs.terminal.logs import LOG

# The hub answers some hundred calls a second: whoever waits longer than this has 2,000 others before.
ANSWER_SECONDS = 15.0
CONNECT_SECONDS = 5.0
# More at once would only wait inside the hub, whose other users want to be served, too.
CALLS_AT_ONCE = 16
LONGEST_ANSWER = 2**20
# Groups come many at once, and some have all students of a university.
LONGEST_PAGE = 2**25
PAGE = "application/jupyterhub-pagination+json"
# What a hub gives of itself; it has to load the members of all of a page's groups before it answers anybody else.
GROUPS_OF_A_PAGE = 50
# How long a hub's OAuth tokens live unless it is told otherwise.
DEFAULT_TOKEN_SECONDS = 14 * 24 * 3600


class HubDown(Exception):
    """The hub did not answer, or not as a hub does. The text is one line for the operator, without any secret."""


class Rejected(Exception):
    """The hub answered, and said no. The text is what it said.

    Args:
        code: of RFC 6749, 5.2, such as `invalid_grant`.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Greeting:
    """What the hub says of itself.

    Args:
        version: such as 6.1.1.
        clock_ahead: see `date_ahead`.
    """

    version: str
    clock_ahead: float | None


@dataclass(frozen=True)
class Page:
    """Some of the groups that the hub has.

    Args:
        items: as it describes them.
        total: how many there are in all.
        following: where the next page begins; None where this is the last one.
    """

    items: list[Any]
    total: int
    following: int | None


@dataclass(frozen=True)
class _Answer:
    status: int
    content: Any  # None where it was no JSON
    date: str | None


class HubClient:
    """The hub, as one of its services sees it. It keeps connections, once it has made one: close it.

    Args:
        hub: where it is, and who we are.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._token = hub.api_token
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let go of connections; what is under way fails."""
        if self._session is not None:
            await self._session.close()

    async def greeting(self) -> Greeting:
        """What the hub says to everybody.

        Raises:
            HubDown: it did not answer, or is no hub.
        """
        asked = time.time()
        answer = await self._call("GET", "/")
        version = answer.content.get("version") if isinstance(answer.content, dict) else None
        if answer.status != 200 or not isinstance(version, str):
            raise HubDown(f"{self._hub.api_url} is not the API of a JupyterHub (it answers {answer.status})")
        return Greeting(version, date_ahead(answer.date, asked))

    async def account(self, token: str) -> Account | None:
        """Whose a token is; None where the hub does not know it.

        Raises:
            HubDown: it did not answer.
        """
        answer = await self._call("GET", "/user", token)
        # A proxy before the hub may refuse, too, but not as the hub does.
        if answer.status in (401, 403) and isinstance(answer.content, dict):
            return None
        if answer.status != 200:
            raise HubDown(f"{self._hub.api_url}/user answers {answer.status}")
        try:
            return Account.understand(answer.content)
        except ValueError as error:
            raise HubDown(f"{self._hub.api_url}/user does not answer as a hub does: {error}") from None

    async def own_account(self) -> Account | None:
        """Whose the token of this service is; None where the hub does not know it.

        Raises:
            HubDown: it did not answer.
        """
        return await self.account(await self._own_token())

    async def groups_from(self, offset: int) -> Page:
        """A page of the groups that this service may list.

        Args:
            offset: how many come before it.

        Raises:
            HubDown: the hub did not answer, or not with a page.
        """
        path = f"/groups?offset={offset}&limit={GROUPS_OF_A_PAGE}"
        answer = await self._call("GET", path, await self._own_token(), accept=PAGE, longest=LONGEST_PAGE)
        try:
            items, pages = answer.content["items"], answer.content["_pagination"]
            following = pages["next"] and pages["next"]["offset"]
            if answer.status == 200 and isinstance(items, list) and (following is None or following > offset):
                return Page(items, pages["total"], following)
        except (KeyError, TypeError):
            pass
        raise HubDown(f"{self._hub.api_url}/groups does not answer with a page of groups, but {answer.status}")

    async def group(self, name: str) -> dict[str, Any] | None:
        """A group as the hub describes it; None where it has none of that name, or none that this service may read.

        Raises:
            HubDown: the hub did not answer, or not as a hub does.
        """
        if name in (".", ".."):
            return None  # an address has no place for these: what is asked would be something else
        path = f"/groups/{quote(name, safe='')}"
        answer = await self._call("GET", path, await self._own_token(), longest=LONGEST_PAGE)
        # A proxy before the hub may know nothing of it, too, but says so in another way.
        if answer.status == 404 and isinstance(answer.content, dict):
            return None
        if answer.status != 200 or not isinstance(answer.content, dict):
            raise HubDown(f"{self._hub.api_url}{path} does not answer as a hub does, but {answer.status}")
        return answer.content

    async def token_for(self, code: str, verifier: str) -> tuple[str, int]:
        """Exchange the code that a browser brought for a token of its user (RFC 6749, 4.1.3, with RFC 7636).

        Args:
            code: from the callback.
            verifier: what the challenge was made of.

        Returns:
            The token, and for how many seconds it holds.

        Raises:
            HubDown: it did not answer.
            Rejected: it does not take the code, or does not know us.
        """
        form = {
            "grant_type": "authorization_code",
            "client_id": self._hub.client_id,
            "client_secret": await self._own_token(),
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": self._hub.callback,
        }
        answer = await self._call("POST", "/oauth2/token", form=form)
        content = answer.content if isinstance(answer.content, dict) else {}
        if 400 <= answer.status < 500:
            code = str(content.get("error", ""))
            raise Rejected(code, str(content.get("error_description") or code or answer.status))
        token, seconds = content.get("access_token"), content.get("expires_in")
        # What cannot be sent in a header is no token: the session would be good for nothing but errors.
        if answer.status != 200 or not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
            raise HubDown(f"{self._hub.api_url}/oauth2/token answers {answer.status}")
        return token, seconds if isinstance(seconds, int) and seconds > 0 else DEFAULT_TOKEN_SECONDS

    async def _own_token(self) -> str:
        """The token of this service, as its file has it by now: where the hub's is replaced, so is that."""
        if self._hub.token_file:
            try:
                self._token = await asyncio.to_thread(token_of_file, self._hub.token_file)
            except ValueError as error:
                LOG.warning("the token of this service is taken for what it was: %s", error)
        return self._token

    async def _call(
        self,
        method: str,
        path: str,
        token: str | None = None,
        form: dict[str, str] | None = None,
        accept: str = "*/*",
        longest: int = LONGEST_ANSWER,
    ) -> _Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CALLS_AT_ONCE),
                timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        asked = time.monotonic()
        url = self._hub.api_url + path
        headers = {"Accept": accept, **({"Authorization": f"token {token}"} if token else {})}
        try:
            # Redirects are not followed: the token is for the hub alone.
            async with self._session.request(method, url, headers=headers, data=form, allow_redirects=False) as answer:
                found = _Answer(answer.status, _json(await _start_of(answer, longest)), answer.headers.get("Date"))
            _count(asked, found.status)
            return found
        except UNREACHABLE as error:
            _count(asked, None)
            raise HubDown(f"{self._hub.api_url} cannot be reached: {reason_of(error)}") from None


def date_ahead(date: str | None, asked: float) -> float | None:
    """By how many seconds, at least, the clock of whoever has just answered is ahead of ours; None if it does not say.

    Args:
        date: of the answer's head.
        asked: when the request began, by our clock.
    """
    try:
        return None if date is None else clock_ahead(parsedate_to_datetime(date).timestamp(), 1, asked, time.time())
    except ValueError:
        return None


def _count(asked: float, status: int | None) -> None:
    """Count a call that was answered so, or not at all."""
    has_failed = status is None or status >= 500
    result = "failed" if has_failed else "refused" if status is not None and status >= 400 else "answered"
    metrics.count("hub_requests_total", result)
    metrics.observe("hub_request_duration_seconds", time.monotonic() - asked)
    metrics.gauge(f"hub_last_{'failure' if has_failed else 'answer'}_timestamp_seconds", time.time())


async def _start_of(answer: aiohttp.ClientResponse, longest: int) -> bytes:
    """The body; no more than a hub would ever send."""
    content = bytearray()
    async for chunk in answer.content.iter_any():
        content += chunk
        if len(content) > longest:
            break
    return bytes(content)


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
