"""Everything that nbgrader lists, in one answer: courses, assignments, submissions, feedback."""

import contextlib
from collections.abc import Callable
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.access.roles import courses_seen_by, grades, in_words, role_in, teaches
from ngshare_fs.api.call import Answer, Call
from ngshare_fs.api.endpoint import Argument, Endpoint, Pool
from ngshare_fs.api.endpoints.schemas import (
    DATES,
    LATENESS,
    MD5,
    NAME,
    TEXT,
    TEXT_OR_NULL,
    TIMESTAMP,
    Schema,
    list_of,
    or_null,
)
from ngshare_fs.api.response.dates_answer import dates_answer
from ngshare_fs.store import (
    Manifest,
    Roster,
    Submission,
    assignment,
    course,
    dates,
    feedback,
    release,
    roster,
    submission,
)
from ngshare_fs.store.dates import Dates
from ngshare_fs.store.errors import AssignmentNotFound, CourseNotFound, SubmissionNotFound
from ngshare_fs.store.problems import Problems

NOTEBOOK = ".ipynb"

COURSE = Argument("course", TEXT, "Only this course; no error where it is none of the user's.", required=False)
SUBMISSIONS = Argument(
    "submissions",
    TEXT,
    "`all` lists everybody's in the courses that the user teaches or grades; their own otherwise.",
    required=False,
)


def list_everything(call: Call) -> Answer:
    """Courses, assignments, submissions and feedback of the user."""
    names = courses_seen_by(call.volume, call.user, call.is_admin, call.groups)
    only = call.form.optional("course")
    wants_all = call.form.texts.get("submissions") == "all"
    listed = []
    for name in names:
        if only in (None, "", name):
            # One that was deleted just now must not hide the others.
            with contextlib.suppress(CourseNotFound):
                listed.append(_course(call, name, wants_all))
    return {"user": call.user, "courses": listed}


def _course(call: Call, name: str, wants_all: bool) -> dict[str, Any]:
    listed = course.identity(call.volume, name)
    problems = Problems(call.volume)
    people = Roster(name, {}, {})
    with problems.noted():
        people = roster.of(call.volume, name)
    role = role_in(name, people, call.user, call.groups)
    if role is None and not call.is_admin:
        raise CourseNotFound(name)  # it was one of theirs a moment ago
    sees_all = grades(role, call.is_admin)
    is_nobodys = teaches(role, call.is_admin)  # whoever teaches has no dates of their own
    if sees_all:
        problems.note_of_roster(name)  # nobody else is told
    assignments = []
    submissions = []
    names: list[str] = []
    with problems.noted():
        names = assignment.assignments_of(call.volume, name)
    now = dates.now()
    for each in names:
        with contextlib.suppress(AssignmentNotFound):
            is_open = release.is_open(call.volume, name, each)
            dates_of = _dates(call, name, each, people, problems)
            applying = None if dates_of is None else dates_of(None if is_nobodys else call.user)
            if sees_all or (is_open and applying is not None and applying.is_released(now)):
                of_release = _release(call, name, each, problems)
                shown = None if applying is None else dates_answer(applying, now)
                assignments.append({"assignment_id": each, "withdrawn": not is_open, **of_release, "dates": shown})
            with problems.noted():
                if wants_all and sees_all:
                    found = submission.submissions_to(call.volume, name, each)
                else:
                    found = submission.submissions_by(call.volume, name, each, call.user)
                submissions += [_submission(call, name, each, one, problems, dates_of) for one in found]
    if course.identity(call.volume, name) != listed:
        raise CourseNotFound(name)  # it was deleted meanwhile, and only some of it was found
    return {
        "course_id": name,
        "role": in_words(role),
        "problem": problems.first if sees_all else None,
        "assignments": assignments,
        "submissions": submissions,
    }


def _dates(
    call: Call, name: str, each: str, people: Roster, problems: Problems
) -> Callable[[str | None], Dates] | None:
    """What tells the dates as they apply to a student, of a file that is read this once; None where nobody can say."""
    found = None
    with problems.noted():
        read = dates.reading(call.volume, name, each)
        found = dates.for_each(read.value, people.rules)
        # Where an earlier version serves on, this raises what is wrong by now.
        _ = read.present
    return found


def _release(call: Call, name: str, each: str, problems: Problems) -> dict[str, Any]:
    tree = None
    with problems.noted():
        tree = release.newest(call.volume, name, each)
    if tree is None:
        return {"timestamp": None, "notebooks": []}
    with tree:
        return {"timestamp": tree.timestamp, "notebooks": _notebooks(tree.manifest)}


def _submission(
    call: Call,
    name: str,
    each: str,
    found: Submission,
    problems: Problems,
    dates_of: Callable[[str | None], Dates] | None,
) -> dict[str, Any]:
    student, moment = found
    given = None
    with problems.noted():
        given = feedback.given_at(call.volume, name, each, student, moment)
    listed: dict[str, Any] = {
        "assignment_id": each,
        "student_id": student,
        "timestamp": moment,
        "late_seconds": None if dates_of is None else dates_of(student).late_seconds(moment),
        "notebooks": None,
        "feedback": None if given is None else {"timestamp": given, "files": None},
    }
    # Of a whole course's submissions, the folders' names have to do: opening thousands of manifests takes seconds.
    if student == call.user:
        with contextlib.suppress(SubmissionNotFound), problems.noted():
            with submission.collect(call.volume, name, each, student, moment) as tree:
                listed["notebooks"] = _notebooks(tree.manifest)
            returned = feedback.newest(call.volume, name, each, student, moment)
            if returned is not None:
                with returned:
                    files = [{"path": file.path, "checksum": file.md5} for file in returned.manifest.files]
                    listed["feedback"] = {"timestamp": returned.timestamp, "files": files}
    return listed


def _notebooks(manifest: Manifest) -> list[str]:
    return [
        file.path.removesuffix(NOTEBOOK)
        for file in manifest.files
        if file.path.endswith(NOTEBOOK) and "/" not in file.path
    ]


_FEEDBACK: Schema = {
    "type": "object",
    "required": ["timestamp", "files"],
    "properties": {"timestamp": TIMESTAMP, "files": or_null(list_of({"path": TEXT, "checksum": MD5}))},
    "additionalProperties": False,
}
_TEXTS: Schema = {"type": "array", "items": TEXT}

ENDPOINTS = (
    Endpoint(
        "GET",
        "listing",
        Who.ANYONE,
        Pool.READS,
        "Courses with the user's role, their assignments and notebooks, submissions and feedback",
        list_everything,
        arguments=(COURSE, SUBMISSIONS),
        answer={
            "user": NAME,
            "courses": list_of(
                {
                    "course_id": NAME,
                    "role": {"enum": ["instructor", "grader", "student", "admin"]},
                    "problem": TEXT_OR_NULL,
                    "assignments": list_of(
                        {
                            "assignment_id": NAME,
                            "withdrawn": {"type": "boolean"},
                            "timestamp": or_null(TIMESTAMP),
                            "notebooks": _TEXTS,
                            "dates": or_null(DATES),
                        }
                    ),
                    "submissions": list_of(
                        {
                            "assignment_id": NAME,
                            "student_id": NAME,
                            "timestamp": TIMESTAMP,
                            "late_seconds": LATENESS["late_seconds"],
                            "notebooks": or_null(_TEXTS),
                            "feedback": or_null(_FEEDBACK),
                        }
                    ),
                }
            ),
        },
        tagged=True,
    ),
)
