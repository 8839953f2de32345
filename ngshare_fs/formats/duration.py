"""Durations as people write them: `5m`, `2d`, `1h30m`."""

import re
from datetime import timedelta

from ngshare_fs.formats.sentence import sentence

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(
    r"(?:([0-9]{1,7}) ?d)? ?(?:([0-9]{1,7}) ?h)? ?(?:([0-9]{1,7}) ?m)? ?(?:([0-9]{1,9}) ?s)?", re.ASCII
)
# A hundred years.
LONGEST = timedelta(days=36500)
_SHOWN = 100


def duration_in(text: str) -> timedelta:
    """The duration that a text names: days, hours, minutes and seconds, in this order, each once; `0` for none.

    Raises:
        ValueError: it is none; the text says so.
    """
    said = text.strip()
    if said == "0":
        return timedelta()
    found = _DURATION.fullmatch(said)
    if not said or found is None:
        raise ValueError(
            sentence(
                "{shown} is not a duration such as 5m, 2d or 1h30m (d, h, m and s; 0 for none)",
                shown=repr(text[:_SHOWN]),
            )
        )
    duration = timedelta(
        seconds=sum(int(count) * unit for count, unit in zip(found.groups(), _UNITS.values(), strict=True) if count)
    )
    if duration > LONGEST:
        raise ValueError(sentence("{text} is more than {days} days", text=text, days=LONGEST.days))
    return duration


def duration_text(duration: timedelta) -> str:
    """The text that `duration_in` reads as this duration, of whole seconds: `1h30m`; `0` for none."""
    left = int(duration.total_seconds())
    parts = []
    for letter, unit in _UNITS.items():
        count, left = divmod(left, unit)
        if count:
            parts.append(f"{count}{letter}")
    return "".join(parts) or "0"
