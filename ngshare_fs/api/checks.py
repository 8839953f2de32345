"""The checks before every action, in the order of the API; the first that fails gives the answer."""

from ngshare_fs.api.call import Call
from ngshare_fs.api.endpoint import Endpoint, Who
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import Role, assignment, dates, release, roster, submission
from ngshare_fs.store.errors import AssignmentNotFound, BrokenManifest


def check(call: Call, endpoint: Endpoint) -> None:
    """Check what needs no arguments: course, permission, assignment, student.

    Raises:
        Refused, StoreError: a check fails.
    """
    if endpoint.who in (Who.ADMIN, Who.COURSE_CREATOR):
        _check_permission(call, endpoint)
    if "{course}" in endpoint.path and not endpoint.new_course:
        call.people = roster.of(call.volume, call.course)
    _check_permission(call, endpoint)
    needs_assignment = "{assignment}" in endpoint.path and not endpoint.new_assignment
    if needs_assignment and not _is_there(call, endpoint):
        raise Refused(refusals.ASSIGNMENT_NOT_FOUND)
    if endpoint.of_student and not has_worked_here(call, call.named_user):
        raise Refused(refusals.STUDENT_NOT_FOUND)


def _is_there(call: Call, endpoint: Endpoint) -> bool:
    """Whether there is such an assignment, as far as the user may know."""
    work = (call.volume, call.course, call.assignment)
    if call.grades:
        return assignment.exists(*work)
    # What somebody has handed in they go on reading.
    if not endpoint.only_open and submission.submissions_by(*work, call.user):
        return True
    try:
        return release.is_visible(*work, dates.now())
    except BrokenManifest:
        # Nobody can say when it is released. No work is lost for that, but nothing is shown either.
        if endpoint.writes:
            return True
        raise


def _check_permission(call: Call, endpoint: Endpoint) -> None:
    who = endpoint.who
    if call.is_admin or who is Who.ANYONE:
        return
    if who is Who.COURSE_CREATOR:
        if call.creates_courses:
            return
    elif who is not Who.ADMIN:
        role = call.role
        if role is Role.INSTRUCTOR or (role is Role.GRADER and who is not Who.INSTRUCTOR):
            return
        if role is not None and who is Who.MEMBER:
            return
        is_self = who is Who.GRADER_OR_SELF and call.user == call.named_user
        if is_self and (not endpoint.of_student or _has_own_work(call)):
            return
    raise Refused(refusals.PERMISSION_DENIED, who.reason)


def _has_own_work(call: Call) -> bool:
    """Whether somebody who asks for their own work belongs to the course, or has left it and handed in before.

    A stranger must not hear which assignments there are.
    """
    try:
        return has_worked_here(call, call.user)
    except AssignmentNotFound:
        return False


def has_worked_here(call: Call, student: str) -> bool:
    """Whether somebody belongs to the course, or has handed in to the assignment."""
    # Of others nobody knows here whether they are in their groups still: what the roster lists has to do. Whoever asks
    # for themselves has no right left by an entry that a group has brought once.
    if call.role is not None if student == call.user else student in call.roster:
        return True
    # Somebody who has left, or an admin: what is listed can be collected.
    return bool(submission.submissions_by(call.volume, call.course, call.assignment, student))
