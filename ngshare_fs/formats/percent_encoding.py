"""`application/x-www-form-urlencoded`, decoded as it arrives."""

import codecs
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote_to_bytes

_FIELD = re.compile(rb"[^&]+")
_CUT_OR_WRONG = re.compile(rb"%(?![0-9A-Fa-f]{2})")

# Every byte, as itself and in both spellings of its escape, and what could be taken for an escape of another language.
_SAMPLES = (
    bytes(byte for byte in range(256) if byte != 0x25),
    b"".join(b"%%%02x" % byte for byte in range(256)),
    b"".join(b"%%%02X" % byte for byte in range(256)),
    b"\\x41", b"\\101", b"\\\\n", b"\\\n", b"%5Cx41", b"%5cn", b"\\%41", b"%2B+%252B", b"%e4%BD%a0+=&", b"",
    b"%", b"%4", b"%%41", b"%x41", b"%zz", b"%+1", b"% 1", b"a%", b"%4\x00", b"%-1", b"%\xc3\xa9",
)  # fmt: skip


class MalformedPercentEncoding(ValueError):
    """A `%` that no two hexadecimal digits follow."""


def decode(encoded: bytes) -> bytes:
    """Decode whole escapes and `+`.

    Raises:
        MalformedPercentEncoding: a `%` is not followed by two hexadecimal digits.
    """
    try:
        return _decode(encoded)
    except ValueError:
        raise MalformedPercentEncoding(encoded[:20].decode("ascii", errors="replace")) from None


def _as_escapes(encoded: bytes) -> bytes:
    # Python decodes `\\x2B` in C, but `%2B` step by step: seven times slower. A backslash has to be told from it.
    return codecs.escape_decode(encoded.replace(b"+", b" ").replace(b"\\", b"\\\\").replace(b"%", b"\\x"))[0]


def _step_by_step(encoded: bytes) -> bytes:
    if _CUT_OR_WRONG.search(encoded):
        raise ValueError("no two hexadecimal digits after a %")
    return unquote_to_bytes(encoded.replace(b"+", b" "))


def _if_right(fast: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """A decoder, if it does what `urllib` does; otherwise the slow one.

    Python documents nowhere what the fast one is made of: another release may change it, or have it no more.
    """
    try:
        right = all(_outcome(fast, sample) == _outcome(_step_by_step, sample) for sample in _SAMPLES)
    except Exception:
        right = False
    return fast if right else _step_by_step


def _outcome(decoder: Callable[[bytes], bytes], encoded: bytes) -> bytes | None:
    try:
        return decoder(encoded)
    except ValueError:
        return None


_decode = _if_right(_as_escapes)


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
