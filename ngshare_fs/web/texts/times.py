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
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment.removesuffix(" UTC")).replace(tzinfo=timezone.utc)
    local = moment.astimezone(zone_named(zone))
    month = texts(f"month.{_MONTHS[local.month - 1]}")
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    shown = texts("time", day=local.day, month=month, year=local.year, clock=clock, zone=local.tzname() or zone)
    at = f"{moment.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    return Markup('<time datetime="{}">{}</time>').format(at, shown)


def time_in_brief(moment: datetime | Timestamp, zone: str) -> Markup:
    """The same as `2026-11-15 23:59`, for tables of many."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment.removesuffix(" UTC")).replace(tzinfo=timezone.utc)
    local = moment.astimezone(zone_named(zone)).isoformat(" ", "minutes")[:16]
    at = moment.astimezone(timezone.utc).isoformat("T", "seconds")[:19]
    # Digits and signs alone: there is nothing to escape, and a table has thousands.
    return Markup(f'<time datetime="{at}Z">{local}</time>')  # noqa: S704


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
