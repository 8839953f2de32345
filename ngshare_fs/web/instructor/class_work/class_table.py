"""The class at a glance: a row for each student, a column for each assignment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.store.problems import Problems
from ngshare_fs.web.frame.page import Page
from ngshare_fs.web.frame.part_of_table import PART, part_of
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.instructor.class_work.mail import addresses_of
from ngshare_fs.web.instructor.class_work.matrix import (
    EVERYBODY,
    OF,
    SHOWN,
    SORTED,
    Cell,
    Matrix,
    Member,
    assignments_shown,
    matrix,
    wanted_by,
)
from ngshare_fs.web.student.course import COURSE


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Args:
        member: whose it is.
        cells: for each column how they stand, or whether something is missing where they have not handed in.
    """

    member: Member
    cells: list[Cell | bool]


def read(visit: Visit) -> Mapping[str, Any]:
    """The rows that are asked for."""
    problems = Problems(visit.volume)
    problems.note_of_roster(visit.course)
    assignments = assignments_shown(visit, problems)
    wanted = wanted_by(visit, assignments)
    found = matrix(visit, assignments, wanted, problems, is_whole=False)
    shown = {column.assignment for column in found.columns}
    is_filtered = wanted.show != EVERYBODY or bool(wanted.find)
    part = part_of(found.members, visit.query.get(PART))
    return {
        "course": visit.course,
        "problem": problems.first,
        "assignments": [(OF + name, name, name in shown) for name in assignments],
        "columns": [(each.assignment, each.dates.of(None).due, each.dates.file.extensions) for each in found.columns],
        "part": part,
        "rows": [_row(found, member) for member in part.rows],
        "wanted": wanted,
        "shown": SHOWN,
        "sorted": SORTED,
        "mail": addresses_of(found.members) if is_filtered else None,
        "students": len(visit.roster.students),
    }


def _row(found: Matrix, member: Member) -> Row:
    cells = (found.cell(column, member) or found.is_missing(column, member) for column in found.columns)
    return Row(member, list(cells))


CLASS = Page("pages/class/{course}", Who.GRADER, "class", read, under=COURSE, in_menu=True)
