"""What is asked of a server, and what it answers, in a form in which two servers can be compared."""

import base64
import http.client
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

CALL_SECONDS = 60

# Lists whose order the API leaves open.
UNORDERED = ("files", "instructors", "students")


@dataclass(frozen=True)
class Call:
    """One request.

    `path` follows the prefix, its segments not yet encoded; `expected` is the status, and the message if there is
    one. In an argument, `@name` stands for the timestamp, without ` UTC`, in the answer to the call that has
    `keep=name`; more text may follow it.
    """

    method: str
    user: str | None
    path: tuple[str, ...]
    expected: str
    arguments: dict[str, str] = field(default_factory=dict)
    keep: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    # Arguments travel in the query of GET and DELETE and in the body of POST, unless this says otherwise.
    in_query: bool = False

    def __str__(self) -> str:
        return f"{self.user}: {self.method} {'/'.join(self.path)} {self.arguments}"


@dataclass(frozen=True)
class Answer:
    """`body` is the JSON that was sent, or None where it was none; `text` is it in any case."""

    status: int
    content_type: str
    text: str
    body: dict[str, Any] | None

    @property
    def outcome(self) -> str:
        """The status, and the message if there is one, as in `Call.expected`."""
        return f"{self.status} {(self.body or {}).get('message', '')}".rstrip()


def get(user: str | None, path: str, expected: str = "200", **arguments: str) -> Call:
    return Call("GET", user, tuple(path.split("/")), expected, arguments)


def post(user: str | None, path: str, expected: str = "200", keep: str = "", **arguments: str) -> Call:
    return Call("POST", user, tuple(path.split("/")), expected, arguments, keep)


def delete(user: str | None, path: str, expected: str = "200", **arguments: str) -> Call:
    return Call("DELETE", user, tuple(path.split("/")), expected, arguments)


@dataclass
class Side:
    """One of the two servers; `url` ends with the prefix. Keeps the timestamps that it gave away."""

    url: str
    times: dict[str, str] = field(default_factory=dict)

    def ask(self, call: Call) -> Answer:
        arguments = {name: self._filled_in(value) for name, value in call.arguments.items()}
        if call.user is not None:
            arguments["user"] = call.user
        parts = urlsplit(self.url)
        path = parts.path + "/".join(quote(segment, safe="") for segment in call.path)
        sent = urlencode(arguments)
        headers, body = dict(call.headers), None
        if call.method == "POST" and not call.in_query:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = sent
        elif sent:
            path += "?" + sent
        assert parts.hostname is not None
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=CALL_SECONDS)
        try:
            connection.request(call.method, path, body, headers)
            answer = _read(connection.getresponse())
        finally:
            connection.close()
        if call.keep and answer.body is not None and "timestamp" in answer.body:
            self.times[call.keep] = answer.body["timestamp"].removesuffix(" UTC")
        return answer

    def _filled_in(self, value: str) -> str:
        stands_for = re.fullmatch(r"@(\w+)(.*)", value)
        return self.times[stands_for[1]] + stands_for[2] if stands_for else value

    def play(self, calls: Iterable[Call]) -> None:
        """Make the calls; all of them must answer as expected."""
        for call in calls:
            answer = self.ask(call)
            assert answer.outcome == call.expected, f"{call} at {self.url}"

    def remove_courses(self) -> None:
        """Leave nothing for the next scenario; also possible where debug mode, and so `clear`, is off."""
        self.times.clear()
        answer = self.ask(get("root", "courses"))
        assert answer.body is not None
        self.play(Call("DELETE", "root", ("course", course), "200") for course in answer.body["courses"])


def _read(response: http.client.HTTPResponse) -> Answer:
    text = response.read().decode("utf-8", "replace")
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    content_type = response.headers.get_content_type()
    return Answer(response.status, content_type, text, body if isinstance(body, dict) else None)


def comparable(value: Any, times: dict[str, str]) -> Any:
    """Return the JSON `value` without what two servers cannot have in common.

    The timestamps become `time 0`, `time 1`, … in the order in which `times` first meets them, so that the order of
    submissions and which of them is meant are still compared.
    """
    if isinstance(value, list):
        return [comparable(item, times) for item in value]
    if not isinstance(value, dict):
        return value
    result: dict[str, Any] = {}
    for key, item in value.items():
        if key == "timestamp":
            result[key] = times.setdefault(item.removesuffix(" UTC"), f"time {len(times)}")
        elif key == "content":
            # decodebytes, unlike a strict decoder, takes base64 with and without line breaks
            result[key] = base64.decodebytes(item.encode()).hex()
        else:
            result[key] = comparable(item, times)
        if key in UNORDERED:
            result[key] = in_one_order(result[key])
    return result


def in_one_order(values: Iterable[Any]) -> list[Any]:
    """Sort what has no order of its own, whatever it consists of."""
    return sorted(values, key=lambda value: json.dumps(value, sort_keys=True))
