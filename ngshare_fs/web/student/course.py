"""A course: its assignments, and how one's own work on them stands."""

from collections.abc import Mapping
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.access.roles import in_words
from ngshare_fs.store.problems import Problems
from ngshare_fs.web.home import HOME
from ngshare_fs.web.own_work import own_work
from ngshare_fs.web.page import Page
from ngshare_fs.web.part_of_table import PART, part_of
from ngshare_fs.web.visit import Visit


def read(visit: Visit) -> Mapping[str, Any]:
    """The assignments, the newest first."""
    problems = Problems(visit.volume)
    works = list(own_work(visit.asking, visit.roster, visit.now, problems))
    if visit.grades:
        problems.note_of_roster(visit.course)
    return {
        "course": visit.course,
        "role": in_words(visit.role),
        "works": part_of(works[::-1], visit.query.get(PART)),
        "problem": problems.first if visit.grades else None,
        "teaches": visit.teaches,
    }


COURSE = Page("pages/course/{course}", Who.MEMBER, "course", read, under=HOME, in_menu=True)
