"""Single requests, sent as they are written: no redirect is followed, no header is made up, no path is tidied up."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import urlencode, urlsplit

ANSWER_SECONDS = 120.0  # a hub takes long to put thousands into a group, on a machine that is busy
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Message
    text: str

    @property
    def body(self) -> Any:
        """The JSON that it is; `{}` where it is something else."""
        return json.loads(self.text) if self.headers.get_content_type() == "application/json" else {}

    @property
    def message(self) -> str:
        return str(self.body.get("message"))


def call(
    method: str,
    url: str,
    token: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    fields: Mapping[str, str] | None = None,
    body: bytes | None = None,
    seconds: float = ANSWER_SECONDS,
) -> Answer:
    """Send a request and wait for its answer.

    Args:
        method: of HTTP.
        url: encoded already.
        token: sent as a client of nbgrader does it.
        headers: any others.
        fields: of a form, sent as the body.
        body: any other body.
        seconds: how long each step may take.
    """
    parts = urlsplit(url)
    sent = dict(headers or {})
    if token is not None:
        sent["Authorization"] = f"token {token}"
    if fields is not None:
        body = urlencode(fields).encode()
        sent |= FORM
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, sent)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read().decode(errors="replace"))
    finally:
        connection.close()
