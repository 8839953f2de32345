"""What was counted on a volume last, and how much there was at earlier times, left on the volume for all processes.

Both files lie in the server's own folder, which copies leave out: the room on one disk is not that on another. Whoever
has just counted leaves what was found; a moment of the history is added now and then, and the oldest ones go. Both are
for people: nothing is decided by them.
"""

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ngshare_fs.store.files.plain_file import open_plain
from ngshare_fs.store.format import count_file, layout, timestamp
from ngshare_fs.store.format.count_file import Count, CourseFigures, Moment
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading.fingerprint import FileFingerprint, fingerprint_of
from ngshare_fs.store.upkeep.figures import Figures
from ngshare_fs.store.upkeep.one_of_all import one_of_all
from ngshare_fs.store.volume import Volume

__all__ = [
    "Count",
    "CourseFigures",
    "History",
    "Moment",
    "count_of",
    "counting",
    "history_of",
    "leave",
    "moment_now",
    "seconds_since_last",
]

# Between two moments of the history; a little less than six hours, so that one each sixth hour is enough.
STEP_SECONDS = 6 * 3600 - 600
# More than two and a half years of them.
MOST_MOMENTS = 4000
# More than so many lines take; of what somebody has made larger, the end counts.
MOST_BYTES = 2**21
TASK = "counting"


@dataclass(frozen=True)
class History:
    """How much there was at earlier times.

    Args:
        moments: the oldest first.
        broken: so many lines that cannot be understood.
        problem: why the file cannot be read; empty where it can, or is not there.
    """

    moments: list[Moment]
    broken: int = 0
    problem: str = ""


@contextmanager
def counting(volume: Volume) -> Iterator[bool]:
    """Be the one that counts, of all processes that serve the volume; False where another one does.

    Raises:
        OSError: nobody can tell.
    """
    with one_of_all(volume, TASK) as is_ours:
        yield is_ours


def seconds_since_last(volume: Volume) -> float:
    """How long ago somebody has counted; for ever where nobody has, or that is yet to come: a clock was set back."""
    count = count_of(volume)
    return _seconds_since(None if count is None else count.moment)


def _seconds_since(moment: Moment | None) -> float:
    if moment is None:
        return float("inf")
    age = timestamp.seconds_of(timestamp.now()) - timestamp.seconds_of(moment.time)
    return age if age >= 0 else float("inf")


def moment_now(volume: Volume, found: Figures) -> Moment:
    """What was just counted, and what room there is at this moment.

    Raises:
        OSError: the file system does not say.
    """
    room = os.statvfs(volume.root)
    return Moment(
        timestamp.now(),
        found.courses,
        found.submissions,
        found.stored,
        found.bytes["trash"],
        room.f_bavail * room.f_frsize,
        room.f_blocks * room.f_frsize,
        room.f_favail,
        room.f_files,
    )


def leave(volume: Volume, found: Figures) -> None:
    """Leave what was just counted. Only for the one that counts.

    Raises:
        OSError, StoreError: it cannot be written.
    """
    moment = moment_now(volume, found)
    _write(volume, layout.LAST_COUNT, Count(moment, found.of_courses, found.of_trash).text())
    lines = _lines(os.path.join(volume.root, layout.HISTORY), MOST_BYTES)
    latest = next((each for each in count_file.understand_history(reversed(lines)) if each is not None), None)
    if _seconds_since(latest) >= STEP_SECONDS:
        # Also what nobody understands stays as it is, until it is the oldest.
        _write(volume, layout.HISTORY, b"".join([*lines[1 - MOST_MOMENTS :], moment.line()]))


def count_of(volume: Volume) -> Count | None:
    """What was counted last; None where nothing was, or nobody can read it."""
    path = os.path.join(volume.root, layout.LAST_COUNT)
    try:
        return _count(path, fingerprint_of(os.stat(path, follow_symlinks=False)))
    except OSError:
        return None


def history_of(volume: Volume, since: Timestamp | None = None) -> History:
    """How much there was.

    Args:
        since: from then on.
    """
    try:
        path = os.path.join(volume.root, layout.HISTORY)
        found = _history(path, fingerprint_of(os.stat(path, follow_symlinks=False)))
    except FileNotFoundError:
        return History([])
    except OSError as error:
        return History([], problem=error.strerror or str(error))
    return replace(found, moments=[each for each in found.moments if since is None or each.time >= since])


# Pages look at both again and again; they are written by one rename, a few times a day.
@functools.lru_cache(maxsize=2)
def _count(path: str, fingerprint: FileFingerprint) -> Count | None:
    return count_file.understand_count(_lines(path))


@functools.lru_cache(maxsize=2)
def _history(path: str, fingerprint: FileFingerprint) -> History:
    found = list(count_file.understand_history(_lines(path, MOST_BYTES)))
    moments = sorted((each for each in found if each is not None), key=lambda each: each.time)
    return History(moments, found.count(None))


def _lines(path: str, most: int | None = None) -> list[bytes]:
    """The lines of a file, each with its end; none where it is not there.

    Args:
        most: of a larger one, the end of so many bytes.
    """
    try:
        with open(open_plain(path), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if most is not None and size > most:
                file.seek(size - most)
                file.readline()
            content = file.read()
    except FileNotFoundError:
        return []
    return [line + b"\n" for line in content.split(b"\n") if line.strip()]


def _write(volume: Volume, place: str, text: bytes) -> None:
    with volume.publishing() as publication:
        publication.dirty.write_file(publication.staged, text)
        publication.publish(os.path.join(volume.root, place))
