"""`application/x-www-form-urlencoded`, decoded as it arrives."""

import codecs
import re
from collections.abc import Iterator

_FIELD = re.compile(rb"[^&]+")


class MalformedPercentEncoding(ValueError):
    """A `%` that no two hexadecimal digits follow."""


def decode(encoded: bytes) -> bytes:
    """Decode whole escapes and `+`.

    Raises:
        MalformedPercentEncoding: a `%` is not followed by two hexadecimal digits.
    """
    try:
        # Python decodes `\\x2B` in C, but `%2B` step by step: seven times slower. A backslash has to be told from it.
        return codecs.escape_decode(encoded.replace(b"+", b" ").replace(b"\\", b"\\\\").replace(b"%", b"\\x"))[0]
    except ValueError:
        raise MalformedPercentEncoding(encoded[:20].decode("ascii", errors="replace")) from None


def decoded(encoded: bytes) -> bytes | None:
    """The same; None where it is malformed."""
    try:
        return decode(encoded)
    except MalformedPercentEncoding:
        return None


def decode_segment(encoded: str) -> str:
    """Decode a URL's path or a part of it, where `+` is itself.

    Raises:
        ValueError: it is malformed, or not UTF-8.
    """
    return decode(encoded.encode("ascii").replace(b"+", b"%2B")).decode("utf-8")


def fields_of(body: bytes) -> Iterator[tuple[str, bytes]]:
    """The fields of a whole form body: each one's name, and its value, still encoded."""
    for field in _FIELD.finditer(body):
        name, _, value = field[0].partition(b"=")
        yield _text(name), value


class UrlencodedFields:
    """Splits a form body that arrives in chunks into the pieces of its fields.

    `feed` takes the body's chunks, and None at its end; it yields `(name, piece, last)`: the field's name, the next
    piece of its value, still encoded, and whether it is the last one. No piece ends within an escape.
    """

    def __init__(self) -> None:
        self._name: str | None = None  # None while the name itself is being read
        self._rest = b""

    def feed(self, chunk: bytes | None) -> Iterator[tuple[str, bytes, bool]]:
        """Take the next chunk, or None at the end, and yield what it completes."""
        data = self._rest + (chunk or b"")
        position = 0
        while True:
            if self._name is None:
                end = data.find(b"&", position)
                equals = data.find(b"=", position, end if end >= 0 else len(data))
                if equals >= 0:
                    self._name = _text(data[position:equals])
                    position = equals + 1
                elif end >= 0 or chunk is None:
                    name = data[position : end if end >= 0 else len(data)]
                    if name:
                        yield _text(name), b"", True
                    if end < 0:
                        return
                    position = end + 1
                    continue
                else:
                    self._rest = data[position:]
                    return
            end = data.find(b"&", position)
            if end < 0 and chunk is not None:
                stop = _before_a_cut_escape(data, position)
                self._rest = data[stop:]
                if stop > position:
                    yield self._name, data[position:stop], False
                return
            yield self._name, data[position : end if end >= 0 else len(data)], True
            self._name = None
            if end < 0:
                self._rest = b""
                return
            position = end + 1

    @property
    def waiting(self) -> int:
        """How many bytes of a name have been read without an end to it."""
        return len(self._rest)


def _text(encoded: bytes) -> str:
    text = decoded(encoded)
    return (encoded if text is None else text).decode("utf-8", errors="replace")


def _before_a_cut_escape(data: bytes, start: int) -> int:
    cut = data.rfind(b"%", max(start, len(data) - 2))
    return len(data) if cut < 0 else cut
