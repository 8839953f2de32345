"""The endpoint that fills, empties and dumps a server for demonstrations and tests."""

import hashlib
import html
from contextlib import suppress
from importlib.resources import files as package_files
from typing import Any

import yaml

from ngshare_fs.access.permission import Who
from ngshare_fs.api.call import Answer, Call, PageAnswer
from ngshare_fs.api.endpoint import Argument, Endpoint, Pool
from ngshare_fs.api.endpoints.schemas import NAME, PERSON, SUBMISSION, TEXT, Schema, list_of
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import (
    IncomingFile,
    Person,
    Role,
    Upload,
    assignment,
    course,
    feedback,
    release,
    roster,
    submission,
)
from ngshare_fs.store.errors import StoreError
from ngshare_fs.store.problems import Problems

ACTION = Argument("action", {"enum": ["clear", "init", "dump"]}, "`clear` and `init` in debug mode only.")
HUMAN_READABLE = Argument("human-readable", TEXT, "`true` makes a page of the dump.", required=False)
_OF_COURSE: Schema = {"course_id": NAME}
_OF_PERSON: Schema = {"id": NAME, **_OF_COURSE, **{key: PERSON[key] for key in ("first_name", "last_name", "email")}}
_DUMPED: Schema = {
    "users": list_of({"id": NAME}),
    "courses": list_of({"id": NAME}),
    "assignments": list_of({"id": NAME, **_OF_COURSE}),
    "submissions": list_of({**_OF_COURSE, "assignment_id": NAME, **SUBMISSION}),
    **{role.key: list_of(_OF_PERSON) for role in Role},
}


def initialize(call: Call) -> Answer:
    """Fill, empty or dump the server."""
    action = call.form.texts.get("action")
    if not call.debug and not (call.is_admin and action == "dump"):
        raise Refused(refusals.DEBUG_MODE_IS_OFF)
    if action == "clear":
        _clear(call)
    elif action == "init":
        _clear(call)
        _fill(call)
    elif action == "dump":
        dumped = _dump(call)
        return PageAnswer(_page(dumped)) if call.form.texts.get("human-readable") == "true" else dumped
    else:
        raise Refused(refusals.WRONG_ACTION)
    call.note(f"{action}-everything")
    return {"message": "done"}


def _dump(call: Call) -> dict[str, list[dict[str, Any]]]:
    """All that is on the volume: a list of records for each kind of which there are any."""
    records: dict[str, list[dict[str, Any]]] = {"users": [], "courses": [], "assignments": [], "submissions": []}
    records |= {role.key: [] for role in Role}
    users: dict[str, None] = {call.user: None}
    for name in course.all_courses(call.volume):
        # What cannot be read of one course, or was deleted meanwhile, must not hide the others.
        with Problems(call.volume).noted(), suppress(StoreError):
            _dump_course(call, name, records, users)
    records["users"] = [{"id": user} for user in users]
    return {kind: found for kind, found in records.items() if found}


def _dump_course(call: Call, name: str, records: dict[str, list[dict[str, Any]]], users: dict[str, None]) -> None:
    people = roster.of(call.volume, name)
    assignments = assignment.assignments_of(call.volume, name)
    records["courses"].append({"id": name})
    for role in Role:
        for user, person in people.people(role).items():
            users[user] = None
            names = {"first_name": person.first_name, "last_name": person.last_name, "email": person.email}
            records[role.key].append({"id": user, "course_id": name, **names})
    for of in assignments:
        records["assignments"].append({"id": of, "course_id": name})
        for handed_in in submission.submissions_to(call.volume, name, of):
            users[handed_in.student] = None
            place = {"course_id": name, "assignment_id": of}
            records["submissions"].append({**place, "student_id": handed_in.student, "timestamp": handed_in.timestamp})


def _page(dumped: dict[str, list[dict[str, Any]]]) -> str:
    """A dump as a page with a table for each kind of record."""
    parts = ["<!doctype html><html lang='en'><meta charset='utf-8'><title>ngshare_fs: dump</title>"]
    for kind, records in dumped.items():
        heads = "".join(f"<th>{html.escape(key)}</th>" for key in records[0])
        rows = ("".join(f"<td>{html.escape(str(value))}</td>" for value in record.values()) for record in records)
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        parts.append(f"<h2>{html.escape(kind)}</h2><table border='1'><tr>{heads}</tr>{body}</table>")
    return "".join([*parts, "</html>"])


def _clear(call: Call) -> None:
    for name in course.all_courses(call.volume):
        course.delete(call.volume, name, by=call.user)


def _fill(call: Call) -> None:
    sample = yaml.safe_load(package_files("ngshare_fs.api.endpoints").joinpath("sample_data.yaml").read_text("utf-8"))
    for name, content in sample.items():
        teacher = content["instructors"][0]
        course.create(call.volume, name, content["instructors"])
        roster.set_students(call.volume, name, [(student, Person()) for student in content["students"]])
        for of, released in content["assignments"].items():
            with _upload(call, released["files"]) as upload:
                release.release(call.volume, name, of, teacher, upload)
            for work in released.get("submissions", ()):
                with _upload(call, work["files"]) as upload:
                    at = work.get("timestamp")
                    moment = submission.submit(call.volume, name, of, work["student"], upload, at)
                if "feedback" in work:
                    with _upload(call, work["feedback"]) as upload:
                        feedback.give(call.volume, name, of, work["student"], moment, teacher, upload)


def _upload(call: Call, contents: dict[str, str]) -> Upload:
    upload = call.volume.upload()
    upload.accept(
        IncomingFile(path, len(text), hashlib.md5(text.encode()).hexdigest(), text.encode())
        for path, text in contents.items()
    )
    return upload


ENDPOINTS = (
    Endpoint(
        "GET",
        "initialize-Data6ase",
        Who.ANYONE,
        Pool.MANAGES,
        "Fill, empty or dump the server, for demonstrations and tests",
        initialize,
        arguments=(ACTION, HUMAN_READABLE),
        refusals=(refusals.DEBUG_MODE_IS_OFF, refusals.WRONG_ACTION),
        at_times={"message": {"const": "done"}, **_DUMPED},
        is_page=True,
    ),
)
