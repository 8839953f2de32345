"""A JSON text (RFC 8259), understood as it arrives: nothing of it is held but the token under way.

Libraries that parse incrementally (ijson, json-stream) still hold each string as a whole, and here one string
may be a file of 200 MiB.
"""

import codecs
import json
import re
from typing import Protocol

# Python's own parser refuses numbers with more digits and nests no deeper, so nothing that worked elsewhere is refused.
LONGEST_NUMBER = 4300
DEEPEST = 1000

_SPACE = re.compile(rb"[ \t\n\r]*")
_TOKEN = re.compile(rb"[-+.0-9A-Za-z]*")
_SCALAR = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null")
_CUT_ESCAPE = re.compile(rb"\\(?:u[0-9A-Fa-f]{0,3})?\Z")

# What may come next.
_VALUE, _VALUE_OR_END, _KEY, _KEY_OR_END, _COLON, _COMMA_OR_END, _NOTHING = range(7)


class NotJson(ValueError):
    """The text is no JSON."""


class Receiver(Protocol):
    """What is told of the text as it is understood."""

    def opened(self, is_object: bool) -> None:
        """An object or an array begins."""

    def closed(self) -> None:
        """The innermost object or array ends."""

    def string(self, piece: bytes, last: bool, is_key: bool) -> None:
        """The next piece of a string, escapes as they stand (never cut in two); raises `NotJson` for wrong ones."""

    def scalar(self, token: bytes) -> None:
        """A number, `true`, `false` or `null`."""


class JsonStream:
    """An incremental parser.

    Args:
        receiver: is told of everything.
    """

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._next = _VALUE
        self._nesting = bytearray()  # b"{" and b"["
        self._in_string = False
        self._is_key = False
        self._rest = b""
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._ascii_so_far = True

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk.

        Raises:
            NotJson: this cannot become JSON any more.
        """
        self._check_utf8(chunk, final=False)
        self._parse(self._rest + chunk if self._rest else chunk, final=False)

    def finish(self) -> None:
        """The text ends here.

        Raises:
            NotJson: it is not complete.
        """
        self._check_utf8(b"", final=True)
        self._parse(self._rest, final=True)
        if self._next != _NOTHING or self._in_string:
            raise NotJson("the text ends too early")

    def _check_utf8(self, chunk: bytes, final: bool) -> None:
        if self._ascii_so_far and chunk.isascii():
            return
        self._ascii_so_far = False
        try:
            self._utf8.decode(chunk, final)
        except UnicodeDecodeError as error:
            raise NotJson(str(error)) from None

    def _parse(self, data: bytes, final: bool) -> None:
        position = 0
        self._rest = b""
        while True:
            if self._in_string:
                position = self._string(data, position)
                if self._in_string:
                    return
            found = _SPACE.match(data, position)
            assert found is not None
            position = found.end()
            if position == len(data):
                return
            sign = data[position]
            if sign == 0x22:  # "
                if self._next in (_KEY, _KEY_OR_END):
                    self._is_key, self._next = True, _COLON
                elif self._next in (_VALUE, _VALUE_OR_END):
                    self._is_key = False
                    self._value_done()
                else:
                    raise NotJson("a string where none may be")
                self._in_string = True
                position += 1
            elif sign in b"{[":
                self._open(sign)
                position += 1
            elif sign in b"}]":
                self._close(sign)
                position += 1
            elif sign == 0x2C:  # ,
                if self._next != _COMMA_OR_END:
                    raise NotJson("a comma where none may be")
                self._next = _KEY if self._nesting[-1] == 0x7B else _VALUE
                position += 1
            elif sign == 0x3A:  # :
                if self._next != _COLON:
                    raise NotJson("a colon where none may be")
                self._next = _VALUE
                position += 1
            else:
                position = self._scalar(data, position, final)
                if self._rest:
                    return

    def _string(self, data: bytes, start: int) -> int:
        search = start
        while (end := data.find(b'"', search)) >= 0:
            backslashes = end
            while backslashes > start and data[backslashes - 1] == 0x5C:
                backslashes -= 1
            if (end - backslashes) % 2 == 0:
                self._in_string = False
                self._receiver.string(data[start:end], True, self._is_key)
                return end + 1
            search = end + 1
        stop = _before_a_cut_escape(data, start)
        self._rest = data[stop:]
        if stop > start:
            self._receiver.string(data[start:stop], False, self._is_key)
        return len(data)

    def _scalar(self, data: bytes, start: int, final: bool) -> int:
        if self._next not in (_VALUE, _VALUE_OR_END):
            raise NotJson("a value where none may be")
        found = _TOKEN.match(data, start)
        assert found is not None
        if found.end() - start > LONGEST_NUMBER:
            raise NotJson("a number is too long")
        if found.end() == len(data) and not final:
            self._rest = data[start:]
            return len(data)
        if not _SCALAR.fullmatch(found[0]):
            raise NotJson("neither a string nor a number, an object, an array, true, false or null")
        self._value_done()
        self._receiver.scalar(found[0])
        return found.end()

    def _open(self, sign: int) -> None:
        if self._next not in (_VALUE, _VALUE_OR_END):
            raise NotJson("a value where none may be")
        if len(self._nesting) == DEEPEST:
            raise NotJson("nested too deeply")
        self._nesting.append(sign)
        self._next = _KEY_OR_END if sign == 0x7B else _VALUE_OR_END
        self._receiver.opened(sign == 0x7B)

    def _close(self, sign: int) -> None:
        opening, empty = (0x7B, _KEY_OR_END) if sign == 0x7D else (0x5B, _VALUE_OR_END)
        if self._next not in (_COMMA_OR_END, empty) or not self._nesting or self._nesting[-1] != opening:
            raise NotJson("an end where none may be")
        self._nesting.pop()
        self._value_done()
        self._receiver.closed()

    def _value_done(self) -> None:
        self._next = _COMMA_OR_END if self._nesting else _NOTHING


def _before_a_cut_escape(data: bytes, start: int) -> int:
    """Where the last escape begins, if the data ends within it; otherwise the data's end."""
    found = _CUT_ESCAPE.search(data, max(start, len(data) - 5))
    if found is None:
        return len(data)
    backslashes = found.start()
    while backslashes > start and data[backslashes - 1] == 0x5C:
        backslashes -= 1
    return found.start() if (found.start() - backslashes) % 2 == 0 else len(data)


def unescaped(piece: bytes) -> str:
    """The text of a piece of a JSON string.

    Raises:
        NotJson: it has a control character or a wrong escape.
    """
    try:
        # A piece may begin or end within a character; the whole text is checked elsewhere.
        # Bytes would do, but then the module looks first which of five encodings they are in.
        text: str = json.loads(f'"{piece.decode("utf-8", "replace")}"')
    except ValueError as error:
        raise NotJson(str(error)) from None
    return text
