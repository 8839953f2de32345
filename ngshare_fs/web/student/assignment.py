"""An assignment: its dates and files, and what one has handed in oneself."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ngshare_fs.access import permission
from ngshare_fs.access.permission import Who
from ngshare_fs.store import Timestamp, dates, release
from ngshare_fs.store.errors import BrokenManifest
from ngshare_fs.web.frame.page import Page
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.own_work import takes_work_of, time_left
from ngshare_fs.web.student.course import COURSE
from ngshare_fs.web.student.handed_in import ShownFile, handed_in, is_contested, shown_files

# Of what was handed in; the rest is on a page of its own.
NEWEST = 3


def read(visit: Visit) -> Mapping[str, Any]:
    """Dates, files and submissions."""
    work = visit.asking.work
    applying = dates.of(*work, None if visit.teaches else visit.user)
    submissions = handed_in(visit, visit.user, applying)
    released_at, files = _released(visit)
    state = applying.state(visit.now) if release.is_open(*work) else "withdrawn"
    return {
        "course": visit.course,
        "assignment": visit.assignment,
        "user": visit.user,
        "dates": applying,
        "state": state,
        "left": time_left(applying, visit.now),
        "may_hand_in": takes_work_of(visit, applying),
        "released_at": released_at,
        "files": files,
        "size": sum(file.size for file in files or ()),
        "submissions": submissions[:NEWEST],
        "count": len(submissions),
        "is_contested": is_contested(submissions),
        "has_dates": bool(applying),
        "teaches": visit.teaches,
        "grades": visit.grades,
    }


def _released(visit: Visit) -> tuple[Timestamp | None, Sequence[ShownFile] | None]:
    """The files that are handed out; none where they are taken back, as the API has it; None where nobody knows."""
    if not permission.is_there(visit.asking, replace(visit.conditions, only_open=True), visit.people):
        return None, ()
    try:
        tree = release.newest(*visit.asking.work)
    except BrokenManifest:  # hides nothing of one's own
        return None, None
    if tree is None:
        return None, ()
    with tree:
        return tree.timestamp, shown_files(tree.manifest)


ASSIGNMENT = Page("pages/assignment/{course}/{assignment}", Who.MEMBER, "assignment", read, under=COURSE)
