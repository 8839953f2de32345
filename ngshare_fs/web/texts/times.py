"""Points in time and durations in words, for people: in a zone, and for programs in UTC."""

from datetime import datetime, timezone

from markupsafe import Markup

from ngshare_fs.formats.civil_time import zone_named
from ngshare_fs.store import Timestamp
from ngshare_fs.web.texts.catalogue import Catalogue

_UNITS = (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def time_in_words(texts: Catalogue, moment: datetime | Timestamp, zone: str) -> Markup:
    """A point in time, as an element `time`.

    Args:
        moment: aware, or a timestamp of the volume.
        zone: in which it is shown, see `zone_named`.
    """
    moment, local = _in_zone(moment, zone)
    month = texts(f"month.{_MONTHS[local.month - 1]}")
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    shown = texts("time", day=local.day, month=month, year=local.year, clock=clock, zone=local.tzname() or zone)
    return Markup('<time datetime="{}Z">{}</time>').format(moment.isoformat("T", "seconds")[:19], shown)


def time_in_brief(moment: datetime | Timestamp, zone: str) -> Markup:
    """The same as `2026-11-15 23:59`, for tables of many."""
    moment, local = _in_zone(moment, zone)
    at, shown = moment.isoformat("T", "seconds")[:19], local.isoformat(" ", "minutes")[:16]
    # Digits and signs alone: there is nothing to escape, and a table has thousands.
    return Markup(f'<time datetime="{at}Z">{shown}</time>')  # noqa: S704


def local_time(moment: datetime | Timestamp, zone: str) -> datetime:
    """A point in time as clocks in a zone show it.

    Args:
        moment, zone: see `time_in_words`.
    """
    return _in_zone(moment, zone)[1]


def _in_zone(moment: datetime | Timestamp, zone: str) -> tuple[datetime, datetime]:
    """A point in time in UTC, and in a zone."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment.removesuffix(" UTC")).replace(tzinfo=timezone.utc)
    utc = moment.astimezone(timezone.utc)
    try:
        return utc, utc.astimezone(zone_named(zone))
    except OverflowError:  # of a folder that somebody has named: beside its ends, the calendar has no zones
        return utc, utc


def duration_in_words(texts: Catalogue, seconds: int) -> str:
    """`2 days 5 hours`: the two greatest units that there are; what is less is left out."""
    parts = []
    for unit, length in _UNITS:
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(str(texts(f"duration.{unit}", count=count)))
        if len(parts) == 2 or (parts and not count):
            break
    return " ".join(parts) or str(texts("duration.seconds", count=0))
