"""Requests that outlast a restart of the server, and end in an answer or in a clear problem."""

import json
import logging
import os
import random
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from ngshare_fs.exchange.connection.names_in_urls import check_text, quoted
from ngshare_fs.exchange.connection.patience import OutOfPatience, Patience
from ngshare_fs.exchange.connection.server import Server
from ngshare_fs.exchange.failures.connection_failure import (
    advice_on_proxy,
    reason_of,
    redirect_problem,
    tls_problem,
    wants_https,
)
from ngshare_fs.exchange.failures.problems import (
    BROKEN,
    NOT_SIGNED_IN,
    Refused,
    ServerProblem,
    Unreachable,
    UntrustworthyAnswer,
    limit_in_words,
)
from ngshare_fs.exchange.sending.request_body import Body, in_pieces
from ngshare_fs.terminal.progress import progress

Result = TypeVar("Result")

CONNECT_SECONDS = 10
# Waited for at once: so little that a slow connection is not mistaken for one that hangs.
PIECE = 64 * 1024
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0
# What a proxy says while the server behind it restarts, and the server itself while it cannot work.
PASSING = (502, 503, 504)


class TransientError(Exception):
    """An attempt failed for a reason that may pass.

    Args:
        problem: what to raise where it does not; made of the seconds that it was tried.
        reason: for the log.
        wait: what the server asks for, in seconds.
        made_progress: something was achieved all the same, so that patience begins anew.
    """

    def __init__(
        self, problem: Callable[[float], ServerProblem], reason: str, wait: float = 0, made_progress: bool = False
    ) -> None:
        super().__init__(reason)
        self.problem = problem
        self.reason = reason
        self.wait = wait
        self.made_progress = made_progress


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
        patience: for how long to wait in all, in seconds, and to try again what may pass.
        log: told of every pause.
    """

    def __init__(self, server: Server, patience: float, log: logging.Logger) -> None:
        self.server = server
        self._patience = patience
        self._waiting = Patience(patience)
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
            method: of HTTP.
            path: below the prefix, in plain text, a segment each.
            query, body, headers: as the endpoint wants them.
            patience: at most, where the usual one is longer.

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
                for chunk in self._chunks(response):
                    chunks.append(chunk)
                    received(len(chunk))
            if response.status_code == 304:
                return {}
            answer = self._understood(response, b"".join(chunks), body)
            if tag := response.headers.get("ETag"):
                answer["etag"] = tag
            return answer

    def tree(self, *path: str, query: Mapping[str, str] | None = None, folder: str) -> dict[str, Any]:
        """Download a directory tree.

        Args:
            path, query: as of `call`.
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
                return self._understood(response, self._content(response))
            # Commands that receive no tree, such as `submit`, do without what understands one.
            from ngshare_fs.exchange.receiving.tree_in_answer import TreeInAnswer
            from ngshare_fs.formats.json_stream import NotJson

            arriving = TreeInAnswer(folder)
            with progress("receiving", int(response.headers.get("Content-Length") or 0)) as received:
                for chunk in self._chunks(response):
                    try:
                        arriving.feed(chunk)
                    except NotJson:
                        return self._understood(response, b"")
                    received(len(chunk))
            try:
                answer = arriving.finish()
            except NotJson:
                raise self._lost("the answer ended too early") from None
            return self._as_answer(response, answer)

    def lines(self, *path: str, body: Body, folder: str) -> Iterator[dict[str, Any]]:
        """Call an endpoint that answers in lines, once: `retrying` is up to the caller, who knows what has come.

        Args:
            path, body: as of `call`.
            folder: for the contents of one line's directory tree; it is emptied before the next.

        Raises:
            Refused: the server said no.
            TransientError: the connection failed, or ended before the last line; try again what has not come.
        """
        with self._response("POST", path, None, body, None) as response:
            if response.status_code != 200:
                self._understood(response, self._content(response), body)
            from ngshare_fs.exchange.receiving.collection_line import CollectionLine  # late, as for a tree

            arriving = CollectionLine(folder)
            misunderstood = False
            with progress("receiving", None) as received:
                for chunk in self._chunks(response):
                    *ends, rest = chunk.split(b"\n")
                    for end in ends:
                        arriving.feed(end)
                        entry = arriving.finish()
                        if entry is None:
                            misunderstood = True  # the next one may be better: it is another student's
                        else:
                            yield entry
                            if "submissions" in entry:
                                return
                        arriving = CollectionLine(folder)
                    arriving.feed(rest)
                    received(len(chunk))
        if misunderstood:
            raise UntrustworthyAnswer(f"{self.server.url} sent what is no line of a collection.")
        raise self._lost("the answer ended too early")

    def retrying(self, attempt: Callable[[], Result], patience: float | None = None) -> Result:
        """Repeat an attempt that raises `TransientError`, with growing pauses, while patience lasts.

        Args:
            attempt: made until it ends in a result or in another exception.
            patience: at most, where the usual one is longer.

        Raises:
            ServerProblem: as the last attempt's `TransientError` has it.
        """
        self._waiting = Patience(self._patience if patience is None else min(patience, self._patience))
        pause = FIRST_PAUSE_SECONDS
        self.repeated = False
        while True:
            try:
                return attempt()
            except TransientError as failure:
                if failure.made_progress:
                    self._waiting.begin_anew()
                    pause = FIRST_PAUSE_SECONDS
                # A class whose connections were cut at once should not come back at once.
                wait = max(pause * random.uniform(0.75, 1.25), failure.wait)  # noqa: S311
                if not self._waiting.suffices(wait):
                    raise failure.problem(self._waiting.waited) from None
                self._log.warning("%s; trying again in %.1f s", failure.reason, wait)
                self._waiting.pause(wait)
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
        url = self.server.url + "/".join(quoted(segment) for segment in path)
        parameters = dict(query or {})
        if self.server.standalone:
            # For servers that do not read the user in the token.
            parameters["user"] = self.server.user
        for value in parameters.values():
            check_text(value)
        sent_headers = dict(headers or {})
        if body is not None:
            sent_headers["Content-Type"] = body.content_type
        try:
            with progress("sending", 0 if body is None else len(body)) as sent:
                response = self._waiting.wait_for(
                    lambda: self._session.request(
                        method,
                        url,
                        params=parameters,
                        data=None if body is None else cast(Any, _Sent(body, self._waiting, sent)),
                        headers=sent_headers,
                        timeout=(min(CONNECT_SECONDS, self._waiting.left), self._waiting.left),
                        allow_redirects=False,  # to a login page, which would look like success
                        stream=True,
                    )
                )
            with response:
                if response.status_code in PASSING:
                    content = self._content(response)
                    if _message(content).startswith(BROKEN):  # no server mends it by itself
                        self._understood(response, content)
                    raise self._transient(response.status_code, response.headers, content)
                yield response
        except requests.exceptions.SSLError as error:
            raise ServerProblem(tls_problem(error, self.server.url)) from None
        except (
            requests.exceptions.ConnectionError,
            requests.exceptions.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            raise self._lost(reason_of(error, self.server.url)) from None
        except OutOfPatience:
            raise self._lost("it does not answer") from None
        except (requests.exceptions.RequestException, ValueError) as error:
            raise ServerProblem(f"{self.server.url} cannot be asked: {error}") from None

    def _content(self, response: requests.Response) -> bytes:
        return b"".join(self._chunks(response))

    def _chunks(self, response: requests.Response) -> Iterator[bytes]:
        chunks = response.iter_content(PIECE)
        try:
            while (chunk := self._waiting.wait_for(lambda: next(chunks, None))) is not None:
                yield chunk
        except OutOfPatience:
            _hang_up(response)
            raise

    def _lost(self, reason: str) -> TransientError:
        advice = advice_on_proxy(self.server.url)
        return TransientError(
            lambda seconds: Unreachable(self.server.url, reason, seconds, advice), f"The exchange: {reason}"
        )

    def _transient(self, status: int, headers: Mapping[str, str], content: bytes) -> TransientError:
        message = _message(content)
        wait = headers.get("Retry-After", "")
        reason = message or f"HTTP {status}"

        def problem(seconds: float) -> ServerProblem:
            if message:
                return Refused(status, message, self.server.url)
            return Unreachable(self.server.url, reason, seconds, advice_on_proxy(self.server.url))

        return TransientError(problem, f"The exchange says: {reason}", float(wait) if wait.isdecimal() else 0)

    def _understood(self, response: requests.Response, content: bytes, body: Body | None = None) -> dict[str, Any]:
        wrong_scheme = wants_https(self.server.url, response.status_code, content)
        if wrong_scheme is not None:
            raise ServerProblem(wrong_scheme)
        return self._as_answer(response, _json(content), body)

    def _as_answer(self, response: requests.Response, answer: Any, body: Body | None = None) -> dict[str, Any]:
        status, url = response.status_code, self.server.url
        if isinstance(answer, dict) and answer.get("success") is True and status == 200:
            return answer
        sent = "" if status != 413 or body is None else body.in_words()
        if isinstance(answer, dict) and "message" in answer:
            raise Refused(status, str(answer["message"]), url, sent, limit_in_words(answer))
        if 300 <= status < 400:
            path = urlsplit(response.request.url or "").path.removeprefix(urlsplit(url).path)
            moved = redirect_problem(url, path, response.headers.get("Location", ""))
            if moved is not None:
                raise ServerProblem(moved)
        if 300 <= status < 400 or status == 401:
            raise Refused(status, NOT_SIGNED_IN, url)
        raise Refused(status, "", url, sent or advice_on_proxy(url))


class _Sent:
    """A body on its way, in pieces so small that a slow connection is not mistaken for one that hangs.

    Nor are they smaller than that: each of them is a packet, for which the server wakes up.
    """

    def __init__(self, body: Body, waiting: Patience, sent: Callable[[int], object]) -> None:
        self._body = body
        self._waiting = waiting
        self._sent = sent

    def __len__(self) -> int:
        return len(self._body)

    def __iter__(self) -> Iterator[bytes]:
        for piece in in_pieces(self._body, PIECE):
            yield piece
            self._waiting.moved(len(piece))
            self._sent(len(piece))


def _hang_up(response: requests.Response) -> None:
    """End the connection of an answer that a thread still waits for; closing it would wait for that thread."""
    with suppress(OSError, ValueError, AttributeError), socket.socket(fileno=os.dup(response.raw.fileno())) as same:
        same.shutdown(socket.SHUT_RDWR)


def _json(content: bytes) -> Any:
    """What it says; None where it is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _message(content: bytes) -> str:
    answer = _json(content)
    return str(answer.get("message", "")) if isinstance(answer, dict) else ""
