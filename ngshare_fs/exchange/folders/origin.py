"""Where a fetched folder comes from: a hidden file in it, so that nobody mixes up two courses or two releases."""

import json
import os
import secrets
import stat
from collections.abc import Mapping
from typing import NamedTuple

# Not sent with the work: it is about the folder, not part of what the student has made.
ORIGIN = ".ngshare-origin.json"


class Origin(NamedTuple):
    """The release that was fetched.

    Args:
        course, assignment: of which it is.
        timestamp: of the release; None where an older server does not say.
        files: checksums (MD5, hexadecimal) of the files as they were released, by path.
    """

    course: str
    assignment: str
    timestamp: str | None
    files: Mapping[str, str]


def read_origin(folder: str) -> Origin | None:
    """What a folder says of itself; None where it says nothing that can be understood.

    A folder that an older plug-in, nbgrader's own exchange, or a person has made says nothing.
    """
    try:
        with open(os.path.join(folder, ORIGIN), encoding="utf-8", opener=_open_now) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            found = json.load(file)
        timestamp = None if found["timestamp"] is None else str(found["timestamp"])
        files = {str(path): str(checksum) for path, checksum in found["files"].items()}
        return Origin(str(found["course"]), str(found["assignment"]), timestamp, files)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _open_now(place: str, flags: int) -> int:
    """A named pipe would be waited for, and a link may lead to what never ends."""
    return os.open(place, flags | os.O_NONBLOCK | os.O_NOFOLLOW)


def write_origin(folder: str, origin: Origin) -> None:
    """Note it down in a folder, in place of what was noted before.

    Args:
        folder: that was fetched.
        origin: from where.

    Raises:
        OSError: it cannot be written.
    """
    place = os.path.join(folder, ORIGIN)
    # Two commands at once must not write to one file. What a killed one leaves begins as `ORIGIN` does: it is not sent.
    new = f"{place}.{secrets.token_hex(4)}"
    with open(new, "x", encoding="utf-8") as file:
        json.dump(origin._asdict(), file, indent=1, ensure_ascii=False)
    os.replace(new, place)
