"""Points in time as people write them: `2026-11-15 23:59:59 Europe/Vienna`.

That is a date, a time of the day, and a zone of the IANA database, `UTC` or an offset, which is what nbgrader reads,
too. A date alone is the end of that day. Where clocks are set forward, an hour is missing, and a time in it is refused;
where they are set back, an hour comes twice, and the first one is meant.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from ngshare_fs.formats.sentence import Sentence, sentence

_FORM = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:(?:T| +)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]+)?)?)?"
    r"(?: *(?P<zone>[A-Za-z][A-Za-z0-9_+/-]*|[+-][0-9]{2}:?[0-9]{2}))?",
    re.ASCII,
)
_NAME = re.compile("[A-Za-z][A-Za-z0-9_+/-]*", re.ASCII)
_OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})", re.ASCII)
EXAMPLE = "2026-11-15 23:59:59 Europe/Vienna"
# Years in which each date, a hundred years more and each zone can be reckoned with, and zones have whole minutes.
FIRST_YEAR, LAST_YEAR = 1970, 9000
# Files beside the zones which mean something else on each machine, nothing, or time with leap seconds.
_NO_ZONE = re.compile("localtime|posixrules|Factory|(posix|right)/.*")
# Of a text in a message.
_SHOWN = 100


@dataclass(frozen=True)
class Moment:
    """A point in time, to the second.

    Args:
        at: when it is, in UTC.
        text: as it was written, in one form: date, time, zone.
    """

    at: datetime
    text: str

    def __str__(self) -> str:
        return self.text


def moment_in(text: str, zone: str | None = None) -> Moment:
    """The point in time that a text names; a fraction of a second is left out.

    Args:
        zone: of a text that names none; where that is None, it has to.

    Raises:
        ValueError: it is none; the text says what is wrong and what to write.
    """
    found, shown = _FORM.fullmatch(text.strip()), _shown(text)
    if found is None:
        raise ValueError(sentence("{shown} is no date and time such as {example}", shown=shown, example=EXAMPLE))
    named = found["zone"] or zone
    if named is None:
        raise ValueError(sentence("{shown} names no time zone: write it as in {example}", shown=shown, example=EXAMPLE))
    hour, minute, second = (found[part] for part in ("hour", "minute", "second"))
    time = "23:59:59" if hour is None else f"{int(hour):02}:{minute}:{second or '00'}"
    written = f"{found['date']} {time}"
    try:
        local = datetime(*map(int, re.split("[- :]", written)))  # type: ignore[arg-type] # six numbers
    except ValueError:
        raise ValueError(
            sentence("{shown}: there is no {written} in the calendar", shown=shown, written=written)
        ) from None
    if not FIRST_YEAR <= local.year <= LAST_YEAR:
        raise ValueError(
            sentence(
                "{shown}: the year has to be one from {first} to {last}", shown=shown, first=FIRST_YEAR, last=LAST_YEAR
            )
        )
    rules = zone_named(named)
    at = local.replace(tzinfo=rules).astimezone(timezone.utc)
    if at.astimezone(rules).replace(tzinfo=None) != local:
        raise ValueError(
            sentence(
                "{shown}: clocks in {zone} were set forward past {time}; there was no such time that day",
                shown=shown,
                zone=named,
                time=time,
            )
        )
    return Moment(at, f"{written} {named}")


def moment_at(at: datetime, zone: str) -> Moment:
    """A point in time as somebody in a zone writes it.

    Args:
        at: aware, in whole seconds.
        zone: see `zone_named`.
    """
    local = at.astimezone(zone_named(zone))
    # Of the hour that comes twice, the text would mean the first; only an offset tells the second.
    offset = local.strftime("%z")
    named = zone if not local.fold else f"{offset[:3]}:{offset[3:]}"
    return Moment(at.astimezone(timezone.utc), f"{local:%Y-%m-%d %H:%M:%S} {named}")


@lru_cache(maxsize=64)
def zone_named(name: str) -> tzinfo:
    """The rules of a time zone: `Europe/Vienna`, `UTC`, `+01:00`.

    Raises:
        ValueError: there is none of that name.
    """
    if name in ("UTC", "GMT", "Z"):
        return timezone.utc
    offset = _OFFSET.fullmatch(name)
    if offset is not None:
        away = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        if int(offset[3]) > 59 or away > timedelta(hours=14):
            raise ValueError(sentence("{name} is no offset from UTC, such as +01:00", name=name))
        return timezone(away if offset[1] == "+" else -away)
    try:
        if _NAME.fullmatch(name) and not _NO_ZONE.fullmatch(name):
            return ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # also of a folder, and of what lies beside the zones
        pass
    raise ValueError(_no_zone(name))


def _no_zone(name: str) -> Sentence:
    # Letters of another case are what is found on some systems, and not on others.
    zones = {each.lower(): each for each in available_timezones() if not _NO_ZONE.fullmatch(each)}
    # Of abbreviations, another one is another time: `EST` is not what `CEST` means.
    near = get_close_matches(name[:_SHOWN].lower(), zones, n=1, cutoff=0.75 if "/" in name else 1)
    if near:
        return sentence("{name} is no time zone: did you mean {zone}?", name=_shown(name), zone=zones[near[0]])
    return sentence("{name} is no time zone such as Europe/Vienna, UTC or +01:00", name=_shown(name))


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
