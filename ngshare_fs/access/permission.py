"""Who may do what: the one rule for the API and for the pages.

What is asked for is told by the names in its address: a course, an assignment, a user. The checks come in the order of
the API; the first that fails gives the answer.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from ngshare_fs.access.groups import UserGroups
from ngshare_fs.access.roles import grades, role_in
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import Role, Roster, Volume, assignment, dates, release, roster, submission
from ngshare_fs.store.errors import AssignmentNotFound, BrokenManifest


class Who(enum.Enum):
    """Who may do something. Admins may in any case, and whoever has a higher role than is asked for."""

    ANYONE = "anyone"
    COURSE_CREATOR = "course creator"
    ADMIN = "admin"
    MEMBER = "member"
    GRADER = "grader"
    GRADER_OR_SELF = "grader or self"
    INSTRUCTOR = "instructor"

    @property
    def reason(self) -> str:
        """The reason that debug mode gives to anybody else."""
        match self:
            case Who.ADMIN | Who.COURSE_CREATOR:
                return "not admin"
            case Who.MEMBER:
                return "not related to course"
            case _:
                return "not course instructor"


@dataclass(frozen=True)
class Conditions:
    """What has to hold before something is shown or done.

    Args:
        who: who may.
        course, assignment: whether there has to be the one that is named.
        of_student: whether the user who is named has to be a student, or to have handed in.
        only_open: to students, an assignment that is withdrawn is none, also where they have handed in.
        writes: whether anything is changed.
    """

    who: Who
    course: bool = False
    assignment: bool = False
    of_student: bool = False
    only_open: bool = False
    writes: bool = False


@dataclass(frozen=True)
class Asking:
    """Somebody who asks, and for what.

    Args:
        volume: where everything is.
        user: who it is.
        is_admin: whether that is an admin.
        creates_courses: whether they may make courses.
        groups: that they are in.
        names: what they ask for: `course`, `assignment`, `user`, as far as there is one.
    """

    volume: Volume
    user: str
    is_admin: bool
    creates_courses: bool
    groups: UserGroups
    names: Mapping[str, str]

    @property
    def work(self) -> tuple[Volume, str, str]:
        """The assignment, as the store's verbs take it."""
        return self.volume, self.names["course"], self.names["assignment"]

    def role(self, people: Roster | None) -> Role | None:
        """What they are in the course.

        Args:
            people: its roster; None where no course is asked for.
        """
        return None if people is None else role_in(self.names["course"], people, self.user, self.groups)


def check(asking: Asking, conditions: Conditions) -> Roster | None:
    """Check course, permission, assignment and student.

    Returns:
        the roster of the course, where there has to be one.

    Raises:
        Refused, StoreError: a check fails.
    """
    if conditions.who in (Who.ADMIN, Who.COURSE_CREATOR):
        _check_permission(asking, conditions, None)
    people = roster.of(asking.volume, asking.names["course"]) if conditions.course else None
    _check_permission(asking, conditions, people)
    if conditions.assignment and not is_there(asking, conditions, people):
        raise Refused(refusals.ASSIGNMENT_NOT_FOUND)
    if conditions.of_student and not has_worked_here(asking, people, asking.names["user"]):
        raise Refused(refusals.STUDENT_NOT_FOUND)
    return people


def may(asking: Asking, conditions: Conditions, people: Roster | None) -> bool:
    """Whether somebody has the permission; nothing is said of whether there is such a thing."""
    try:
        _check_permission(asking, conditions, people)
    except Refused:
        return False
    return True


def has_worked_here(asking: Asking, people: Roster | None, student: str) -> bool:
    """Whether somebody belongs to the course, or has handed in to the assignment.

    Args:
        people: the roster of the course.
        student: who.

    Raises:
        AssignmentNotFound: they do not, and there is no such assignment.
    """
    # Of others nobody knows here whether they are in their groups still: what the roster lists has to do. Whoever asks
    # for themselves has no right left by an entry that a group has brought once.
    is_self = student == asking.user
    if asking.role(people) is not None if is_self else people is not None and student in people:
        return True
    # Somebody who has left, or an admin: what is listed can be collected.
    return bool(submission.submissions_by(*asking.work, student))


def is_there(asking: Asking, conditions: Conditions, people: Roster | None) -> bool:
    """Whether there is such an assignment, as far as the user may know.

    Args:
        people: the roster of the course.

    Raises:
        BrokenManifest: nobody can say whether students see it yet.
    """
    if grades(asking.role(people), asking.is_admin):
        return assignment.exists(*asking.work)
    # What somebody has handed in they go on reading.
    if not conditions.only_open and submission.submissions_by(*asking.work, asking.user):
        return True
    try:
        return release.is_visible(*asking.work, dates.now())
    except BrokenManifest:
        # Nobody can say when it is released. No work is lost for that, but nothing is shown either.
        if conditions.writes:
            return True
        raise


def _check_permission(asking: Asking, conditions: Conditions, people: Roster | None) -> None:
    who = conditions.who
    if asking.is_admin or who is Who.ANYONE:
        return
    if who is Who.COURSE_CREATOR:
        if asking.creates_courses:
            return
    elif who is not Who.ADMIN:
        role = asking.role(people)
        if role is Role.INSTRUCTOR or (role is Role.GRADER and who is not Who.INSTRUCTOR):
            return
        if role is not None and who is Who.MEMBER:
            return
        is_self = who is Who.GRADER_OR_SELF and asking.user == asking.names["user"]
        if is_self and (not conditions.of_student or _has_own_work(asking, people)):
            return
    raise Refused(refusals.PERMISSION_DENIED, who.reason)


def _has_own_work(asking: Asking, people: Roster | None) -> bool:
    """Whether somebody who asks for their own work belongs to the course, or has left it and handed in before.

    A stranger must not hear which assignments there are.
    """
    try:
        return has_worked_here(asking, people, asking.user)
    except AssignmentNotFound:
        return False
