"""Points in time and durations as people write them, against Python's own reader of dates."""

import re
from datetime import datetime, timedelta, timezone

from ngshare_fs.formats.civil_time import moment_in
from ngshare_fs.formats.duration import duration_in, duration_text

DICTIONARY = (b"2026-11-15", b" 23:59:59", b" Europe/Vienna", b"T08:00Z", b"+05:30", b"-00:00", b"UTC", b"1h30m", b"2d")
# What both read alike: Python takes the ISO forms, this program those that are beside them.
ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}[+-][0-9]{2}:[0-9]{2}", re.ASCII)


def check(data: bytes) -> None:
    """Raise unless a text is refused with a `ValueError`, or what is written of it means the same."""
    text = data.decode("utf-8", "replace")
    try:
        moment = moment_in(text, "Europe/Vienna")
    except ValueError:
        pass
    else:
        assert moment_in(str(moment)) == moment
        if ISO.fullmatch(text):
            assert moment.at == datetime.fromisoformat(text).astimezone(timezone.utc)
    try:
        duration = duration_in(text)
    except ValueError:
        return
    assert timedelta() <= duration == duration_in(duration_text(duration))
