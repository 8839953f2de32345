"""The page at the prefix: what is to be done next, which courses there are, how nbgrader is told of this service."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.access.roles import courses_seen_by, grades, in_words, role_in
from ngshare_fs.store import Role, Roster, assignment, course, dates, roster, submission, timestamp_of
from ngshare_fs.store.errors import AssignmentNotFound, CourseNotFound
from ngshare_fs.store.problems import Problems
from ngshare_fs.terminal.installation import how_to_install
from ngshare_fs.web.frame.page import Page
from ngshare_fs.web.frame.part_of_table import PART, part_of
from ngshare_fs.web.frame.visit import Visit, zone_of
from ngshare_fs.web.own_work import OwnWork, own_work

MOST_TO_DO = 20
# Nobody notes what somebody has seen already: what was given so lately is new.
NEW_FOR = timedelta(days=14)
MOST_NEW = 10
# Of each course that somebody teaches, the assignments that were due lately or are so soon; to count who has handed in
# takes a look at each student's folder.
DUE_LATELY, DUE_SOON = timedelta(days=14), timedelta(days=7)
MOST_COUNTED = 5


@dataclass(frozen=True)
class TakenCourse:
    """A course, as its page shows it to somebody.

    Args:
        name: its name.
        role: the key of what they are there.
        problem: what is wrong with its file, for those who may know.
    """

    name: str
    role: str
    problem: str | None = None


@dataclass(frozen=True)
class CourseWork:
    """An assignment of a course that somebody takes.

    Args:
        course: its course.
        work: what it is, and what they have done of it.
        zone: in which its times are shown.
    """

    course: str
    work: OwnWork
    zone: str


@dataclass(frozen=True)
class DueLately:
    """An assignment of a course that somebody teaches or grades.

    Args:
        course, assignment: their names.
        due: when it is due for those without an extension.
        zone: in which that is shown.
        handed_in: how many students have handed in.
        students: how many there are on the roster.
    """

    course: str
    assignment: str
    due: datetime
    zone: str
    handed_in: int
    students: int


def read(visit: Visit) -> Mapping[str, Any]:
    """Everything at a glance."""
    volume, caller, settings = visit.volume, visit.caller, visit.settings
    taken: list[TakenCourse] = []
    works: list[CourseWork] = []
    taught: list[tuple[str, Roster]] = []
    for name in courses_seen_by(volume, caller.name, caller.is_admin, caller.groups):
        problems, role, people = Problems(volume), None, None
        try:
            with problems.noted():
                people = roster.of(volume, name)
                role = role_in(name, people, caller.name, caller.groups)
        except CourseNotFound:
            taken.append(TakenCourse(name, "role.gone"))
            continue
        problems.note_of_roster(name)
        may_know = grades(role, caller.is_admin)
        word = f"role.{in_words(role)}" if people is not None else "role.unreadable"
        taken.append(TakenCourse(name, word, problems.first if may_know else None))
        if people is not None and role is Role.STUDENT:
            works += _works(visit, name, people)
        elif people is not None and role is not None:
            taught.append((name, people))
    far = datetime.max.replace(tzinfo=visit.now.tzinfo)
    to_do = [each for each in works if each.work.is_to_do]
    to_do.sort(key=lambda each: each.work.dates.due.at if each.work.dates.due else far)
    since = timestamp_of(visit.now - NEW_FOR)
    new = [each for each in works if each.work.feedback is not None and each.work.feedback >= since]
    new.sort(key=lambda each: each.work.feedback or "", reverse=True)
    return {
        "courses": part_of(taken, visit.query.get(PART)),
        "to_do": to_do[:MOST_TO_DO],
        "is_cut": len(to_do) > MOST_TO_DO,
        "new_feedback": new[:MOST_NEW],
        "takes_any": any(each.role == "role.student" for each in taken),
        "due_lately": list(_due_lately(visit, taught)),
        "creates_courses": caller.creates_courses,
        "debug": settings.debug,
        "courses_in_all": len(course.all_courses(volume)) if settings.debug else 0,
        "example_course": taken[0].name if taken else "course1",
        "how_to_install": how_to_install("nbgrader"),
    }


def _works(visit: Visit, name: str, people: Roster) -> Iterator[CourseWork]:
    asking = replace(visit.asking, names={"course": name})
    with contextlib.suppress(CourseNotFound):
        for work in own_work(asking, people, visit.now, Problems(visit.volume)):
            yield CourseWork(name, work, zone_of(people))


def _due_lately(visit: Visit, taught: list[tuple[str, Roster]]) -> Iterator[DueLately]:
    found: list[tuple[datetime, str, str, Roster]] = []
    for name, people in taught:
        problems = Problems(visit.volume)
        with contextlib.suppress(CourseNotFound), problems.noted():
            for each in assignment.assignments_of(visit.volume, name):
                with contextlib.suppress(AssignmentNotFound), problems.noted():
                    due = dates.of(visit.volume, name, each).due
                    if due is not None and visit.now - DUE_LATELY <= due.at <= visit.now + DUE_SOON:
                        found.append((due.at, name, each, people))
    for at, name, each, people in sorted(found, key=lambda one: one[0])[-MOST_COUNTED:]:
        with contextlib.suppress(AssignmentNotFound), Problems(visit.volume).noted():
            workers = {one.student for one in submission.submissions_to(visit.volume, name, each)}
            students = set(people.listed(Role.STUDENT))
            yield DueLately(name, each, at, zone_of(people), len(workers & students), len(students))


HOME = Page("", Who.ANYONE, "home", read, in_menu=True)
