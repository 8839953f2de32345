"""A course as its instructors and graders see it: what needs action, and how the class stands with each assignment."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from ngshare_fs.store import assignment, release
from ngshare_fs.store.errors import AssignmentNotFound
from ngshare_fs.store.problems import Problems
from ngshare_fs.web.frame.part_of_table import PART, part_of
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.instructor.class_work.figures import Row, figures_of
from ngshare_fs.web.instructor.class_work.needs import needs_of, room_that_ends, trash_that_goes
from ngshare_fs.web.instructor.class_work.standing import (
    ClassDates,
    class_dates,
    most_assignments,
    standings,
    students_of,
)

# The parameter that says of which assignment figures are wanted that would not have any.
COUNTED = "count-of"


def overview(visit: Visit, problems: Problems) -> Mapping[str, Any]:
    """What the page of a course shows to those who grade.

    Args:
        problems: what cannot be read is noted there, and passed over.
    """
    rows, dates_of = _rows(visit, problems)
    counted = _most_relevant(rows, visit)
    students = students_of(visit.roster)
    for number, row in enumerate(rows):
        if row.assignment in counted:
            with contextlib.suppress(AssignmentNotFound), problems.noted():
                found = standings(visit.volume, visit.course, row.assignment)
                rows[number] = replace(row, figures=figures_of(found, dates_of[row.assignment], students, visit.now))
    needs = [need for row in rows[::-1] for need in needs_of(row, visit.now, visit.teaches)]
    if visit.teaches:
        with problems.noted():
            needs += room_that_ends(visit.volume, visit.course, visit.settings.quota_course)
            needs += trash_that_goes(visit.volume, visit.course, visit.settings.trash_days)
    return {
        "rows": part_of(rows[::-1], visit.query.get(PART)),
        "needs": needs,
        "students": len(students),
        "counted": len(counted),
        "teaches": visit.teaches,
    }


def _rows(visit: Visit, problems: Problems) -> tuple[list[Row], dict[str, ClassDates]]:
    names: list[str] = []
    with problems.noted():
        names = assignment.assignments_of(visit.volume, visit.course)
    rows, dates_of = [], {}
    for name in names:
        work = visit.volume, visit.course, name
        with contextlib.suppress(AssignmentNotFound), problems.noted():
            found = class_dates(*work, visit.roster, problems)
            everybodys = found.of(None)
            state = everybodys.state(visit.now) if release.is_open(*work) else "withdrawn"
            dates_of[name] = found
            rows.append(Row(name, everybodys, found.is_known, state, release.last_changed(*work)))
    return rows, dates_of


def _most_relevant(rows: Sequence[Row], visit: Visit) -> set[str]:
    """The assignments that are counted: those whose due date is nearest, or their release where nothing is due."""

    def distance(row: Row) -> float:
        return abs((moment - visit.now).total_seconds()) if (moment := _moment_of(row)) is not None else float("inf")

    wanted = visit.query.get(COUNTED)
    nearest = sorted(rows, key=lambda row: (row.assignment != wanted, distance(row)))
    return {row.assignment for row in nearest[: most_assignments(visit.roster)]}


def _moment_of(row: Row) -> datetime | None:
    if row.dates.due is not None:
        return row.dates.due.at
    if row.released is None:
        return None
    return datetime.fromisoformat(row.released.removesuffix(" UTC")).replace(tzinfo=timezone.utc)
