"""An assignment: its dates and files, and what one has handed in oneself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ngshare_fs.access import permission
from ngshare_fs.access.permission import Who
from ngshare_fs.store import StoredFile, Timestamp, dates, feedback, release, submission
from ngshare_fs.web.page import Page
from ngshare_fs.web.part_of_table import PART, part_of
from ngshare_fs.web.student.course import COURSE
from ngshare_fs.web.visit import Visit


@dataclass(frozen=True)
class HandedIn:
    """A submission of one's own.

    Args:
        timestamp: when.
        late_seconds: by how much it is late; None where nothing was due.
        feedback: when feedback on it was given; None until then.
    """

    timestamp: Timestamp
    late_seconds: int | None
    feedback: Timestamp | None


def read(visit: Visit) -> Mapping[str, Any]:
    """Dates, files and submissions."""
    work = visit.asking.work
    applying = dates.of(*work, None if visit.teaches else visit.user)
    handed_in = [
        HandedIn(each.timestamp, applying.late_seconds(each.timestamp), feedback.given_at(*work, *each))
        for each in submission.submissions_by(*work, visit.user)
    ]
    released_at, files = _released(visit)
    state = applying.state(visit.now) if release.is_open(*work) else "withdrawn"
    return {
        "course": visit.course,
        "assignment": visit.assignment,
        "dates": applying,
        "state": state,
        "may_hand_in": visit.teaches or state not in ("closed", "withdrawn"),
        "released_at": released_at,
        "files": files,
        "size": sum(file.size for file in files),
        "handed_in": part_of(handed_in[::-1], visit.query.get(PART)),
        "newest": handed_in[-1].timestamp if handed_in else None,
        "is_contested": _is_contested(handed_in),
        "has_dates": bool(applying),
        "teaches": visit.teaches,
    }


def _released(visit: Visit) -> tuple[Timestamp | None, Sequence[StoredFile]]:
    """The files that are handed out; none where they are taken back, as the API has it."""
    if not permission.is_there(visit.asking, replace(visit.conditions, only_open=True), visit.people):
        return None, ()
    tree = release.newest(*visit.asking.work)
    if tree is None:
        return None, ()
    with tree:
        return tree.timestamp, tree.manifest.files


def _is_contested(handed_in: Sequence[HandedIn]) -> bool:
    """Whether the newest one is late while an earlier one is not: an instructor may collect either."""
    return bool(handed_in) and bool(handed_in[-1].late_seconds) and any(each.late_seconds == 0 for each in handed_in)


ASSIGNMENT = Page("pages/assignment/{course}/{assignment}", Who.MEMBER, "assignment", read, under=COURSE)
