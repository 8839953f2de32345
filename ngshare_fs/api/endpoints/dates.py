"""Endpoints of dates: those of an assignment, and more time for single students."""

from collections.abc import Mapping
from datetime import timedelta

from ngshare_fs.access.permission import Who
from ngshare_fs.api.call import Answer, Call
from ngshare_fs.api.endpoint import Argument, Endpoint, Pool
from ngshare_fs.api.endpoints.schemas import DATES, NAME, TEXT, TEXT_OR_NULL, TIMESTAMP, list_of, or_null, record
from ngshare_fs.api.response.dates_answer import dates_answer, moment_answer
from ngshare_fs.formats.civil_time import Moment, moment_in
from ngshare_fs.formats.duration import duration_in, duration_text
from ngshare_fs.formats.one_line import in_one_line
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import Extension, dates, extensions, timestamp_of

LONGEST_REASON = 200
_HOW = (
    "`2026-11-15 23:59:59 Europe/Vienna`. A time without a zone is one of the course's `timezone`, or else UTC; a date "
    "alone is the end of that day."
)
RELEASE = Argument("release", TEXT, f"Before it, students do not see the assignment: {_HOW} Empty: none.", False)
DUE = Argument("due", TEXT, "Until then work is in time; written like `release`. Empty: none.", False)
CLOSE = Argument("close", TEXT, "Until then work is accepted; written like `release`. Empty: none.", False)
GRACE = Argument("grace", TEXT, "What is late by no more than this is not late: `5m`. Empty: as in the course.", False)
OF_ASSIGNMENT = (RELEASE, DUE, CLOSE, GRACE)
OF_EXTENSION = (
    Argument("due", TEXT, f"Until then this student's work is in time: {_HOW}", required=False),
    Argument("close", TEXT, "Until then it is accepted; written like `due`.", required=False),
    Argument("reason", TEXT, f"One line of at most {LONGEST_REASON} characters; the student sees it.", required=False),
)


def set_dates(call: Call) -> Answer:
    """Set or remove dates of an assignment."""
    changes = changes_in(call)
    if not changes:
        wanted = ", ".join(argument.name for argument in OF_ASSIGNMENT)
        raise Refused(refusals.WRONG_DATES, detail=f"supply at least one of {wanted}; what is empty is removed")
    dates.change(call.volume, call.course, call.assignment, changes, call.last_check)
    note_changes(call, changes)
    return _dates_by_now(call)


def changes_in(call: Call) -> dict[str, object]:
    """The dates that the arguments set or, with None, remove: what `dates.change` takes.

    Raises:
        Refused: one of them cannot be understood.
    """
    changes: dict[str, object] = {}
    for name in ("release", "due", "close"):
        if name in call.form.texts:
            changes[name] = _moment(call, name)
    if "grace" in call.form.texts:
        text = call.form.optional("grace")
        try:
            changes["grace"] = duration_in(text) if text else None
        except ValueError as error:
            raise Refused(refusals.WRONG_DATES, detail=f"grace: {error}") from None
    return changes


def note_changes(call: Call, changes: Mapping[str, object]) -> None:
    """Record changed dates, if any are, in the journal."""
    if changes:
        call.note("set-dates", ", ".join(f"{name}: {_said(value)}" for name, value in changes.items()))


def extend(call: Call) -> Answer:
    """Give a student more time."""
    reason = call.form.optional("reason") or None
    if reason is not None and (len(reason) > LONGEST_REASON or in_one_line(reason) != reason):
        raise Refused(refusals.WRONG_REASON)
    extension = Extension(
        _moment(call, "due"), _moment(call, "close"), reason, by=call.user, at=timestamp_of(dates.now())
    )
    extensions.extend(call.volume, call.course, call.assignment, call.named_user, extension, call.last_check)
    given = {"due": extension.due, "close": extension.close}
    # Why is nobody's business but the instructors' and the student's, and the journal outlives the course.
    call.note("extend", ", ".join(f"{name}: {date}" for name, date in given.items() if date is not None))
    return _dates_by_now(call, call.named_user)


def take_back_extension(call: Call) -> Answer:
    """Let the assignment's dates count for a student again."""
    if not extensions.take_back(call.volume, call.course, call.assignment, call.named_user, call.last_check):
        raise Refused(refusals.EXTENSION_NOT_FOUND)
    call.note("take-back-extension")
    return _dates_by_now(call, call.named_user)


def list_extensions(call: Call) -> Answer:
    """What the file of the assignment says, and what that means for those without an extension."""
    file = dates.written(call.volume, call.course, call.assignment)
    return {
        "dates": dates_answer(dates.applying(file, call.roster.rules), dates.now()),
        "written": {
            "release": _text(file.release),
            "due": _text(file.due),
            "close": _text(file.close),
            "grace": None if file.grace is None else duration_text(file.grace),
        },
        "extensions": [
            {
                "student_id": student,
                "due": moment_answer(given.due),
                "close": moment_answer(given.close),
                "due_text": _text(given.due),
                "close_text": _text(given.close),
                "reason": given.reason,
                "by": given.by,
                "at": given.at,
            }
            for student, given in sorted(file.extensions.items())
        ],
    }


def _dates_by_now(call: Call, student: str | None = None) -> Answer:
    found = dates.of(call.volume, call.course, call.assignment, student)
    return {"dates": dates_answer(found, dates.now())}


def _moment(call: Call, name: str) -> Moment | None:
    """The date that an argument names; None where it is missing or empty."""
    text = call.form.optional(name)
    try:
        return moment_in(text, call.roster.rules.timezone or dates.UTC) if text else None
    except ValueError as error:
        raise Refused(refusals.WRONG_DATES, detail=f"{name}: {error}") from None


def _said(value: object) -> str:
    if value is None:
        return "none"
    return duration_text(value) if isinstance(value, timedelta) else str(value)


def _text(moment: Moment | None) -> str | None:
    return None if moment is None else moment.text


ENDPOINTS = (
    Endpoint(
        "PATCH",
        "assignment/{course}/{assignment}",
        Who.INSTRUCTOR,
        Pool.MANAGES,
        "Set or remove dates of an assignment",
        set_dates,
        arguments=OF_ASSIGNMENT,
        refusals=(refusals.WRONG_DATES,),
        answer={"dates": or_null(DATES)},
    ),
    Endpoint(
        "PUT",
        "extension/{course}/{assignment}/{user}",
        Who.INSTRUCTOR,
        Pool.MANAGES,
        "Give a student more time, in place of what was given before",
        extend,
        arguments=OF_EXTENSION,
        refusals=(refusals.WRONG_REASON, refusals.WRONG_DATES),
        answer={"dates": or_null(DATES)},
        of_student=True,
    ),
    Endpoint(
        "DELETE",
        "extension/{course}/{assignment}/{user}",
        Who.INSTRUCTOR,
        Pool.MANAGES,
        "Let the assignment's dates count for a student again",
        take_back_extension,
        refusals=(refusals.EXTENSION_NOT_FOUND,),
        answer={"dates": or_null(DATES)},
    ),
    Endpoint(
        "GET",
        "extensions/{course}/{assignment}",
        Who.GRADER,
        Pool.READS,
        "The dates of an assignment as they are written, and more time that students have",
        list_extensions,
        answer={
            "dates": or_null(DATES),
            "written": record({name: TEXT_OR_NULL for name in ("release", "due", "close", "grace")}),
            "extensions": list_of(
                {
                    "student_id": NAME,
                    "due": or_null(TIMESTAMP),
                    "close": or_null(TIMESTAMP),
                    "due_text": TEXT_OR_NULL,
                    "close_text": TEXT_OR_NULL,
                    "reason": TEXT_OR_NULL,
                    "by": TEXT_OR_NULL,
                    "at": TEXT_OR_NULL,
                }
            ),
        },
    ),
)
