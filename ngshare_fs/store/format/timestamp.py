"""Points in time as the API writes them, and as folder names.

A timestamp is the text `2020-01-30 10:30:47.524219 UTC`: clients use it as a key and as a folder name, so it
is handed on as it is and never formatted anew. The folder is `20200130T103047.524219Z`: both sort as time does.
"""

import re
from datetime import date, datetime, timedelta, timezone
from typing import NewType

Timestamp = NewType("Timestamp", str)

_FOLDER = re.compile(
    r"(?!0000)[0-9]{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"T(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]\.[0-9]{6}Z"
)
_TEXT = "%Y-%m-%d %H:%M:%S.%f UTC"
_ZONE = re.compile(r"\s+(?:UTC|GMT)\Z", re.IGNORECASE)


def of(moment: datetime) -> Timestamp:
    """The timestamp of an aware `datetime`."""
    # Not by `strftime`, which gives the first thousand years fewer digits.
    return Timestamp(f"{moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat(' ', 'microseconds')} UTC")


def understand(text: str) -> Timestamp:
    """The timestamp that a client has written; always in UTC, which need not be said.

    Raises:
        ValueError: it is none.
    """
    moment = datetime.strptime(_ZONE.sub("", text), "%Y-%m-%d %H:%M:%S.%f")
    return of(moment.replace(tzinfo=timezone.utc))


def now() -> Timestamp:
    """The present, by this machine's clock."""
    return of(datetime.now(timezone.utc))


def after(latest: Timestamp | None) -> Timestamp:
    """Now, but later than `latest` even where the clock was set back or has not moved since."""
    present = now()
    if latest is None or present > latest:
        return present
    moment = datetime.strptime(latest, _TEXT).replace(tzinfo=timezone.utc)
    return of(moment + timedelta(microseconds=1))


def ago(age: timedelta) -> Timestamp:
    """The time that is so long past, of this millennium or the last."""
    return of(datetime.now(timezone.utc) - age)


def later_by(moment: Timestamp, age: timedelta) -> Timestamp | None:
    """So long after a timestamp; None where the calendar has no such time."""
    try:
        return of(datetime.strptime(moment, _TEXT).replace(tzinfo=timezone.utc) + age)
    except OverflowError:
        return None


def seconds_of(moment: str) -> float:
    """A timestamp as seconds since 1970.

    Raises:
        ValueError: it is none.
    """
    return datetime.strptime(moment, _TEXT).replace(tzinfo=timezone.utc).timestamp()


def folder_of(timestamp: Timestamp) -> str:
    """The folder name of a timestamp."""
    return f"{timestamp[:4]}{timestamp[5:7]}{timestamp[8:10]}T{timestamp[11:13]}{timestamp[14:16]}{timestamp[17:26]}Z"


def from_folder(folder: str) -> Timestamp | None:
    """The timestamp of a folder; None where the folder is something else."""
    # Sliced, not parsed: a listing does this for thousands of folders.
    if len(folder) != 23 or not _FOLDER.fullmatch(folder):
        return None
    if folder[6:8] > "28" and not _has_day(int(folder[:4]), int(folder[4:6]), int(folder[6:8])):
        return None
    return Timestamp(f"{folder[:4]}-{folder[4:6]}-{folder[6:8]} {folder[9:11]}:{folder[11:13]}:{folder[13:22]} UTC")


def is_whole(text: str) -> bool:
    """Whether a text is a timestamp, letter by letter: it may become the name of a folder."""
    return from_folder(folder_of(Timestamp(text))) == text


def _has_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
