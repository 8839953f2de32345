"""Managing an assignment: how it stands, what was released, and what can be done with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.store import RELEASE, Role, Timestamp, dates, release, submission
from ngshare_fs.store.dates import Dates
from ngshare_fs.store.problems import Problems
from ngshare_fs.web.frame.page import Done, Form, Page
from ngshare_fs.web.frame.part_of_table import PART, part_of
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.student.assignment import ASSIGNMENT

PATH = "pages/manage/{course}/{assignment}"


@dataclass(frozen=True)
class Released:
    """A release, or a withdrawal.

    Args:
        timestamp: when.
        what: the key of the word for it.
        by: who; None where that cannot be read.
        files: how many.
        size: of them all, in bytes.
    """

    timestamp: Timestamp
    what: str
    by: str | None
    files: int
    size: int


def read(visit: Visit) -> Mapping[str, Any]:
    """How it stands."""
    handed_in = submission.submissions_to(*visit.asking.work)
    applying, extended, problem = dates_or_problem(visit)
    is_open = release.is_open(*visit.asking.work)
    return {
        "course": visit.course,
        "assignment": visit.assignment,
        "dates": applying,
        "extended": extended,
        "problem": problem,
        "state": applying.state(visit.now) if is_open else "withdrawn",
        "is_open": is_open,
        "releases": part_of(_releases(visit), visit.query.get(PART)),
        "submissions": len(handed_in),
        "workers": len({each.student for each in handed_in}),
        "students": len(visit.roster.listed(Role.STUDENT)),
    }


def dates_or_problem(visit: Visit) -> tuple[Dates, int, str | None]:
    """The dates for everybody, how many have more time, and what is wrong with the file that says so."""
    problems = Problems(visit.volume)
    applying, extended = Dates(), 0
    with problems.noted():
        reading = dates.reading(*visit.asking.work)
        applying, extended = dates.applying(reading.value, visit.roster.rules), len(reading.value.extensions)
        _ = reading.present  # raises what is wrong by now
    return applying, extended, problems.first


def _releases(visit: Visit) -> Sequence[Released]:
    found = []
    for moment, manifest in release.history(*visit.asking.work):
        if manifest is None:
            found.append(Released(moment, "release.unreadable", None, 0, 0))
        else:
            word = "release.released" if manifest.kind == RELEASE else "release.taken-back"
            size = sum(file.size for file in manifest.files)
            found.append(Released(moment, word, manifest.by, len(manifest.files), size))
    return found


def release_again(visit: Visit, values: Mapping[str, str]) -> Done:
    """Undo a withdrawal."""
    moment = release.undo_withdrawal(*visit.asking.work, visit.user, visit.last_check)
    if moment is not None:
        visit.note("release", moment)
    return Done(PATH, visit.asking.names, "released-again")


MANAGE = Page(
    PATH,
    Who.INSTRUCTOR,
    "manage",
    read,
    under=ASSIGNMENT,
    forms=(Form("again", release_again),),
)
