"""Somebody of a class: who they are, and how they stand with each assignment; also of who has left."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import Person, Role, Roster, Timestamp, assignment, feedback, quota, release, submission
from ngshare_fs.store.dates import Dates
from ngshare_fs.store.errors import AssignmentNotFound
from ngshare_fs.store.problems import Problems
from ngshare_fs.store.quota import Limits
from ngshare_fs.web.frame.page import Page
from ngshare_fs.web.frame.part_of_table import PART, part_of
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.instructor.class_work.class_table import CLASS
from ngshare_fs.web.instructor.class_work.standing import class_dates


@dataclass(frozen=True)
class Work:
    """An assignment, and what somebody has done of it.

    Args:
        assignment: its name.
        dates: as they apply to them.
        is_known: whether anybody can say which.
        is_missing: whether they have not handed in what was due.
        state: see `Dates.state`, and `withdrawn`.
        newest: when they handed in for the last time; None where they have not.
        count: how often they have.
        late_seconds: by how much the newest is late; None where nothing was due.
        is_contested: whether the newest is late, and an earlier one is not.
        feedback: when feedback was given for the last time, on whichever of them.
        is_on_newest: whether that is on the newest.
    """

    assignment: str
    dates: Dates
    is_known: bool
    is_missing: bool
    state: str
    newest: Timestamp | None
    count: int
    late_seconds: int | None
    is_contested: bool
    feedback: Timestamp | None
    is_on_newest: bool


def read(visit: Visit) -> Mapping[str, Any]:
    """Who it is, and their work."""
    problems = Problems(visit.volume)
    works = _works(visit, problems)
    role, person = _entry_of(visit.roster, visit.named_user)
    if role is None and not any(work.count for work in works):
        raise Refused(refusals.STUDENT_NOT_FOUND)
    settings = visit.settings
    limits = Limits(settings.quota_volume, settings.quota_course, settings.quota_student).in_course(visit.roster.rules)
    stored = 0
    with problems.noted():
        stored = quota.used_by_student(visit.volume, visit.course, visit.named_user)
    return {
        "course": visit.course,
        "user": visit.named_user,
        "person": person,
        "role": role.value if role is not None else "",
        "is_by_group": person.source is not None,
        "works": part_of(works[::-1], visit.query.get(PART)),
        "teaches": visit.teaches,
        "stored": stored,
        "limit": limits.student,
        "is_nearly_full": limits.student > 0 and stored * 10 >= limits.student * 9,
        "problem": problems.first,
    }


def _entry_of(people: Roster, user: str) -> tuple[Role | None, Person]:
    """What the roster has of somebody: the entry that counts, or else the one that a group has brought."""
    named = people.named_role(user)
    for role in Role if named is None else (named,):
        if user in people.people(role):
            return role, people.people(role)[user]
    return None, Person()


def _works(visit: Visit, problems: Problems) -> list[Work]:
    names: list[str] = []
    with problems.noted():
        names = assignment.assignments_of(visit.volume, visit.course)
    works = []
    for name in names:
        with contextlib.suppress(AssignmentNotFound), problems.noted():
            works.append(_work(visit, name, problems))
    return works


def _work(visit: Visit, name: str, problems: Problems) -> Work:
    work, user = (visit.volume, visit.course, name), visit.named_user
    found = class_dates(*work, visit.roster, problems)
    applying = found.of(user)
    handed_in = submission.submissions_by(*work, user)
    given = feedback.given_on(*work, handed_in)
    late = [applying.late_seconds(each.timestamp) for each in handed_in]
    return Work(
        name,
        applying,
        found.is_known,
        not handed_in and user in visit.roster.students and not applying.is_in_time(visit.now),
        applying.state(visit.now) if release.is_open(*work) else "withdrawn",
        handed_in[-1].timestamp if handed_in else None,
        len(handed_in),
        late[-1] if late else None,
        bool(late and late[-1] and 0 in late),
        max(given.values(), default=None),
        bool(handed_in) and handed_in[-1] in given,
    )


STUDENT = Page("pages/student/{course}/{user}", Who.GRADER, "student", read, under=CLASS)
