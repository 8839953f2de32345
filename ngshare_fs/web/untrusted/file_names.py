"""Names of files and folders that every system can store and no program takes for something else."""

import re
import unicodedata

# In bytes of UTF-8: encrypted folders take 143 at most, and Windows 260 characters for the whole path.
LONGEST = 140
# What is kept of an ending, such as `.ipynb`, where a name is cut.
LONGEST_ENDING = 20
NAMELESS = "unnamed"

# Control characters, halves of surrogate pairs, what turns the direction of text around or cannot be seen, and what
# Windows does not take.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    '\\\\/:*?"<>|]'
)
# Names of devices on Windows, with any ending; the last three digits are superscripts.
_DEVICE = re.compile(
    "(?:con|prn|aux|nul|conin\\$|conout\\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:\\.|$)", re.IGNORECASE
)


def safe_name(name: str) -> str:
    """A name for one file or folder that is as near as can be to what somebody has called it.

    It is never empty, `.` or `..`, has no separator of folders or drives, and does not begin with what hides a file or
    is taken for an option.
    """
    safe = _UNSAFE.sub("_", unicodedata.normalize("NFC", name))
    # Windows drops dots and spaces at the end; at the beginning a dot hides the file, and a dash makes an option of it.
    safe = re.sub("^[.~-]", "_", safe.strip(" ")).rstrip(". ")
    if _DEVICE.match(safe):
        safe = "_" + safe
    return shortened(safe, LONGEST) if safe else NAMELESS


def zip_name(*parts: str) -> str:
    """What a zip is called, after what it is of."""
    return safe_name(" ".join(parts).replace(":", ".") + ".zip")


def shortened(name: str, longest: int, mark: str = "") -> str:
    """The name with a mark before its ending, cut so that it takes no more bytes than it may.

    Args:
        longest: in bytes of UTF-8.
        mark: what is put there.
    """
    stem, ending = split(name)
    room = longest - len((mark + ending).encode())
    kept = stem.encode()
    if len(kept) > room:
        stem = kept[:room].decode(errors="ignore").rstrip(". ")
    return (stem + mark + ending) or NAMELESS


def split(name: str) -> tuple[str, str]:
    """A name without its ending, and the ending with its dot; empty where there is none worth keeping."""
    stem, dot, ending = name.rpartition(".")
    if not stem or len((dot + ending).encode()) > LONGEST_ENDING:
        return name, ""
    return stem, dot + ending


def folded(name: str) -> str:
    """What two names have in common that are one where upper and lower case, or kinds of accents, are the same."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
