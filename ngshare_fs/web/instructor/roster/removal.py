"""Asks before somebody, or several, are taken off the roster, and says what becomes of their work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.store import Role, assignment, journal, roster, submission
from ngshare_fs.store.membership import is_too_much
from ngshare_fs.web.frame.page import Done, Field, Form, Page, Wrong
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.instructor.roster.change import SURE
from ngshare_fs.web.instructor.roster.entry import MEMBER
from ngshare_fs.web.instructor.roster.members import ROSTER, Member, groups_of, members_of


@dataclass(frozen=True)
class Leaving:
    """Somebody who would go.

    Args:
        member: who.
        submissions: how many of theirs there are.
        why_not: the key of the text that says why they cannot be removed here; None where they can.
    """

    member: Member
    submissions: int
    why_not: str | None


def read(visit: Visit) -> Mapping[str, Any]:
    """Who would go."""
    chosen = _chosen(visit)
    names = assignment.assignments_of(visit.volume, visit.course)
    leaving = [Leaving(each, _count(visit, names, each.user), _why_not(visit, each)) for each in chosen]
    return {
        "names": dict(visit.asking.names),
        "leaving": leaving,
        "going": sum(each.why_not is None for each in leaving),
        "is_too_much": _is_too_much(visit, chosen),
        "groups": groups_of(visit),
    }


def remove(visit: Visit, values: Mapping[str, str]) -> Done:
    """Take them off."""
    chosen = _chosen(visit)
    if _is_too_much(visit, chosen) and not values[SURE]:
        raise Wrong({SURE: "wrong.sure"})
    going = [each for each in chosen if _why_not(visit, each) is None]
    where = visit.volume, visit.course
    students = [each.user for each in going if each.role is Role.STUDENT]
    if students:
        were = roster.remove_students(*where, students, visit.last_check)
        visit.note("remove-students", journal.listed([user for user, was in zip(students, were, strict=True) if was]))
    for each in going:
        if each.role is Role.GRADER:
            roster.remove_grader(*where, each.user, visit.last_check)
            visit.note("remove-grader", each.user, student="")
        elif each.role is Role.INSTRUCTOR:
            roster.remove_instructor(*where, each.user, visit.last_check)
            visit.note("remove-instructor", each.user, student="")
    return Done(ROSTER.path, visit.asking.names, "removed", len(going))


def _chosen(visit: Visit) -> Sequence[Member]:
    """Those whom the address names, as far as they are on the roster."""
    wanted = set(visit.query.getall(MEMBER, []))
    return [each for each in members_of(visit.roster) if each.user in wanted]


def _why_not(visit: Visit, member: Member) -> str | None:
    if not member.is_listed:
        return "removal.by-group"
    if member.role is Role.INSTRUCTOR and not visit.caller.is_admin:
        return "removal.only-admins"
    return None


def _is_too_much(visit: Visit, chosen: Sequence[Member]) -> bool:
    students = sum(each.role is Role.STUDENT and each.is_listed for each in chosen)
    return is_too_much(students, len(visit.roster.listed(Role.STUDENT)))


def _count(visit: Visit, assignments: Sequence[str], user: str) -> int:
    found = 0
    for each in assignments:
        found += len(submission.submissions_by(visit.volume, visit.course, each, user))
    return found


ROSTER_REMOVAL = Page(
    "pages/roster-remove/{course}",
    Who.INSTRUCTOR,
    "roster_removal",
    read,
    under=ROSTER,
    forms=(Form("remove", remove, (Field(SURE, 10, required=False),)),),
)
