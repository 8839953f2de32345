"""All courses: who is in them, what they have and take, as it was counted last."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.store import course
from ngshare_fs.store.upkeep.last_count import CourseFigures, count_of
from ngshare_fs.web.frame.page import Page
from ngshare_fs.web.frame.part_of_table import PART, part_of
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.home import HOME

# The parameters: what a name has to have in it, the column that counts, and whether the other way round.
SEARCH, SORT, REVERSED = "search", "sort", "reversed"


@dataclass(frozen=True)
class ListedCourse:
    """A course, as the table shows it.

    Args:
        name: its name.
        figures: what it had when it was counted; None where it is younger than that.
        of_server: the most that a course may store which has no limit of its own, in bytes; 0 for no limit.
    """

    name: str
    figures: CourseFigures | None
    of_server: int

    @property
    def limit(self) -> int:
        """The most that it may store."""
        return self.of_server if self.figures is None else self.figures.limit(self.of_server)

    @property
    def percent(self) -> int | None:
        """How much of that it stores; None without a limit."""
        return None if self.figures is None else self.figures.percent(self.of_server)


@dataclass(frozen=True)
class Column:
    """A column by which the table can be sorted.

    Args:
        name: its word, in the address and for its text.
        order: `ascending` or `descending` where it counts.
        reverses: whether its link turns it round.
    """

    name: str
    order: str | None
    reverses: bool


Key = Callable[[CourseFigures], int | str]
_BY_FIGURES: Mapping[str, Key] = {
    "students": lambda found: -1 if found.students is None else found.students,
    "assignments": lambda found: found.assignments,
    "submissions": lambda found: found.submissions,
    "stored": lambda found: found.stored,
    "activity": lambda found: found.last_activity or "",
}
_BY_NAME, _BY_QUOTA = "course", "quota"
_COLUMNS = (_BY_NAME, "students", "assignments", "submissions", "stored", _BY_QUOTA, "activity")


def read(visit: Visit) -> Mapping[str, Any]:
    """The courses; of what is on the volume, their names alone are looked at."""
    count = count_of(visit.volume)
    searched = visit.query.get(SEARCH, "").strip()
    sort, is_reversed = visit.query.get(SORT, _BY_NAME), visit.query.get(REVERSED) == "yes"
    names = [name for name in course.all_courses(visit.volume) if searched.casefold() in name.casefold()]
    counted = {} if count is None else count.courses
    of_server = visit.settings.quota_course
    listed = _sorted([ListedCourse(name, counted.get(name), of_server) for name in names], sort, is_reversed)
    asked = {SEARCH: searched or None, SORT: sort if sort in _COLUMNS else None}
    return {
        "courses": part_of(listed, visit.query.get(PART)),
        "moment": None if count is None else count.moment,
        "searched": searched,
        "columns": [_column(name, sort, is_reversed) for name in _COLUMNS],
        "asked": {**asked, REVERSED: "yes" if is_reversed else None},
    }


def _sorted(listed: list[ListedCourse], sort: str, is_reversed: bool) -> list[ListedCourse]:
    """By name, or by a number from the greatest down; what was not counted comes last."""
    if sort == _BY_QUOTA:
        known = [each for each in listed if each.percent is not None]
        known.sort(key=lambda each: each.percent or 0, reverse=not is_reversed)
        return known + [each for each in listed if each.percent is None]
    key = _BY_FIGURES.get(sort)
    if key is None:
        return listed[::-1] if is_reversed else listed
    counted = [(key(each.figures), each) for each in listed if each.figures is not None]
    counted.sort(key=lambda pair: pair[0], reverse=not is_reversed)
    return [each for _, each in counted] + [each for each in listed if each.figures is None]


def _column(name: str, sort: str, is_reversed: bool) -> Column:
    if name != (sort if sort in _COLUMNS else _BY_NAME):
        return Column(name, None, reverses=False)
    is_ascending = is_reversed != (name == _BY_NAME)
    return Column(name, "ascending" if is_ascending else "descending", reverses=not is_reversed)


COURSES = Page("pages/admin", Who.ADMIN, "admin_courses", read, under=HOME, in_menu=True)
