"""Percent-encoding, against `urllib`: single values, and forms in pieces and as a whole."""

import re
from urllib.parse import parse_qsl, unquote_to_bytes

from ngshare_fs.formats.percent_encoding import UrlencodedFields, decode_segment, decoded, fields_of
from tests.fuzz.cutting import text_and_cuts, ways_to_arrive

BROKEN = re.compile(rb"%(?![0-9A-Fa-f]{2})")
DICTIONARY = (b"%2B", b"%25", b"%e4%BD%a0", b"\\x41", b"%ED%A0%80", b"&", b"=", b"+", b"%00", b"\\\n")

Field = tuple[str, bytes | None]


def check(data: bytes) -> None:
    """Raise unless all that reads percent-encoding agrees with urllib."""
    text, _ = text_and_cuts(data)
    assert decoded(text) == value_of(text)
    _check_segment(text)
    wanted = fields_in(text)
    assert [(name, decoded(value)) for name, value in fields_of(text)] == wanted
    if text.isascii() and not BROKEN.search(text):
        found = [(name, (value or b"").decode("utf-8", "replace")) for name, value in wanted]
        assert found == parse_qsl(text.decode(), keep_blank_values=True, errors="replace")
    for pieces in ways_to_arrive(data):
        assert _streamed(pieces) == wanted


def value_of(encoded: bytes) -> bytes | None:
    """A value, decoded by urllib; None where it is malformed, which urllib lets pass."""
    return None if BROKEN.search(encoded) else unquote_to_bytes(encoded.replace(b"+", b" "))


def fields_in(encoded: bytes) -> list[Field]:
    """The fields of a form, without a parser of ours."""
    found: list[Field] = []
    for field in filter(None, encoded.split(b"&")):
        name, _, value = field.partition(b"=")
        known = value_of(name)
        found.append(((name if known is None else known).decode("utf-8", "replace"), value_of(value)))
    return found


def _streamed(pieces: list[bytes]) -> list[Field]:
    stream = UrlencodedFields()
    found: list[Field] = []
    value: bytes | None = b""
    arrived = 0
    for piece in [*pieces, None]:
        arrived += len(piece or b"")
        for name, part, last in stream.feed(piece):
            understood = decoded(part)
            value = None if value is None or understood is None else value + understood
            if last:
                found.append((name, value))
                value = b""
        assert stream.waiting <= arrived
    return found


def _check_segment(text: bytes) -> None:
    if not text.isascii():
        return
    try:
        segment: str | None = decode_segment(text.decode("ascii"))
    except ValueError:
        segment = None
    try:
        wanted = None if BROKEN.search(text) else unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        wanted = None
    assert segment == wanted
