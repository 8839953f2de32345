"""A running ngshare, asked by its API with patience: it answers one call after the other, and may be restarted."""

import asyncio
import json
import threading
import time
from collections.abc import Coroutine
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import aiohttp
from yarl import URL

from ngshare_fs.formats.one_line import in_one_line
from ngshare_fs.hub.unreachable import UNREACHABLE, reason_of
from ngshare_fs.transfer.ngshare import NotNgshare

# ngshare answers one call after the other; a few that wait keep it busy.
CONNECTIONS = 4
CONNECT_SECONDS = 10
# Without a byte; ngshare reads and encodes a whole tree before the first.
SILENCE_SECONDS = 120
PATIENCE_SECONDS = 300.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 15.0
# What a proxy says while the server behind it starts anew, and what asks for time.
PASSING = (429, 502, 503, 504)
LONGEST_MESSAGE = 200

Result = TypeVar("Result")


class Refused(Exception):
    """The server answers, and not with what was asked for.

    Args:
        status: of its answer.
        message: what it says.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status} {message}".strip())
        self.status = status
        self.message = message


class Server:
    """The server. Any thread may ask it.

    A context manager.

    Args:
        url: what comes before `courses` and the other paths of the API, such as `https://hub.example/services/ngshare/`.
        token: of the hub; None on a stand-alone server.
        user: as whom, on a stand-alone server.
        patience: how long to try again where it does not answer any more, in seconds.

    Raises:
        NotNgshare: the URL is none.
    """

    def __init__(
        self, url: str, token: str | None, user: str | None = None, patience: float = PATIENCE_SECONDS
    ) -> None:
        _check(url)
        self.url = url.rstrip("/") + "/"
        self._token = token
        self._user = {} if user is None else {"user": user}
        self._patience = patience
        # Whoever mistypes a URL need not wait for minutes to hear of it.
        self._has_answered = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="connection", daemon=True)
        self._thread.start()
        self._session = self._await(self._connect())

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self._await(self._session.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def get(self, *path: str, **arguments: str) -> dict[str, Any]:
        """The answer to a GET.

        Args:
            path: its segments, not yet encoded.

        Raises:
            Refused: the server does not give it.
            NotNgshare: it does not answer for long, or what answers is no ngshare.
        """
        # A dot at its place would make another path of it.
        segments = "/".join(quote(segment, safe="").replace(".", "%2E") for segment in path)
        url = URL(self.url + segments, encoded=True).with_query({**arguments, **self._user})
        patience = self._patience if self._has_answered else 0
        deadline, pause = time.monotonic() + patience, FIRST_PAUSE_SECONDS
        while True:
            try:
                status, text = self._await(self._ask(url))
                if status not in PASSING:
                    self._has_answered = True
                    return _understood(status, text, self.url)
                reason = f"it says {status}"
            except UNREACHABLE as error:
                reason = reason_of(error)
            if time.monotonic() + pause > deadline:
                raise NotNgshare(f"{self.url} does not answer: {reason}")
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _connect(self) -> aiohttp.ClientSession:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS)
        connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        return aiohttp.ClientSession(
            connector=connector,
            timeout=timeout,
            headers={"Accept": "application/json"},
            trust_env=True,  # for proxies
            middlewares=[self._authorize],
        )

    async def _authorize(
        self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        # Later than what ~/.netrc has for this host, which aiohttp takes to be meant, or in the way of a header.
        request.headers.pop("Authorization", None)
        if self._token:
            request.headers["Authorization"] = f"token {self._token}"
        return await send(request)

    async def _ask(self, url: URL) -> tuple[int, bytes]:
        # The token goes where it was meant to go, whoever sends it elsewhere.
        async with self._session.get(url, allow_redirects=False) as answer:
            return answer.status, await answer.read()

    def _await(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise NotNgshare(f"that URL is none: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotNgshare("--from-url needs a URL such as https://hub.example/services/ngshare/")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise NotNgshare(
            "--from-url shall hold neither a password nor anything behind a `?`: whoever looks at the processes would "
            "see it; give a token with --token-file"
        )


def _understood(status: int, text: bytes, url: str) -> dict[str, Any]:
    if 300 <= status < 400:
        raise NotNgshare(f"{url} sends whoever asks elsewhere ({status}): it does not know this token, or has moved")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict) and body.get("success") is True:
        return body
    if isinstance(body, dict) and "success" in body:
        raise Refused(status, in_one_line(str(body.get("message", "")))[:LONGEST_MESSAGE])
    if status >= 500:
        raise Refused(status, "an error inside the server")
    raise NotNgshare(f"what answers at {url} is no ngshare: {status}, and no JSON of its kind")
