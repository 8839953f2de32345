"""`application/x-www-form-urlencoded`, decoded as it arrives."""

from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

_DIGITS = "0123456789ABCDEFabcdef"
_BYTE_OF = {f"%{high}{low}".encode(): bytes([int(high + low, 16)]) for high in _DIGITS for low in _DIGITS}
_PERCENT = b"%25"


class MalformedPercentEncoding(ValueError):
    """A `%` that no two hexadecimal digits follow."""


def decode(encoded: bytes) -> bytes:
    """Decode whole escapes and `+`.

    Replaces each distinct escape everywhere at once: base64 has three of them, so that this costs a handful of passes
    in C where looking at every escape would cost thousands of steps in Python.

    Raises:
        MalformedPercentEncoding: a `%` is not followed by two hexadecimal digits.
    """
    encoded = encoded.replace(b"+", b" ")
    if b"%" not in encoded:
        return encoded
    # An encoded text has a `%` only where an escape begins, so a search for `%25` or any other escape never
    # finds the end of one and the beginning of the next. `%` itself comes last, lest what it yields be decoded again.
    return b"%".join(_decode_all_but_percent(part) for part in encoded.split(_PERCENT))


def _decode_all_but_percent(part: bytes) -> bytes:
    start = 0
    while (start := part.find(b"%", start)) >= 0:
        escape = part[start : start + 3]
        if escape not in _BYTE_OF:
            raise MalformedPercentEncoding(escape.decode("ascii", errors="replace"))
        part = part[:start] + part[start:].replace(escape, _BYTE_OF[escape])
    return part


def decode_segment(encoded: str) -> str:
    """Decode one segment of a URL's path.

    Raises:
        ValueError: it is malformed, or not UTF-8.
    """
    raw = encoded.encode("ascii")
    if raw.count(b"%") != sum(
        raw.count(escape) for escape in {raw[i : i + 3] for i in _positions(raw)} & set(_BYTE_OF)
    ):
        raise MalformedPercentEncoding(encoded)
    return unquote_to_bytes(raw).decode("utf-8")


def _positions(raw: bytes) -> Iterator[int]:
    start = raw.find(b"%")
    while start >= 0:
        yield start
        start = raw.find(b"%", start + 1)


class UrlencodedFields:
    """Splits a form body into the pieces of its fields.

    `feed` takes the body's chunks, and None at its end; it yields `(name, piece, last)`: the field's name, the next
    piece of its decoded value, and whether it is the last one. A piece is None where the encoding is malformed.
    """

    def __init__(self) -> None:
        self._name: str | None = None  # None while the name itself is being read
        self._rest = b""

    def feed(self, chunk: bytes | None) -> Iterator[tuple[str, bytes | None, bool]]:
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
                    yield self._name, _decoded(data[position:stop]), False
                return
            yield self._name, _decoded(data[position : end if end >= 0 else len(data)]), True
            self._name = None
            if end < 0:
                self._rest = b""
                return
            position = end + 1

    @property
    def waiting(self) -> int:
        """How many bytes of a name have been read without an end to it."""
        return len(self._rest)


def _decoded(encoded: bytes) -> bytes | None:
    try:
        return decode(encoded)
    except MalformedPercentEncoding:
        return None


def _text(encoded: bytes) -> str:
    decoded = _decoded(encoded)
    return (encoded if decoded is None else decoded).decode("utf-8", errors="replace")


def _before_a_cut_escape(data: bytes, start: int) -> int:
    cut = data.rfind(b"%", max(start, len(data) - 2))
    return len(data) if cut < 0 else cut
