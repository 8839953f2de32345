"""A copy of a submission that was collected earlier: of when it is, and whether somebody has worked in it since."""

import os
import stat
from collections.abc import Iterator, Sequence
from datetime import datetime

from nbgrader.utils import parse_utc

from ngshare_fs.exchange.folders.submission_cache import TIMESTAMP
from ngshare_fs.formats.file_names import is_ignored


def timestamp_of(folder: str) -> datetime | None:
    """When it was handed in; None where that is not to be found out."""
    place = os.path.join(folder, TIMESTAMP)
    if not os.path.isfile(place):  # who opens a pipe waits for ever
        return None
    try:
        with open(place, encoding="utf-8") as file:
            found: datetime | None = parse_utc(file.read().strip())
    except (OSError, OverflowError, ValueError):
        return None
    return found


def is_as_collected(folder: str, ignore: Sequence[str]) -> bool:
    """Whether nothing was put into it or changed in it by hand.

    The file with the timestamp is written last, so what is younger came later. The time that is compared (ctime) is
    the file system's own: no program sets it back, as unpacking and copying do with a file's other time.

    Args:
        folder: the copy.
        ignore: globs of what does not count, such as the notebook editor's own copies.
    """
    if timestamp_of(folder) is None:
        return False
    collected = os.lstat(os.path.join(folder, TIMESTAMP)).st_ctime_ns
    return all(os.lstat(os.path.join(folder, path)).st_ctime_ns <= collected for path in _files(folder, ignore))


def files_of(folder: str, ignore: Sequence[str]) -> list[str]:
    """What the student has handed in, of a copy that is here; nothing, where there is none.

    Args:
        folder: the copy.
        ignore: as of `is_as_collected`.
    """
    return [path for path in _files(folder, ignore) if path != TIMESTAMP]


def _files(folder: str, ignore: Sequence[str]) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.relpath(os.path.join(parent, name), folder)
            if not is_ignored(path, ignore) and not stat.S_ISDIR(os.lstat(os.path.join(parent, name)).st_mode):
                yield path
