"""When things happened, as far as ngshare can tell: it keeps a time for submissions alone."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone

from ngshare_fs.store import Timestamp, timestamp_of

_FORMATS = ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S")
_UTC = " UTC"
_MICROSECOND = timedelta(microseconds=1)


def read(text: str | None) -> datetime | None:
    """The time that ngshare wrote, in the database or in an answer; None where it is none."""
    for known in _FORMATS if text is not None else ():
        try:
            return datetime.strptime(str(text).strip().removesuffix(_UTC), known).replace(tzinfo=timezone.utc)
        except ValueError:
            continue
    return None


def timestamp_in(text: str | None) -> Timestamp | None:
    """The same as the volume has it."""
    moment = read(text)
    return None if moment is None else timestamp_of(moment)


def without_zone(moment: Timestamp) -> str:
    """A time as ngshare has it in its database."""
    return moment.removesuffix(_UTC)


def of_release(modified: Iterable[int | None], first_submission: datetime | None) -> datetime:
    """When an assignment was released: when the newest of its files was written, but not after the first submission.

    Args:
        modified: of its files, in nanoseconds since 1970.
    """
    moments = [*_newest(modified), first_submission, datetime.now(timezone.utc)]
    return min(moment for moment in moments if moment is not None)


def of_feedback(modified: Iterable[int | None], submission: Timestamp) -> datetime:
    """When feedback was given: when the newest of its files was written, but not before the submission."""
    given = min([*_newest(modified), datetime.now(timezone.utc)])
    submitted = read(submission)
    return given if submitted is None else max(given, submitted)


def in_order(moments: Sequence[datetime]) -> list[datetime]:
    """Of the assignments of a course: each before the next one.

    ngshare lists them in the order in which they were released. Copied files may have been written in another one.
    """
    ordered: list[datetime] = []
    for moment in reversed(moments):
        ordered.append(min(moment, ordered[-1] - _MICROSECOND) if ordered else moment)
    return ordered[::-1]


def _newest(modified: Iterable[int | None]) -> list[datetime]:
    known = [moment for moment in modified if moment is not None]
    # Whole microseconds, without the detour by floating point.
    since_1970 = timedelta(microseconds=max(known) // 1000) if known else None
    return [] if since_1970 is None else [datetime(1970, 1, 1, tzinfo=timezone.utc) + since_1970]
