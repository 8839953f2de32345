"""The dates of an assignment as `ngshare-fs inspect` shows them."""

from collections.abc import Iterator

from ngshare_fs.formats.civil_time import Moment
from ngshare_fs.formats.duration import duration_text
from ngshare_fs.formats.one_line import in_one_line
from ngshare_fs.store import dates, timestamp_of
from ngshare_fs.store.dates import Dates
from ngshare_fs.store.upkeep.usage import AssignmentUsage, CourseUsage

DATES = ("release", "due", "close")
COLUMNS = (*DATES, "extensions")


def have_dates(course: CourseUsage) -> bool:
    """Whether any assignment of a course has some, or may have some that cannot be read."""
    return any(each.dates is None or _of(course, each) for each in course.assignments)


def cells(course: CourseUsage, assignment: AssignmentUsage) -> tuple[object, ...]:
    """What stands below `COLUMNS`."""
    if assignment.dates is None:
        return ("?",) * len(COLUMNS)
    found = _of(course, assignment)
    return (*(moment or "-" for moment in _moments(found)), len(assignment.dates.extensions) or "-")


def lines(course: CourseUsage, assignment: AssignmentUsage) -> Iterator[str]:
    """The dates of one assignment, and its extensions."""
    if assignment.dates is None:
        yield "Dates: its file cannot be understood"
        return
    found = _of(course, assignment)
    if found:
        said = [f"{name} {moment}" for name, moment in zip(DATES, _moments(found), strict=True) if moment]
        said += [f"grace {duration_text(found.grace)}"] if found.grace else []
        yield f"Dates: {', '.join(said)} ({found.state(dates.now())})"
    for student, given in assignment.dates.extensions.items():
        until = ", ".join(f"{name} {moment}" for name, moment in (("due", given.due), ("close", given.close)) if moment)
        yield in_one_line(f"Extension of {student}: {until}" + (f" ({given.reason})" if given.reason else ""))


def as_json(course: CourseUsage, assignment: AssignmentUsage) -> dict[str, object] | None:
    """The same for programs; None where there are none, or nobody can tell."""
    if assignment.dates is None:
        return None
    found, extensions = _of(course, assignment), assignment.dates.extensions
    if not found and not extensions:
        return None
    return {
        "release": _utc(found.release),
        "due": _utc(found.due),
        "close": _utc(found.close),
        "grace_seconds": int(found.grace.total_seconds()),
        "timezone": found.zone,
        "state": found.state(dates.now()),
        "extensions": [
            {"student": student, "due": _utc(given.due), "close": _utc(given.close), "reason": given.reason}
            for student, given in extensions.items()
        ],
    }


def _of(course: CourseUsage, assignment: AssignmentUsage) -> Dates:
    if assignment.dates is None:
        return Dates()
    if course.roster is None:
        return dates.applying(assignment.dates)
    return dates.applying(assignment.dates, course.roster.rules)


def _moments(found: Dates) -> tuple[Moment | None, ...]:
    return found.release, found.due, found.close


def _utc(moment: Moment | None) -> str | None:
    return None if moment is None else timestamp_of(moment.at)
