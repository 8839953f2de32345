"""Requests that outlast a restart of the server, and end in an answer or in a clear problem."""

import json
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, cast
from urllib.parse import quote

import requests
from requests.auth import AuthBase

from ngshare_fs.exchange.problems import NOT_SIGNED_IN, Refused, ServerProblem, Unreachable, UntrustworthyAnswer
from ngshare_fs.exchange.progress import progress
from ngshare_fs.exchange.sending import Body
from ngshare_fs.exchange.server import Server
from ngshare_fs.exchange.tree_in_answer import TreeInAnswer
from ngshare_fs.json_stream import NotJson

Result = TypeVar("Result")

CONNECT_SECONDS = 10
# The server works on a large submission for a while before it answers.
SILENCE_SECONDS = 300
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0
# What a proxy says while the server behind it restarts, and the server itself while it cannot work.
PASSING = (502, 503, 504)


class Passing(Exception):
    """An attempt failed for a reason that may pass.

    Args:
        problem: what to raise where it does not; made of the seconds that it was tried.
        reason: for the log.
        wait: what the server asks for, in seconds.
        headway: something was achieved all the same, so that patience begins anew.
    """

    def __init__(
        self, problem: Callable[[float], ServerProblem], reason: str, wait: float = 0, headway: bool = False
    ) -> None:
        super().__init__(reason)
        self.problem = problem
        self.reason = reason
        self.wait = wait
        self.headway = headway


class _Token(AuthBase):
    # As `auth`, not as a header: for want of `auth`, requests would replace the header by what ~/.netrc has.
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        # In UTF-8: a stand-alone server is told the user name, which may be in any script; http.client wants Latin-1.
        request.headers["Authorization"] = f"token {self._token}".encode().decode("latin-1")
        return request


class Client:
    """Calls a server.

    Args:
        server: where it is, and who we are.
        patience: for how long to try again what may pass, in seconds.
        log: told of every pause.
    """

    def __init__(self, server: Server, patience: float, log: logging.Logger) -> None:
        self.server = server
        self._patience = patience
        self._log = log
        # Whether the last call was made more than once, so that an earlier attempt may have done its work.
        self.repeated = False
        self._session = requests.Session()
        self._session.auth = _Token(server.token)
        self._session.headers["Accept"] = "application/json"

    def call(
        self,
        method: str,
        *path: str,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
        patience: float | None = None,
    ) -> dict[str, Any]:
        """Call an endpoint.

        Args:
            path: below the prefix, in plain text, a segment each.
            query, body, headers: as the endpoint wants them.
            patience: instead of the usual one.

        Returns:
            the answer; `{}` where it is 304.

        Raises:
            Refused: the server said no.
            Unreachable: no answer could be had in time.
            ServerProblem: what was to be sent cannot be.
        """
        return self.retrying(lambda: self._answer(method, path, query, body, headers), patience)

    def _answer(
        self,
        method: str,
        path: tuple[str, ...],
        query: Mapping[str, str] | None,
        body: Body | None,
        headers: Mapping[str, str] | None,
    ) -> dict[str, Any]:
        with self._response(method, path, query, body, headers) as response:
            with progress("receiving", int(response.headers.get("Content-Length") or 0)) as received:
                chunks = []
                for chunk in response.iter_content(2**20):
                    chunks.append(chunk)
                    received(len(chunk))
            content = b"".join(chunks)
            if response.status_code == 304:
                return {}
            answer = self._understood(response.status_code, _json(content))
            if tag := response.headers.get("ETag"):
                answer["etag"] = tag
            return answer

    def tree(self, *path: str, query: Mapping[str, str] | None = None, folder: str) -> dict[str, Any]:
        """Download a directory tree.

        Args:
            folder: for its contents; it is emptied first.

        Returns:
            the answer, as of `TreeInAnswer`.

        Raises:
            Refused: the server said no.
            Unreachable: no answer could be had in time.
        """
        return self.retrying(lambda: self._tree(path, query, folder))

    def _tree(self, path: tuple[str, ...], query: Mapping[str, str] | None, folder: str) -> dict[str, Any]:
        with self._response("GET", path, query, None, None) as response:
            if response.status_code != 200:
                return self._understood(response.status_code, _json(response.content))
            arriving = TreeInAnswer(folder)
            with progress("receiving", int(response.headers.get("Content-Length") or 0)) as received:
                for chunk in response.iter_content(2**20):
                    try:
                        arriving.feed(chunk)
                    except NotJson:
                        return self._understood(200, None)
                    received(len(chunk))
            try:
                answer = arriving.finish()
            except NotJson:
                raise self._lost("the answer ended too early") from None
            return self._understood(200, answer)

    def lines(self, *path: str, body: Body, folder: str) -> Iterator[dict[str, Any]]:
        """Call an endpoint that answers in lines, once: `retrying` is up to the caller, who knows what has come.

        Args:
            folder: for the contents of one line's directory tree; it is emptied before the next.

        Raises:
            Refused: the server said no.
            Passing: the connection failed, or ended before the last line; try again what has not come.
        """
        with self._response("POST", path, None, body, None) as response:
            if response.status_code != 200:
                self._understood(response.status_code, _json(response.content))
            arriving = TreeInAnswer(folder)
            with progress("receiving", None) as received:
                for chunk in response.iter_content(2**20):
                    *ends, rest = chunk.split(b"\n")
                    for end in ends:
                        entry = self._line(arriving, end)
                        yield entry
                        if "submissions" in entry:
                            return
                        arriving = TreeInAnswer(folder)
                    self._fed(arriving, rest)
                    received(len(chunk))
        raise self._lost("the answer ended too early")

    def _line(self, arriving: TreeInAnswer, end: bytes) -> dict[str, Any]:
        self._fed(arriving, end)
        try:
            entry = arriving.finish()
        except NotJson:
            entry = None
        if not isinstance(entry, dict):
            raise UntrustworthyAnswer(f"{self.server.url} sent what is no line of a collection.")
        return entry

    def _fed(self, arriving: TreeInAnswer, piece: bytes) -> None:
        try:
            arriving.feed(piece)
        except NotJson:
            raise UntrustworthyAnswer(f"{self.server.url} sent what is no line of a collection.") from None

    def retrying(self, attempt: Callable[[], Result], patience: float | None = None) -> Result:
        """Repeat an attempt that raises `Passing`, with growing pauses, while patience lasts.

        Raises:
            ServerProblem: as the last attempt's `Passing` has it.
        """
        patience = self._patience if patience is None else patience
        started = time.monotonic()
        pause = FIRST_PAUSE_SECONDS
        self.repeated = False
        while True:
            try:
                return attempt()
            except Passing as failure:
                if failure.headway:
                    started, pause = time.monotonic(), FIRST_PAUSE_SECONDS
                # A class whose connections were cut at once should not come back at once.
                wait = max(pause * random.uniform(0.75, 1.25), failure.wait)  # noqa: S311
                tried = time.monotonic() - started
                if tried + wait > patience:
                    raise failure.problem(tried) from None
                self._log.warning("%s; trying again in %.1f s", failure.reason, wait)
                time.sleep(wait)
                self.repeated = True
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    @contextmanager
    def _response(
        self,
        method: str,
        path: tuple[str, ...],
        query: Mapping[str, str] | None,
        body: Body | None,
        headers: Mapping[str, str] | None,
    ) -> Iterator[requests.Response]:
        url = self.server.url + "/".join(_quoted(segment) for segment in path)
        parameters = dict(query or {})
        if self.server.standalone:
            # For servers that do not read the user in the token.
            parameters["user"] = self.server.user
        sent_headers = dict(headers or {})
        if body is not None:
            sent_headers["Content-Type"] = body.content_type
        try:
            with progress("sending", 0 if body is None else len(body)) as sent:
                if body is not None:
                    body.sent = sent
                response = self._session.request(
                    method,
                    url,
                    params=parameters,
                    data=cast(Any, body),
                    headers=sent_headers,
                    timeout=(CONNECT_SECONDS, SILENCE_SECONDS),
                    allow_redirects=False,  # to a login page, which would look like success
                    stream=True,
                )
            with response:
                if response.status_code in PASSING:
                    raise self._passing(response)
                yield response
        except requests.exceptions.SSLError as error:
            raise ServerProblem(f"The certificate of {self.server.url} is not trusted: {error}") from None
        except (
            requests.exceptions.ConnectionError,
            requests.exceptions.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            raise self._lost(_plain(error)) from None
        except (requests.exceptions.RequestException, ValueError) as error:
            raise ServerProblem(f"{self.server.url} cannot be asked: {error}") from None

    def _lost(self, reason: str) -> Passing:
        return Passing(lambda seconds: Unreachable(self.server.url, reason, seconds), f"The exchange: {reason}")

    def _passing(self, response: requests.Response) -> Passing:
        status = response.status_code
        message = _message(response.content)
        wait = response.headers.get("Retry-After", "")
        reason = message or f"HTTP {status}"

        def problem(seconds: float) -> ServerProblem:
            if message:
                return Refused(status, message, self.server.url)
            return Unreachable(self.server.url, reason, seconds)

        return Passing(problem, f"The exchange says: {reason}", float(wait) if wait.isdecimal() else 0)

    def _understood(self, status: int, answer: Any) -> dict[str, Any]:
        if isinstance(answer, dict) and answer.get("success") is True and status == 200:
            return answer
        if isinstance(answer, dict) and "message" in answer:
            raise Refused(status, str(answer["message"]), self.server.url)
        if 300 <= status < 400 or status == 401:
            raise Refused(status, NOT_SIGNED_IN, self.server.url)
        raise Refused(status, "", self.server.url)


def _quoted(segment: str) -> str:
    """A name as a part of a URL.

    Raises:
        ServerProblem: no URL can have it.
    """
    if segment in ("", ".", ".."):
        # However they are quoted, clients and proxies make the path above of them: `course/..` would be another call.
        raise ServerProblem(
            f"Nothing can be called {segment!r}, since no URL can have that name: look at its spelling."
        )
    try:
        return quote(segment, safe="")
    except UnicodeEncodeError:
        raise ServerProblem(
            f"{segment!a} is no UTF-8 text, as names on the server are: look at its spelling."
        ) from None


def _json(content: bytes) -> Any:
    """What it says; None where it is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _message(content: bytes) -> str:
    answer = _json(content)
    return str(answer.get("message", "")) if isinstance(answer, dict) else ""


def _plain(error: Exception) -> str:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "it does not answer"
    if isinstance(error, requests.exceptions.Timeout):
        return f"it was silent for {SILENCE_SECONDS} s"
    text = str(error)
    for sign, plain in (
        ("Connection refused", "nobody is listening there"),
        ("NameResolutionError", "its name is not known"),
        ("Network is unreachable", "the network is down"),
    ):
        if sign in text:
            return plain
    return "the connection was cut"
