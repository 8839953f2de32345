"""Dates in answers: when an assignment is released, due and closed for somebody, and how late work is."""

from datetime import datetime
from typing import Any

from ngshare_fs.formats.civil_time import Moment
from ngshare_fs.store import Timestamp, timestamp_of
from ngshare_fs.store.dates import Dates


def dates_answer(found: Dates, now: datetime) -> dict[str, Any] | None:
    """Dates as they apply to somebody; None where nothing is set.

    Args:
        now: at this time the assignment is what `state` says.
    """
    if not found:
        return None
    extension = found.extension
    return {
        "release": moment_answer(found.release),
        "due": moment_answer(found.due),
        "close": moment_answer(found.close),
        "grace_seconds": int(found.grace.total_seconds()),
        "timezone": found.zone,
        "state": found.state(now),
        "extended": extension is not None,
        "reason": None if extension is None else extension.reason,
    }


def lateness(found: Dates, moment: Timestamp) -> dict[str, Any]:
    """When work was due, and by how much it is late.

    Args:
        found: the dates of the student.
        moment: the timestamp of the work.
    """
    return {"due": moment_answer(found.due), "late_seconds": found.late_seconds(moment)}


def moment_answer(moment: Moment | None) -> Timestamp | None:
    """A date as the API writes it."""
    return None if moment is None else timestamp_of(moment.at)
