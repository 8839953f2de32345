"""`multipart/form-data` (RFC 7578) as programs write it, a whole body at once.

What is written in any other way is for a general parser, which is slower and knows all that may be: other headers,
white space behind boundaries, text before the first and behind the last one. Where both understand a body, they find
the same in it.
"""

import re

# Unquoted, of characters that mean nothing in a header's parameter.
_CONTENT_TYPE = re.compile(r"multipart/form-data; boundary=([0-9A-Za-z'+_.-]{1,70})")
_HEAD = re.compile(rb'\r\nContent-Disposition: form-data; name="([0-9A-Za-z_-]{1,64})"\r\n\r\n')
# Says in which characters the other fields are written (RFC 7578, 4.6).
_CHARSET = "_charset_"


def boundary_in(content_type: str) -> bytes | None:
    """The boundary that a Content-Type gives, if it is written as programs do."""
    found = _CONTENT_TYPE.fullmatch(content_type)
    return None if found is None else found[1].encode("ascii")


def split(body: bytes, boundary: bytes) -> list[tuple[str, bytes]] | None:
    """The names and contents of a body's fields; None where it is for a general parser to understand or refuse."""
    delimiter = b"\r\n--" + boundary
    fields = []
    position = len(delimiter) - 2
    if not body.startswith(delimiter[2:]):
        return None
    while (head := _HEAD.match(body, position)) is not None:
        # An empty field's own line break may be the one that ends its head.
        end = body.find(delimiter, head.end() - 2)
        name = head[1].decode("ascii")
        if end < 0 or name == _CHARSET:
            return None
        fields.append((name, body[head.end() : end]))
        position = end + len(delimiter)
    return fields if body[position:] in (b"--\r\n", b"--") else None
