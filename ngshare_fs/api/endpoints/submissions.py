"""Endpoints of submissions and of the feedback on them."""

import contextlib
import functools
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from ngshare_fs.access.permission import Who, has_worked_here
from ngshare_fs.api.call import Answer, Call, MadeAnswer, TreeAnswer, TreesAnswer, success
from ngshare_fs.api.endpoint import Argument, Endpoint, Pool
from ngshare_fs.api.endpoints.assignments import FILES, LIST_ONLY, OF_FILES, wants_list_only
from ngshare_fs.api.endpoints.schemas import (
    FILES_IN_ANSWER,
    LATENESS,
    NAME,
    NAMES,
    RECEIPT,
    SUBMISSION,
    TEXT,
    TIMESTAMP,
    list_of,
)
from ngshare_fs.api.quota import check_room, with_room
from ngshare_fs.api.response.dates_answer import lateness
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refusal, Refused
from ngshare_fs.store import (
    StoreError,
    Submission,
    Timestamp,
    Tree,
    dates,
    feedback,
    submission,
    understand_timestamp,
)
from ngshare_fs.store.dates import Dates

WHICH = Argument("timestamp", TEXT, "Of the submission; the latest, where it is left out.", required=False)
KEY = Argument(
    "key",
    {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    "Chosen at random by the client. Handing in again with the same key, after a failure, makes no second submission.",
    required=False,
)
AFTER = Argument(
    "after",
    TEXT,
    "The timestamp of the student's newest submission that was known when the key was chosen. Only that and what is "
    "later is searched for the key; without it, the last hundred submissions of the student are.",
    required=False,
)
STUDENT = Argument("student", NAME, "Whose work it is, where an instructor hands it in for them.", required=False)
BEFORE = Argument(
    "before",
    TEXT,
    "What counts at this time: the newest submission that is not later, or else the newest one. `due`: the same by the "
    "due date of each student, with the grace.",
    required=False,
)
STUDENTS = Argument("students", NAMES, "Only of these.", required=False, is_json=True)
OF_SUBMISSION = Argument("timestamp", TEXT, "Of the submission: `2020-01-30 10:30:47.524219 UTC`.")
DUE = "due"
_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


def list_submissions(call: Call) -> Answer:
    """All submissions to an assignment."""
    return MadeAnswer(_list_of_all(tuple(submission.submissions_to(call.volume, call.course, call.assignment))))


@functools.lru_cache(maxsize=2)
def _list_of_all(found: tuple[Submission, ...]) -> bytes:
    # Whoever grades asks again and again for the same, and for a list of thousands this takes a fifth of the time.
    return success({"submissions": _entries(found)})


def list_submissions_of(call: Call) -> Answer:
    """One student's submissions to an assignment."""
    found = submission.submissions_by(call.volume, call.course, call.assignment, call.named_user)
    return {"submissions": _entries(found)}


def submit(call: Call) -> Answer:
    """Hand in."""
    student = call.form.optional("student")
    if student is None:
        student = call.user
    _check_student(call, student)
    key = call.form.optional("key")
    if key is not None and not _KEY.fullmatch(key):
        raise Refused(refusals.WRONG_KEY)
    after = None
    if call.form.optional("after"):
        after = _timestamp(call, unreadable=refusals.WRONG_TIMESTAMP, name="after")
    files = call.form.files()

    def last_check() -> None:
        call.last_check()
        _check_student(call, student)
        check_room(call, student)

    moment = submission.submit(
        call.volume,
        call.course,
        call.assignment,
        student,
        files,
        by=call.user,
        key=key,
        after=after,
        last_check=last_check,
        arrived=None if call.teaches else dates.arrival(call.arrived, dates.now()),
    )
    call.note("submit", moment, student)
    receipt = [{"path": file.path, "size": file.size, "checksum": file.md5} for file in files.files]
    applying = Dates()
    # It is stored: whatever becomes of the assignment or of the disk by now must not look as if it were not.
    with contextlib.suppress(StoreError, OSError):
        applying = dates.of(call.volume, call.course, call.assignment, student)
    return {"timestamp": moment, "student_id": student, **lateness(applying, moment), "files": receipt}


def _check_student(call: Call, student: str) -> None:
    """Check whether the user may hand in for somebody."""
    if student == call.user:
        return
    if not call.teaches:
        raise Refused(refusals.PERMISSION_DENIED, Who.INSTRUCTOR.reason)
    if not student or not has_worked_here(call.asking, call.roster, student):
        raise Refused(refusals.STUDENT_NOT_FOUND)


def collect(call: Call) -> Answer:
    """One submission with its files."""
    moment = None
    if call.form.optional("timestamp"):
        moment = _timestamp(call, unreadable=refusals.SUBMISSION_NOT_FOUND)
    tree = submission.collect(call.volume, call.course, call.assignment, call.named_user, moment)
    return TreeAnswer(tree, {"timestamp": tree.timestamp}, wants_list_only(call))


def delete_submission(call: Call) -> Answer:
    """Move a submission to the trash."""
    moment = _existing(call)
    submission.delete(call.volume, call.course, call.assignment, call.named_user, moment, call.user, call.last_check)
    call.note("delete-submission", moment)
    return {}


def collect_all(call: Call) -> Answer:
    """One submission of each student, with its files."""
    work = (call.volume, call.course, call.assignment)
    if call.form.optional("before") == DUE:
        dates_of = dates.of_everybody(*work)
        found = submission.to_collect(
            *work, None, _students(call), lambda student, moment: dates_of(student).is_in_time(moment)
        )
    else:
        before = None
        if call.form.optional("before"):
            before = _timestamp(call, unreadable=refusals.WRONG_TIMESTAMP, name="before")
        dates_of = dates.of_everybody_as_far_as_known(*work)
        found = submission.to_collect(*work, before, _students(call))

    def opens(student: str, moment: Timestamp) -> Callable[[], Tree]:
        return lambda: submission.collect(call.volume, call.course, call.assignment, student, moment)

    def fields(one: Submission) -> dict[str, Any]:
        return {"student_id": one.student, "timestamp": one.timestamp, **lateness(dates_of(one.student), one.timestamp)}

    return TreesAnswer([(fields(one), opens(*one)) for one in found])


def _students(call: Call) -> set[str] | None:
    text = call.form.optional("students")
    if text is None:
        return None
    try:
        students = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused(refusals.STUDENTS_NOT_JSON) from None
    if not isinstance(students, list) or not all(isinstance(student, str) for student in students):
        raise Refused(refusals.WRONG_FORMAT)
    return set(students)


def give_feedback(call: Call) -> Answer:
    """Give feedback on a submission."""
    moment = _existing(call)
    feedback.give(
        call.volume,
        call.course,
        call.assignment,
        call.named_user,
        moment,
        call.user,
        call.form.files(),
        with_room(call),
    )
    call.note("give-feedback", moment)
    return {}


def get_feedback(call: Call) -> Answer:
    """The feedback on a submission."""
    moment = _existing(call)
    tree = feedback.newest(call.volume, call.course, call.assignment, call.named_user, moment)
    list_only = wants_list_only(call)
    if tree is not None and not list_only:
        call.note("fetch-feedback", moment, is_read=True)
    return TreeAnswer(tree, {"timestamp": moment}, list_only)


def _existing(call: Call) -> Timestamp:
    moment = _timestamp(call, unreadable=refusals.WRONG_TIMESTAMP)
    if not submission.submission_exists(call.volume, call.course, call.assignment, call.named_user, moment):
        raise Refused(refusals.SUBMISSION_NOT_FOUND)
    return moment


def _timestamp(call: Call, unreadable: Refusal, name: str = "timestamp") -> Timestamp:
    text = call.form.text(name, refusals.NO_TIMESTAMP, unreadable)
    try:
        return understand_timestamp(text)
    except ValueError:
        raise Refused(unreadable) from None


def _entries(found: Iterable[Submission]) -> list[dict[str, str]]:
    return [{"student_id": student, "timestamp": moment} for student, moment in found]


ENDPOINTS = (
    Endpoint(
        "GET",
        "submissions/{course}/{assignment}",
        Who.GRADER,
        Pool.READS,
        "All submissions to an assignment, oldest first",
        list_submissions,
        answer={"submissions": list_of(SUBMISSION)},
    ),
    Endpoint(
        "GET",
        "submissions/{course}/{assignment}/{user}",
        Who.GRADER_OR_SELF,
        Pool.READS,
        "One student's submissions to an assignment, oldest first",
        list_submissions_of,
        answer={"submissions": list_of(SUBMISSION)},
        of_student=True,
    ),
    Endpoint(
        "POST",
        "submission/{course}/{assignment}",
        Who.MEMBER,
        Pool.WRITES_WORK,
        "Hand in",
        submit,
        arguments=(STUDENT, KEY, AFTER, FILES),
        refusals=(
            refusals.STUDENT_NOT_FOUND,
            refusals.WRONG_KEY,
            refusals.WRONG_TIMESTAMP,
            *OF_FILES,
            refusals.KEY_USED,
            refusals.ASSIGNMENT_CLOSED,
        ),
        only_open=True,
        counts_for_student=True,
        answer={"timestamp": TIMESTAMP, "student_id": NAME, **LATENESS, "files": RECEIPT},
    ),
    Endpoint(
        "POST",
        "collection/{course}/{assignment}",
        Who.GRADER,
        Pool.READS,
        "One submission of each student with its files, a line of JSON for each",
        collect_all,
        arguments=(BEFORE, STUDENTS),
        refusals=(refusals.WRONG_TIMESTAMP, refusals.STUDENTS_NOT_JSON, refusals.WRONG_FORMAT),
        answer={**SUBMISSION, **LATENESS, "files": FILES_IN_ANSWER},
        in_lines=True,
    ),
    Endpoint(
        "GET",
        "submission/{course}/{assignment}/{user}",
        Who.GRADER_OR_SELF,
        Pool.READS,
        "One submission with its files",
        collect,
        arguments=(WHICH, LIST_ONLY),
        refusals=(refusals.SUBMISSION_NOT_FOUND,),
        answer={"timestamp": TIMESTAMP, "files": FILES_IN_ANSWER},
        of_student=True,
    ),
    Endpoint(
        "DELETE",
        "submission/{course}/{assignment}/{user}",
        Who.INSTRUCTOR,
        Pool.WRITES_WORK,
        "Delete a submission with the feedback on it; the operator can bring it back",
        delete_submission,
        arguments=(OF_SUBMISSION,),
        refusals=(refusals.NO_TIMESTAMP, refusals.WRONG_TIMESTAMP, refusals.SUBMISSION_NOT_FOUND),
        of_student=True,
    ),
    Endpoint(
        "POST",
        "feedback/{course}/{assignment}/{user}",
        Who.GRADER,
        Pool.WRITES_WORK,
        "Give feedback on a submission, in place of what was given before",
        give_feedback,
        arguments=(OF_SUBMISSION, FILES),
        refusals=(refusals.NO_TIMESTAMP, refusals.WRONG_TIMESTAMP, refusals.SUBMISSION_NOT_FOUND, *OF_FILES),
        of_student=True,
    ),
    Endpoint(
        "GET",
        "feedback/{course}/{assignment}/{user}",
        Who.GRADER_OR_SELF,
        Pool.READS,
        "The feedback on a submission; no files until there is some",
        get_feedback,
        arguments=(OF_SUBMISSION, LIST_ONLY),
        refusals=(refusals.NO_TIMESTAMP, refusals.WRONG_TIMESTAMP, refusals.SUBMISSION_NOT_FOUND),
        answer={"timestamp": TIMESTAMP, "files": FILES_IN_ANSWER},
        of_student=True,
    ),
)
