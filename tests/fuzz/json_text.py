"""JSON as it arrives, against Python's own parser."""

import json
import sys
from typing import Any

from ngshare_fs.formats import json_stream
from ngshare_fs.formats.json_stream import JsonStream, NotJson, unescaped
from tests.fuzz.cutting import limits, text_and_cuts, ways_to_arrive

DEEPEST, LONGEST_NUMBER = 12, 20
DICTIONARY = (
    b'{"', b'":', b"[]", b"{}", b",", b"null", b"true", b"false", b"-0", b"1e5", b"0.5", b"NaN", b"Infinity",
    b"\\u00e9",
    b"\\ud83d\\ude00", b"\\ud800", b"\\\\", b'\\"', b"\\/", b"\xef\xbb\xbf", b"\xe4\xbd\xa0", b"[[[[[[[[[[[[[",
    b"12345678901234567890123",
)  # fmt: skip


class NoJson(ValueError):
    """The reference refuses the text."""


def check(data: bytes) -> None:
    """Raise unless the stream understands what Python understands, and nothing else, however it is cut."""
    with limits(json_stream, DEEPEST=DEEPEST, LONGEST_NUMBER=LONGEST_NUMBER):
        _check(data)


def _check(data: bytes) -> None:
    text, _ = text_and_cuts(data)
    try:
        wanted = value_of(text)
    except NoJson:
        for pieces in ways_to_arrive(data):
            _check_that_it_is_refused(pieces)
    else:
        for pieces in ways_to_arrive(data):
            _check_that_it_is(pieces, wanted)


def value_of(text: bytes) -> Any:
    """What Python's parser makes of a text, held to the standard and to our limits.

    Raises:
        NoJson: it is none.
    """
    try:
        value = json.loads(
            text.decode("utf-8"), parse_constant=_refuse, parse_int=_short_number(int), parse_float=_short_number(float)
        )
    except ValueError as error:
        raise NoJson(str(error)) from None
    if _depth(value) > json_stream.DEEPEST:
        raise NoJson("deep")
    return value


def _refuse(constant: str) -> None:
    raise NoJson(constant)


def _short_number(kind: Any) -> Any:
    def understand(digits: str) -> Any:
        if len(digits) > json_stream.LONGEST_NUMBER:
            raise NoJson("long")
        return kind(digits)

    return understand


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


class Rebuilt:
    """Puts a value together again from what it is told."""

    def __init__(self) -> None:
        self.root: Any = None
        self._open: list[Any] = []
        self._keys: list[str] = []
        self._text = ""
        self._raw = b""

    def opened(self, is_object: bool) -> None:
        value: Any = {} if is_object else []
        self._put(value)
        self._open.append(value)
        self._keys.append("")

    def closed(self) -> None:
        self._open.pop()
        self._keys.pop()

    def string(self, piece: bytes, last: bool, is_key: bool) -> None:
        # As the server does with texts that it does not want: a piece is good or bad by itself.
        unescaped(piece)
        self._raw += piece
        if not last:
            return
        text, self._raw = unescaped(self._raw), b""
        if is_key:
            self._keys[-1] = text
        else:
            self._put(text)

    def scalar(self, token: bytes) -> None:
        self._put(json.loads(token))

    def _put(self, value: Any) -> None:
        if not self._open:
            self.root = value
        elif isinstance(self._open[-1], list):
            self._open[-1].append(value)
        else:
            self._open[-1][self._keys[-1]] = value


def _check_that_it_is(pieces: list[bytes], wanted: Any) -> None:
    rebuilt = Rebuilt()
    stream = JsonStream(rebuilt)
    for piece in pieces:
        stream.feed(piece)
        _check_memory(stream)
    stream.finish()
    assert repr(rebuilt.root) == repr(wanted)  # of two numbers that are equal, too


def _check_that_it_is_refused(pieces: list[bytes]) -> None:
    stream = JsonStream(Rebuilt())
    try:
        for piece in pieces:
            stream.feed(piece)
            _check_memory(stream)
        stream.finish()
    except NotJson:
        return
    raise AssertionError("taken for JSON")


def _check_memory(stream: JsonStream) -> None:
    held = len(stream._rest) + len(stream._nesting)
    assert held <= json_stream.LONGEST_NUMBER + json_stream.DEEPEST, f"{held} bytes are held"
    assert sys.getsizeof(stream._utf8.getstate()[0]) < 64
