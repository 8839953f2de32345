"""Endpoints of submissions and of the feedback on them."""

import re
from datetime import datetime, timezone

from ngshare_fs.api import refusals
from ngshare_fs.api.assignments import FILES, LIST_ONLY, OF_FILES, wants_list_only
from ngshare_fs.api.call import Answer, Argument, Call, Endpoint, TreeAnswer, Who
from ngshare_fs.api.refusals import Refusal, Refused
from ngshare_fs.api.schemas import FILES_IN_ANSWER, SUBMISSION, TEXT, TIMESTAMP, list_of
from ngshare_fs.store import feedback, submission, timestamp
from ngshare_fs.store.submission import Submission
from ngshare_fs.store.timestamp import Timestamp

WHICH = Argument("timestamp", TEXT, "Of the submission; the latest, where it is left out.", required=False)
OF_SUBMISSION = Argument("timestamp", TEXT, "Of the submission: `2020-01-30 10:30:47.524219 UTC`.")
_ZONE = re.compile(r"\s+(?:UTC|GMT)\Z", re.IGNORECASE)


def list_submissions(call: Call) -> Answer:
    """All submissions to an assignment."""
    return {"submissions": _entries(submission.submissions_to(call.volume, call.course, call.assignment))}


def list_submissions_of(call: Call) -> Answer:
    """One student's submissions to an assignment."""
    found = submission.submissions_by(call.volume, call.course, call.assignment, call.named_user)
    return {"submissions": _entries(found)}


def submit(call: Call) -> Answer:
    """Hand in."""
    moment = submission.submit(call.volume, call.course, call.assignment, call.user, call.form.files())
    return {"timestamp": moment}


def collect(call: Call) -> Answer:
    """One submission with its files."""
    moment = None
    if call.form.optional("timestamp"):
        moment = _timestamp(call, unreadable=refusals.SUBMISSION_NOT_FOUND)
    tree = submission.collect(call.volume, call.course, call.assignment, call.named_user, moment)
    return TreeAnswer(tree, {"timestamp": tree.timestamp}, wants_list_only(call))


def give_feedback(call: Call) -> Answer:
    """Give feedback on a submission."""
    moment = _existing(call)
    feedback.give(call.volume, call.course, call.assignment, call.named_user, moment, call.user, call.form.files())
    return {}


def get_feedback(call: Call) -> Answer:
    """The feedback on a submission."""
    moment = _existing(call)
    tree = feedback.newest(call.volume, call.course, call.assignment, call.named_user, moment)
    return TreeAnswer(tree, {"timestamp": moment}, wants_list_only(call))


def _existing(call: Call) -> Timestamp:
    moment = _timestamp(call, unreadable=refusals.WRONG_TIMESTAMP)
    if not submission.submission_exists(call.volume, call.course, call.assignment, call.named_user, moment):
        raise Refused(refusals.SUBMISSION_NOT_FOUND)
    return moment


def _timestamp(call: Call, unreadable: Refusal) -> Timestamp:
    text = call.form.text("timestamp", refusals.NO_TIMESTAMP, unreadable)
    try:
        moment = datetime.strptime(_ZONE.sub("", text), "%Y-%m-%d %H:%M:%S.%f")
    except ValueError:
        raise Refused(unreadable) from None
    return timestamp.of(moment.replace(tzinfo=timezone.utc))


def _entries(found: list[Submission]) -> list[dict[str, str]]:
    return [{"student_id": student, "timestamp": moment} for student, moment in found]


ENDPOINTS = (
    Endpoint(
        "GET",
        "submissions/{course}/{assignment}",
        Who.INSTRUCTOR,
        "All submissions to an assignment, oldest first",
        list_submissions,
        answer={"submissions": list_of(SUBMISSION)},
    ),
    Endpoint(
        "GET",
        "submissions/{course}/{assignment}/{user}",
        Who.INSTRUCTOR_OR_SELF,
        "One student's submissions to an assignment, oldest first",
        list_submissions_of,
        answer={"submissions": list_of(SUBMISSION)},
        of_student=True,
    ),
    Endpoint(
        "POST",
        "submission/{course}/{assignment}",
        Who.MEMBER,
        "Hand in",
        submit,
        arguments=(FILES,),
        refusals=OF_FILES,
        answer={"timestamp": TIMESTAMP},
    ),
    Endpoint(
        "GET",
        "submission/{course}/{assignment}/{user}",
        Who.INSTRUCTOR,
        "One submission with its files",
        collect,
        arguments=(WHICH, LIST_ONLY),
        refusals=(refusals.SUBMISSION_NOT_FOUND,),
        answer={"timestamp": TIMESTAMP, "files": FILES_IN_ANSWER},
        of_student=True,
    ),
    Endpoint(
        "POST",
        "feedback/{course}/{assignment}/{user}",
        Who.INSTRUCTOR,
        "Give feedback on a submission, in place of what was given before",
        give_feedback,
        arguments=(OF_SUBMISSION, FILES),
        refusals=(refusals.NO_TIMESTAMP, refusals.WRONG_TIMESTAMP, refusals.SUBMISSION_NOT_FOUND, *OF_FILES),
        of_student=True,
    ),
    Endpoint(
        "GET",
        "feedback/{course}/{assignment}/{user}",
        Who.INSTRUCTOR_OR_SELF,
        "The feedback on a submission; no files until there is some",
        get_feedback,
        arguments=(OF_SUBMISSION, LIST_ONLY),
        refusals=(refusals.NO_TIMESTAMP, refusals.WRONG_TIMESTAMP, refusals.SUBMISSION_NOT_FOUND),
        answer={"timestamp": TIMESTAMP, "files": FILES_IN_ANSWER},
        of_student=True,
    ),
)
