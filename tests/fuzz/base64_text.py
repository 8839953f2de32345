"""Base64 as it arrives, against a pattern for what it may be and Python's own decoder."""

import base64
import re

from ngshare_fs.formats.base64_stream import Base64Stream, NotBase64
from tests.fuzz.cutting import text_and_cuts, ways_to_arrive

# RFC 4648, section 4. Python's decoder, even where it checks, lets some paddings pass.
WHOLE = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
WHITE_SPACE = b" \t\n\r"
DICTIONARY = (b"QUJD", b"QQ==", b"QUI=", b"=", b"\n", b"\r\n", b" ", b"+/", b"-_")


def check(data: bytes) -> None:
    """Raise unless the stream takes what is base64, and nothing else, however it is cut."""
    text, _ = text_and_cuts(data)
    wanted = content_of(text)
    for pieces in ways_to_arrive(data):
        assert _streamed(pieces) == wanted


def content_of(text: bytes) -> bytes | None:
    """What the text encodes; None where it is no base64."""
    bare = text.translate(None, WHITE_SPACE)
    return base64.b64decode(bare, validate=True) if WHOLE.fullmatch(bare) else None


def _streamed(pieces: list[bytes]) -> bytes | None:
    stream = Base64Stream()
    content = b""
    try:
        for piece in pieces:
            content += stream.feed(piece)
        stream.finish()
    except NotBase64:
        return None
    return content
