"""Points in time and durations in words, for people: in a zone, and for programs in UTC."""

from datetime import datetime, timezone

from markupsafe import Markup

from ngshare_fs.formats.civil_time import zone_named
from ngshare_fs.store import Timestamp
from ngshare_fs.web.texts.catalogue import Catalogue

_UNITS = (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class Times:
    """The points in time that a page shows, each as an element `time`.

    Args:
        texts: of the page.
        zone: of the page, see `zone_named`.
    """

    def __init__(self, texts: Catalogue, zone: str) -> None:
        self.are_shown = False  # whether any was, in the page's zone
        self._texts = texts
        self._zone = zone

    def in_words(self, moment: datetime | Timestamp, zone: str | None = None) -> Markup:
        """A point in time, with the name of the zone.

        Args:
            moment: aware, or a timestamp of the volume.
            zone: in which it is shown, if not that of the page.
        """
        self.are_shown = self.are_shown or zone is None
        moment, local = _in_zone(moment, zone or self._zone)
        month = self._texts(f"month.{_MONTHS[local.month - 1]}")
        clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
        name = local.tzname() or zone or self._zone
        shown = self._texts("time", day=local.day, month=month, year=local.year, clock=clock, zone=name)
        return Markup('<time datetime="{}Z">{}</time>').format(moment.isoformat("T", "seconds")[:19], shown)

    def in_brief(self, moment: datetime | Timestamp) -> Markup:
        """The same as `2026-11-15 23:59`, for tables of many."""
        self.are_shown = True
        moment, local = _in_zone(moment, self._zone)
        at, shown = moment.isoformat("T", "seconds")[:19], local.isoformat(" ", "minutes")[:16]
        # Digits and signs alone: there is nothing to escape, and a table has thousands.
        return Markup(f'<time datetime="{at}Z">{shown}</time>')  # noqa: S704


def local_time(moment: datetime | Timestamp, zone: str) -> datetime:
    """A point in time as clocks in a zone show it.

    Args:
        moment: aware, or a timestamp of the volume.
        zone: see `zone_named`.
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
