"""Calls to a server that may be killed meanwhile, what answers say, and trees that show whether they are whole."""

import json
import time
import zlib
from collections.abc import Callable, Sequence
from http.client import HTTPConnection, HTTPException
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from ngshare_fs.http.refusals import BUSY
from tests.servers import Server
from tests.trees import contents

PATIENCE = 60
Answer = tuple[int, dict[str, Any]]
T = TypeVar("T")


def files_of(content: str) -> dict[str, bytes]:
    """A tree in which every file says whose it is, so that half of it, or two mixed, are told from a whole one."""
    number = zlib.crc32(content.encode())
    files = {"p.ipynb": content.encode()}
    files |= {f"data/{count}.csv": f"{content}, {count}\n".encode() for count in range(number % 4)}
    if number % 16 == 0:
        files["large"] = f"{content}\n".encode() * 20_000  # does not wait in memory on its way in
    return files


class Torn(AssertionError):
    """A tree that nobody handed in."""


def content_of(answer: dict[str, Any]) -> str | None:
    """What tells an answer's tree from others; None where it has no files."""
    files = contents(answer)
    if not files:
        return None
    content = files.get("p.ipynb", b"").decode()
    if files != files_of(content):
        raise Torn(f"{sorted(files)} are not the files of {content!r}")
    return content


class NeverSent(Exception):
    """Nobody listened, so nothing can have happened."""


def unless_busy(ask: Callable[[], T], message: Callable[[T], object]) -> T:
    """Ask, and ask again where a lock was held for too long: nothing has happened then, and the answer says so.

    On a busy machine, many who change one thing may have to wait longer than a server lets them.

    Args:
        ask: asks once.
        message: what an answer says.
    """
    deadline = time.monotonic() + PATIENCE
    while message(answer := ask()) == BUSY.message and time.monotonic() < deadline:
        pass
    return answer


def ask(url: str, method: str, path: Sequence[str], user: str, fields: dict[str, str]) -> Answer | None:
    """Call an endpoint on a connection of its own; None where the connection broke before the answer.

    Raises:
        NeverSent: there was no connection.
    """
    return unless_busy(
        lambda: _ask(url, method, path, user, fields), lambda answer: answer and answer[1].get("message")
    )


def _ask(url: str, method: str, path: Sequence[str], user: str, fields: dict[str, str]) -> Answer | None:
    parts = urlsplit(url)
    assert parts.hostname
    connection = HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
    form = urlencode({"user": user, **fields})
    place = parts.path + "/".join(quote(segment, safe="") for segment in path)
    try:
        try:
            connection.connect()
        except ConnectionError as error:
            raise NeverSent from error
        if method in ("GET", "DELETE"):
            connection.request(method, f"{place}?{form}")
        else:
            connection.request(method, place, form, {"Content-Type": "application/x-www-form-urlencoded"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except (ConnectionError, HTTPException):
        return None
    finally:
        connection.close()


def call(server: Server, method: str, *path: str, user: str = "root", **fields: str) -> dict[str, Any]:
    """A call that has to succeed."""
    answer = ask(server.url, method, path, user, fields)
    assert answer is not None, f"no answer to {method} {path}:\n{server.log}"
    assert answer[0] == 200, f"{method} {path}: {answer}:\n{server.log}"
    return answer[1]


def moments_in(body: dict[str, Any], of: str | None = None) -> tuple[str, ...]:
    return tuple(entry["timestamp"] for entry in body["submissions"] if of in (None, entry["student_id"]))


def handed_in(body: dict[str, Any]) -> tuple[str, str | None]:
    return body["timestamp"], content_of(body)


def people_in(body: dict[str, Any]) -> frozenset[tuple[str, str]]:
    return frozenset((entry["username"], entry["email"]) for entry in body["students"])
