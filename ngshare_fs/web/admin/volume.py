"""The volume: how much room there is, and how it has changed."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.store import Timestamp, timestamp_of
from ngshare_fs.store.upkeep.last_count import Moment, count_of, history_of
from ngshare_fs.web.admin.courses import COURSES
from ngshare_fs.web.admin.plot import Plot, Series, plot
from ngshare_fs.web.frame.page import Page
from ngshare_fs.web.frame.part_of_table import PART, part_of
from ngshare_fs.web.frame.visit import Visit

# The parameter that says how far back, in days, and what it may be; 0 is as far as it goes.
DAYS = "days"
RANGES = (30, 365, 0)


@dataclass(frozen=True)
class Room:
    """What the file system has at this moment; see `Moment`."""

    bytes_free: int
    bytes_total: int
    inodes_free: int
    inodes_total: int


@dataclass(frozen=True)
class Picture:
    """A picture of the history.

    Args:
        name: the key of what it is about.
        plot: the picture.
        lines: what its lines are, by the key of each: the least, the greatest and the last value.
    """

    name: str
    plot: Plot
    lines: Mapping[str, tuple[int, int, int]]


def read(visit: Visit) -> Mapping[str, Any]:
    """Room now, the last count, and the history as pictures and as a table."""
    asked = visit.query.get(DAYS, "")
    days = next((each for each in RANGES if str(each) == asked), RANGES[0])
    since = timestamp_of(visit.now - timedelta(days=days)) if days else None
    history = history_of(visit.volume, since)
    count = count_of(visit.volume)
    return {
        "room": _room(visit.volume.root),
        "moment": None if count is None else count.moment,
        "quota": visit.settings.quota_volume,
        "days": days,
        "ranges": RANGES,
        "history": history,
        "pictures": list(_pictures(history.moments)),
        "moments": part_of(history.moments[::-1], visit.query.get(PART)),
    }


def _room(root: str) -> Room | None:
    try:
        found = os.statvfs(root)
    except OSError:
        return None
    unit = found.f_frsize
    return Room(found.f_bavail * unit, found.f_blocks * unit, found.f_favail, found.f_files)


def _pictures(moments: Sequence[Moment]) -> list[Picture]:
    times = [_time_of(each.time) for each in moments]
    shown: list[tuple[str, bool, Mapping[str, list[int]]]] = [
        ("free", True, {"free": [each.bytes_free for each in moments]}),
        ("stored", True, {"courses": [each.stored for each in moments], "trash": [each.trash for each in moments]}),
    ]
    if any(each.inodes_total for each in moments):
        shown.append(("inodes", False, {"inodes": [each.inodes_free for each in moments]}))
    found = []
    for name, in_bytes, lines in shown:
        drawn = plot(times, [Series(*each) for each in lines.items()], in_bytes)
        if drawn is not None:
            figures = {key: (min(values), max(values), values[-1]) for key, values in lines.items()}
            found.append(Picture(name, drawn, figures))
    return found


def _time_of(time: Timestamp) -> datetime:
    return datetime.fromisoformat(time.removesuffix(" UTC")).replace(tzinfo=timezone.utc)


VOLUME = Page("pages/admin-volume", Who.ADMIN, "admin_volume", read, under=COURSES, in_menu=True)
