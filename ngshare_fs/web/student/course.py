"""A course: its assignments, and how one's own work on them stands, or that of the class."""

from collections.abc import Mapping
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.access.roles import in_words
from ngshare_fs.store.problems import Problems
from ngshare_fs.web.frame.page import Page
from ngshare_fs.web.frame.part_of_table import PART, part_of
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.home import HOME
from ngshare_fs.web.instructor.class_work.overview import overview
from ngshare_fs.web.own_work import own_work


def read(visit: Visit) -> Mapping[str, Any]:
    """The assignments, the newest first."""
    problems = Problems(visit.volume)
    shown: dict[str, Any] = {"course": visit.course, "role": in_words(visit.role), "grades": visit.grades}
    if visit.grades:
        problems.note_of_roster(visit.course)
        shown |= {"teaches": visit.teaches, **overview(visit, problems)}
        return {**shown, "problem": problems.first}
    works = list(own_work(visit.asking, visit.roster, visit.now, problems))
    return {**shown, "works": part_of(works[::-1], visit.query.get(PART))}


COURSE = Page("pages/course/{course}", Who.MEMBER, "course", read, under=HOME, in_menu=True)
