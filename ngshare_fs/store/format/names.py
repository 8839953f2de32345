"""The rule by which any name becomes the name of one folder, and back.

What is safe stays itself, so that `ls` shows what people typed; the rest becomes percent-encoded UTF-8.
`%` itself is always encoded, so a folder's name has exactly one meaning. A name too long for the file
system is cut and ends in `%~` and a hash of the whole; the full name is then in the manifest inside.
"""

import hashlib
import re
from urllib.parse import unquote_to_bytes

# File systems store 255 bytes in a component; some leave room for less (eCryptfs: 143 when encrypting names,
# 255 otherwise). 240 keeps clear of the suffixes that backup tools add to temporary copies.
LONGEST_FOLDER = 240
CUT_MARK = "%~"
HASH_DIGITS = 32

# A fixed list, not a Unicode category: categories grow with each Python, and a name must keep its folder.
# C0 and C1 controls, DEL, line separators and the characters that turn the direction of text around.
_ALWAYS_ENCODED = re.compile("[\x00-\x1f%/\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


# Most names by far: a single look shows that they need no escaping.
_PLAIN = re.compile("[A-Za-z0-9_@+-](?:[A-Za-z0-9_.@ +-]{,230}[A-Za-z0-9_@+-])?")


def folder_of(name: str) -> str:
    """The folder that holds whatever is called `name`.

    Args:
        name: any text but the empty one; it must be encodable in UTF-8.

    Raises:
        ValueError: `name` is empty or holds half a surrogate pair.
    """
    if _PLAIN.fullmatch(name):
        return name
    if not name:
        raise ValueError("a name cannot be empty")
    escaped = _ALWAYS_ENCODED.sub(lambda found: _percent(found[0]), name)
    if escaped[0] == ".":  # hidden, or `.` and `..`
        escaped = "%2E" + escaped[1:]
    if escaped[-1] in " .":  # lost by other systems that the volume may be copied to
        escaped = escaped[:-1] + _percent(escaped[-1])
    if len(escaped.encode("utf-8")) <= LONGEST_FOLDER:
        return escaped
    digest = hashlib.sha256(name.encode("utf-8")).hexdigest()[:HASH_DIGITS]
    room = LONGEST_FOLDER - len(CUT_MARK) - HASH_DIGITS
    kept = escaped.encode("utf-8")[:room].decode("utf-8", errors="ignore")
    return re.sub("%[0-9A-F]?$", "", kept) + CUT_MARK + digest


def name_of(folder: str) -> str | None:
    """The name whose folder this is; None for a cut name and for a folder that no name leads to."""
    if _PLAIN.fullmatch(folder):
        return folder
    if not folder or CUT_MARK in folder:
        return None
    try:
        name = unquote_to_bytes(folder).decode("utf-8")
    except UnicodeError:
        return None
    return name if name and folder_of(name) == folder else None


def is_cut(folder: str) -> bool:
    """Whether the full name has to be looked up in the manifest inside."""
    return CUT_MARK in folder


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8"))
