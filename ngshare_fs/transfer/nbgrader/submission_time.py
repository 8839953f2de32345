"""When something was handed in, from the text that nbgrader has written down.

Its format and its timezone can be configured, and the text names the timezone by an abbreviation that means several
(`IST`). Nobody guesses here: whoever takes the exchange over says which timezone that was.
"""

import re
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

DEFAULT_FORMAT = "%Y-%m-%d %H:%M:%S.%f %Z"
ZONE = "%Z"
EARLIEST_YEAR, LATEST_YEAR = 1970, 9998

_ABBREVIATION = re.compile(r"[A-Za-z]+|[+-](?:0[0-9]|1[0-4])(?:[0-5][0-9])?")
_UTC_ITSELF = ("UTC", "GMT", "Z")


class NotATime(Exception):
    """The text gives no time, or none that is certain; the message says why."""


def read_time(text: str, time_format: str, zone: ZoneInfo | None) -> datetime:
    """The moment that a text means, in UTC.

    Args:
        text: of a submission's file, or of its folder's name.
        time_format: nbgrader's `Exchange.timestamp_format`.
        zone: nbgrader's `Exchange.timezone`; None where nobody has said which.

    Raises:
        NotATime: it is none, or its timezone is not known.
    """
    found, abbreviation = _without_zone(text, time_format)
    # Students may have written it: in the first and the last year of the calendar, no timezone can be taken off.
    if not EARLIEST_YEAR <= found.year <= LATEST_YEAR:
        raise NotATime(f"{text[:100]!r} is in the year {found.year}")
    if found.tzinfo is not None:
        return found.astimezone(timezone.utc)
    if abbreviation is None:
        return found.replace(tzinfo=zone or timezone.utc).astimezone(timezone.utc)
    if abbreviation.upper() in _UTC_ITSELF:
        return found.replace(tzinfo=timezone.utc)
    if abbreviation[0] in "+-":
        return found.replace(tzinfo=timezone.utc) - _offset(abbreviation)
    if zone is None:
        raise NotATime(f"{text!r} is in the timezone {abbreviation}: say which that is, as --timezone Europe/Berlin")
    for fold in (0, 1):
        # In autumn an hour comes twice, with the same figures and another abbreviation.
        moment = found.replace(tzinfo=zone, fold=fold)
        if moment.tzname() == abbreviation:
            return moment.astimezone(timezone.utc)
    raise NotATime(f"{text!r} is no time of {zone}, which has no {abbreviation} then: give another --timezone")


def is_time_format(time_format: str) -> bool:
    """Whether a time can be written in this format, and read from it again, to the minute at least."""
    sample = datetime(2031, 11, 23, 14, 57, tzinfo=timezone.utc)
    try:
        return read_time(sample.strftime(time_format), time_format, None) == sample
    except (NotATime, ValueError):
        return False


def _without_zone(text: str, time_format: str) -> tuple[datetime, str | None]:
    if ZONE not in time_format:
        return _read(text, time_format), None
    # Python reads `UTC` alone everywhere: each word that may be an abbreviation is tried in its place.
    for found in _ABBREVIATION.finditer(text):
        try:
            return _read(f"{text[: found.start()]}UTC{text[found.end() :]}", time_format), found[0]
        except NotATime:
            continue
    raise NotATime(_not_of_format(text, time_format))


def _read(text: str, time_format: str) -> datetime:
    try:
        return datetime.strptime(text, time_format)
    except (ValueError, re.error, OverflowError):
        raise NotATime(_not_of_format(text, time_format)) from None


def _not_of_format(text: str, time_format: str) -> str:
    return f"{text[:100]!r} is no time of the format {time_format!r}"


def _offset(text: str) -> timedelta:
    hours, minutes = int(text[1:3]), int(text[3:5] or "0")
    return (1 if text[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes)
