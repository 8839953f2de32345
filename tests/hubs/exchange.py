"""Calls to the exchange, as a client in a user's server makes them."""

from typing import Any
from urllib.parse import quote, urlencode

from tests.hubs.client import Answer, call
from tests.hubs.hub import Hub

NAMES = {"first_name": "", "last_name": "", "email": ""}
FILES = '[{"path": "p.ipynb", "content": "e30K"}]'


def ask(hub: Hub, method: str, path: str, token: str | None, /, **fields: str) -> Answer:
    """Call an endpoint through the proxy: `path` is in plain text, its segments separated by `/`."""
    return ask_at(hub.url, method, path, token, **fields)


def ask_at(url: str, method: str, path: str, token: str | None, /, **fields: str) -> Answer:
    """The same at any address; it ends with the prefix."""
    url += "/".join(quote(segment, safe="") for segment in path.split("/"))
    if method in ("GET", "DELETE"):
        return call(method, url + (f"?{urlencode(fields)}" if fields else ""), token)
    return call(method, url, token, fields=fields)


def must(answer: Answer) -> Any:
    """The answer's body, of a call that succeeds."""
    assert answer.status == 200, answer
    assert answer.body["success"] is True
    return answer.body
