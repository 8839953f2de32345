"""Endpoints of assignments and their releases."""

import contextlib
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.api.call import Answer, Call, TreeAnswer
from ngshare_fs.api.endpoint import Argument, Endpoint, Pool
from ngshare_fs.api.endpoints.dates import OF_ASSIGNMENT, changes_in, note_changes
from ngshare_fs.api.endpoints.schemas import DATES, FILES_IN_ANSWER, FILES_IN_REQUEST, NAMES, TEXT, TIMESTAMP, or_null
from ngshare_fs.api.quota import with_room
from ngshare_fs.api.response.dates_answer import dates_answer
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import assignment, dates, release, submission

FILES = Argument("files", FILES_IN_REQUEST, "A directory tree.", is_json=True)
LIST_ONLY = Argument("list_only", TEXT, "`true` leaves the content out.", required=False)
OF_FILES = (
    refusals.NO_FILES,
    refusals.FILES_NOT_JSON,
    refusals.WRONG_FORMAT,
    refusals.ILLEGAL_PATH,
    refusals.NOT_BASE64,
    refusals.WRONG_CHECKSUM,
    refusals.TOO_LARGE,
    refusals.VOLUME_FULL,
    refusals.QUOTA_REACHED,
)


def list_assignments(call: Call) -> Answer:
    """The assignments of a course; to students those that they see."""
    if call.grades:
        return {"assignments": assignment.assignments_of(call.volume, call.course)}
    return {"assignments": release.visible_assignments(call.volume, call.course, dates.now())}


def get_assignment(call: Call) -> Answer:
    """The newest release, and the dates as they apply to whoever asks."""
    work = (call.volume, call.course, call.assignment)
    list_only = wants_list_only(call)
    tree = release.newest(*work)
    with contextlib.ExitStack() as failed:
        if tree is not None:
            failed.enter_context(tree)
        # After the tree is chosen: a release that students are to see later is published after its date is written.
        # Graders' own work, as everybody's, is late or refused by the dates that they have.
        found, now = dates.of(*work, None if call.teaches else call.user), dates.now()
        if not call.grades and not found.is_released(now):
            raise Refused(refusals.ASSIGNMENT_NOT_FOUND)
        fields: dict[str, Any] = {"dates": dates_answer(found, now)}
        if list_only:
            fields["newest_submission"] = submission.newest_of(*work, call.user)
        failed.pop_all()
    return TreeAnswer(tree, {"timestamp": tree and tree.timestamp, **fields}, list_only, for_many=True)


def create_assignment(call: Call) -> Answer:
    """Release a new assignment, or one that is withdrawn."""
    if release.is_open(call.volume, call.course, call.assignment):
        raise Refused(refusals.ASSIGNMENT_EXISTS)
    changes, files = changes_in(call), call.form.files()
    moment = release.release(
        call.volume, call.course, call.assignment, call.user, files, last_check=with_room(call), changes=changes
    )
    call.note("release", moment)
    note_changes(call, changes)
    return {}


def release_again(call: Call) -> Answer:
    """Make a new release of an assignment."""
    changes, files = changes_in(call), call.form.files()
    moment = release.release_again(
        call.volume, call.course, call.assignment, call.user, files, with_room(call), changes
    )
    call.note("release", moment)
    note_changes(call, changes)
    return {}


def withdraw_assignment(call: Call) -> Answer:
    """Take the release of an assignment back."""
    release.withdraw(call.volume, call.course, call.assignment, call.user, call.last_check)
    call.note("withdraw")
    return {}


def delete_assignment(call: Call) -> Answer:
    """Move an assignment to the trash."""
    assignment.delete(call.volume, call.course, call.assignment, call.user, call.last_check)
    call.note("delete-assignment")
    return {}


def wants_list_only(call: Call) -> bool:
    """Whether the content is to be left out."""
    return call.form.texts.get("list_only") == "true"


ENDPOINTS = (
    Endpoint(
        "GET",
        "assignments/{course}",
        Who.MEMBER,
        Pool.READS,
        "The assignments of a course in the order of their release",
        list_assignments,
        answer={"assignments": NAMES},
    ),
    Endpoint(
        "GET",
        "assignment/{course}/{assignment}",
        Who.MEMBER,
        Pool.READS,
        "The newest release of an assignment",
        get_assignment,
        arguments=(LIST_ONLY,),
        answer={"timestamp": or_null(TIMESTAMP), "dates": or_null(DATES), "files": FILES_IN_ANSWER},
        at_times={"newest_submission": or_null(TIMESTAMP)},
        only_open=True,
    ),
    Endpoint(
        "POST",
        "assignment/{course}/{assignment}",
        Who.INSTRUCTOR,
        Pool.MANAGES,
        "Release a new assignment, or one that is withdrawn",
        create_assignment,
        arguments=(*OF_ASSIGNMENT, FILES),
        refusals=(refusals.ASSIGNMENT_EXISTS, refusals.WRONG_DATES, *OF_FILES),
        new_assignment=True,
    ),
    Endpoint(
        "PUT",
        "assignment/{course}/{assignment}",
        Who.INSTRUCTOR,
        Pool.MANAGES,
        "Make a new release of an assignment; submissions and earlier releases stay",
        release_again,
        arguments=(*OF_ASSIGNMENT, FILES),
        refusals=(refusals.WRONG_DATES, *OF_FILES),
    ),
    Endpoint(
        "PUT",
        "assignment/{course}/{assignment}/withdrawn",
        Who.INSTRUCTOR,
        Pool.MANAGES,
        "Take the release of an assignment back until the next one; submissions and feedback stay",
        withdraw_assignment,
    ),
    Endpoint(
        "DELETE",
        "assignment/{course}/{assignment}",
        Who.INSTRUCTOR,
        Pool.MANAGES,
        "Delete an assignment with its submissions and feedback; the operator can bring it back",
        delete_assignment,
    ),
)
