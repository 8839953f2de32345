"""Sequences of calls to which we and ngshare 0.6.0 answer alike: every endpoint, role and error."""

import base64
import json
from dataclasses import replace

from .calls import Call, delete, get, post

NOT_ADMIN = "403 Permission denied (not admin)"
NOT_INSTRUCTOR = "403 Permission denied (not course instructor)"
NOT_MEMBER = "403 Permission denied (not related to course)"
NO_COURSE = "404 Course not found"
NO_ASSIGNMENT = "404 Assignment not found"
NO_INSTRUCTOR = "404 Instructor not found"
NO_STUDENT = "404 Student not found"
NO_SUBMISSION = "404 Submission not found"
NO_FIRST_NAME = "400 Please supply first name"
NO_LAST_NAME = "400 Please supply last name"
NO_EMAIL = "400 Please supply email"
NO_FILES = "400 Please supply files"
NO_TIMESTAMP = "400 Please supply timestamp"
BAD_TIMESTAMP = "400 Time format incorrect"
IS_INSTRUCTOR = "409 Cannot add instructor as student"
OTHERS = "400 Permission denied (cannot modify instructors)"
OTHER_INSTRUCTORS = "400 Permission denied (cannot modify other instructors)"
BAD_FORMAT = "400 Incorrect request format"
BAD_PATH = "400 Illegal path"
BAD_CONTENT = "400 Content cannot be base64 decoded"

NAMES = {"first_name": "Ann", "last_name": "Ä. O'Neil", "email": "ann+1@example.org"}
NO_NAMES = {"first_name": "", "last_name": "", "email": ""}
LONG_AGO = "2019-12-31 23:59:59.000001"


def tree(*files: tuple[str, bytes]) -> str:
    """Write a directory tree as a client does: base64 broken into lines, no checksums."""
    return json.dumps([{"path": path, "content": base64.encodebytes(content).decode()} for path, content in files])


def entry(**changes: object) -> str:
    """Write a tree of one file, with `changes` to its entry."""
    return json.dumps([{"path": "file", "content": "YWI=", **changes}])


def people(*names: str) -> str:
    return json.dumps([{"username": name, **NAMES} for name in names])


HOMEWORK = tree(("hw.ipynb", b"{}\n"), ("data/a table.csv", bytes(range(256))), ("empty", b""))
ANSWER = tree(("hw.ipynb", b'{"cells": []}\n'))
REMARKS = tree(("hw.html", b"<p>well done</p>"))

_WRONG_FIELDS: tuple[dict[str, object], ...] = (
    {"username": 1},
    {"first_name": None},
    {"last_name": []},
    {"email": True},
)

# root is admin; in the course, teach is instructor, ann and ben are students, stranger is neither.
COURSE = [
    post("root", "course/c", instructors='["teach"]'),
    post("teach", "student/c/ann", **NAMES),
    post("teach", "student/c/ben", **NO_NAMES),
]
RELEASED = [*COURSE, post("teach", "assignment/c/hw", files=HOMEWORK)]
SUBMITTED = [
    *RELEASED,
    post("ann", "submission/c/hw", keep="first", files=ANSWER),
    post("ann", "submission/c/hw", keep="second", files=HOMEWORK),
    post("ben", "submission/c/hw", keep="of_ben", files=ANSWER),
]

SCENARIOS: dict[str, list[Call]] = {
    "courses": [
        get("root", "courses"),
        post("root", "course/b", instructors='["teach", "other"]'),
        post("root", "course/a"),
        post("root", "course/B", instructors='["teach"]'),
        post("other", "student/b/ann", **NAMES),
        *[get(user, "courses") for user in ("root", "teach", "other", "ann", "stranger")],
        delete("root", "course/b"),
        *[get(user, "courses") for user in ("root", "teach", "other", "ann")],
    ],
    "a course is made": [
        *[post(user, "course/c", NOT_ADMIN) for user in ("teach", "ann", "stranger")],
        post("stranger", "course/c", NOT_ADMIN, instructors="not JSON"),
        post("root", "course/c", "400 Instructors cannot be JSON decoded", instructors="not JSON"),
        post("root", "course/c", "400 Instructors cannot be JSON decoded", instructors=""),
        get("root", "instructors/c", NO_COURSE),
        post("root", "course/c", instructors=' ["teach", "\\u00e4 b@c"] '),
        get("root", "instructors/c"),
        post("root", "course/c", "409 Course already exists", instructors="not JSON"),
        post("teach", "course/c", NOT_ADMIN),
        post("root", "course/empty", instructors="[]"),
        get("root", "instructors/empty"),
        get("root", "students/empty"),
        get("root", "assignments/empty"),
        post("root", "course/bare"),
        get("root", "instructors/bare"),
    ],
    "a course is deleted": [
        *SUBMITTED,
        *[delete(user, "course/nix", NOT_ADMIN) for user in ("teach", "ann", "stranger")],
        *[delete(user, "course/c", NOT_ADMIN) for user in ("teach", "ann", "stranger")],
        delete("root", "course/nix", NO_COURSE),
        delete("root", "course/c"),
        delete("root", "course/c", NO_COURSE),
        get("teach", "assignments/c", NO_COURSE),
        post("root", "course/c", instructors='["teach"]'),
        get("teach", "students/c"),
        get("teach", "assignments/c"),
        get("teach", "submissions/c/hw", NO_ASSIGNMENT),
        post("teach", "assignment/c/hw", files=ANSWER),
        get("teach", "submissions/c/hw"),
        get("ann", "courses"),
    ],
    "an instructor is added": [
        *COURSE,
        post("stranger", "instructor/nix/new", NO_COURSE),
        *[post(user, "instructor/c/new", NOT_INSTRUCTOR) for user in ("ann", "stranger")],
        post("ann", "instructor/c/ann", NOT_INSTRUCTOR, **NAMES),
        post("root", "instructor/c/new", NO_FIRST_NAME),
        post("root", "instructor/c/new", NO_FIRST_NAME, last_name="", email=""),
        post("root", "instructor/c/new", NO_LAST_NAME, first_name="", email=""),
        post("root", "instructor/c/new", NO_EMAIL, first_name="", last_name=""),
        get("root", "instructor/c/new", NO_INSTRUCTOR),
        post("root", "instructor/c/new", **NO_NAMES),
        get("root", "instructor/c/new"),
        post("root", "instructor/c/new", **NAMES),
        get("new", "instructor/c/new"),
        post("root", "instructor/c/new", first_name="  two  words ", last_name="\tb\n", email=" "),
        get("root", "instructors/c"),
        post("root", "instructor/c/root", **NAMES),
        get("root", "instructors/c"),
    ],
    "an instructor changes entries": [
        *COURSE,
        post("root", "instructor/c/other", **NAMES),
        get("teach", "instructor/c/teach"),
        post("teach", "instructor/c/teach", **NAMES),
        get("teach", "instructor/c/teach"),
        post("teach", "instructor/c/teach", NO_FIRST_NAME),
        post("teach", "instructor/c/other", NO_FIRST_NAME),
        post("teach", "instructor/c/other", OTHER_INSTRUCTORS, **NO_NAMES),
        post("teach", "instructor/c/new", NO_FIRST_NAME),
        post("teach", "instructor/c/new", OTHERS, **NAMES),
        post("teach", "instructor/c/ann", OTHERS, **NAMES),
        get("root", "instructors/c"),
        get("root", "students/c"),
    ],
    "a student becomes instructor": [
        *SUBMITTED,
        post("root", "instructor/c/ann", **NAMES),
        get("root", "students/c"),
        get("root", "instructors/c"),
        get("ann", "student/c/ann", NO_STUDENT),
        delete("root", "student/c/ann", NO_STUDENT),
        post("root", "student/c/ann", IS_INSTRUCTOR, **NAMES),
        get("ann", "submissions/c/hw"),
        get("ann", "submission/c/hw/ann"),
        delete("root", "instructor/c/ann"),
        post("teach", "student/c/ann", **NO_NAMES),
        get("ann", "submissions/c/hw/ann"),
    ],
    "instructors are seen": [
        *COURSE,
        *[get("stranger", path, NO_COURSE) for path in ("instructors/nix", "instructor/nix/teach")],
        *[get("stranger", path, NOT_MEMBER) for path in ("instructors/c", "instructor/c/teach", "instructor/c/nix")],
        *[get(user, "instructors/c") for user in ("root", "teach", "ann")],
        *[get(user, "instructor/c/teach") for user in ("root", "teach", "ann")],
        *[get(user, "instructor/c/nix", NO_INSTRUCTOR) for user in ("root", "teach", "ann")],
        *[get("root", f"instructor/c/{name}", NO_INSTRUCTOR) for name in ("ann", "root", "Teach")],
    ],
    "an instructor is removed": [
        *COURSE,
        *[delete(user, "instructor/nix/teach", NOT_ADMIN) for user in ("teach", "ann", "stranger")],
        *[delete(user, "instructor/c/teach", NOT_ADMIN) for user in ("teach", "ann", "stranger")],
        delete("root", "instructor/nix/teach", NO_COURSE),
        delete("root", "instructor/c/ann", NO_INSTRUCTOR),
        delete("root", "instructor/c/nix", NO_INSTRUCTOR),
        delete("root", "instructor/c/teach"),
        delete("root", "instructor/c/teach", NO_INSTRUCTOR),
        get("root", "instructors/c"),
        get("teach", "courses"),
        get("teach", "assignments/c", NOT_MEMBER),
    ],
    "a student is added": [
        *COURSE,
        post("stranger", "student/nix/new", NO_COURSE),
        *[post(user, "student/c/new", NOT_INSTRUCTOR) for user in ("ann", "stranger")],
        post("ann", "student/c/ann", NOT_INSTRUCTOR, **NAMES),
        post("teach", "student/c/new", NO_FIRST_NAME),
        post("teach", "student/c/new", NO_FIRST_NAME, last_name="", email=""),
        post("teach", "student/c/new", NO_LAST_NAME, first_name="", email=""),
        post("teach", "student/c/new", NO_EMAIL, first_name="", last_name=""),
        post("teach", "student/c/teach", NO_FIRST_NAME),
        *[post(user, "student/c/teach", IS_INSTRUCTOR, **NAMES) for user in ("teach", "root")],
        get("teach", "student/c/new", NO_STUDENT),
        post("teach", "student/c/new", **NAMES),
        get("new", "courses"),
        get("new", "student/c/new"),
        post("root", "student/c/new", **NO_NAMES),
        get("new", "student/c/new"),
        get("teach", "students/c"),
    ],
    "students are seen": [
        *COURSE,
        *[get("stranger", path, NO_COURSE) for path in ("students/nix", "student/nix/ann")],
        *[get(user, "students/c", NOT_INSTRUCTOR) for user in ("ann", "stranger")],
        *[get(user, "student/c/ben", NOT_INSTRUCTOR) for user in ("ann", "stranger")],
        get("ann", "student/c/nix", NOT_INSTRUCTOR),
        *[get(user, "students/c") for user in ("root", "teach")],
        *[get(user, "student/c/ann") for user in ("root", "teach", "ann")],
        *[get("teach", f"student/c/{name}", NO_STUDENT) for name in ("nix", "teach", "Ann")],
        get("stranger", "student/c/stranger", NO_STUDENT),
    ],
    "a student is removed": [
        *SUBMITTED,
        delete("stranger", "student/nix/ann", NO_COURSE),
        *[delete(user, "student/c/ann", NOT_INSTRUCTOR) for user in ("ann", "ben", "stranger")],
        delete("ann", "student/c/nix", NOT_INSTRUCTOR),
        delete("teach", "student/c/nix", NO_STUDENT),
        delete("teach", "student/c/teach", NO_STUDENT),
        delete("teach", "student/c/ann"),
        delete("teach", "student/c/ann", NO_STUDENT),
        delete("root", "student/c/ben"),
        get("teach", "students/c"),
        get("ann", "courses"),
        get("ann", "assignment/c/hw", NOT_MEMBER),
        post("ann", "submission/c/hw", NOT_MEMBER, files=ANSWER),
        get("teach", "submissions/c/hw"),
        post("teach", "student/c/ann", **NAMES),
        get("ann", "submissions/c/hw/ann"),
        get("teach", "submission/c/hw/ann"),
    ],
    "many students are added": [
        *COURSE,
        post("stranger", "students/nix", NO_COURSE),
        *[post(user, "students/c", NOT_INSTRUCTOR, students="not JSON") for user in ("ann", "stranger")],
        post("teach", "students/c", "400 Please supply students"),
        *[post("teach", "students/c", "400 Please supply students", students=none) for none in ("", "[]", " [] ")],
        post("teach", "students/c", "400 Students cannot be JSON decoded", students="not JSON"),
        *[
            post("teach", "students/c", BAD_FORMAT, students=wrong)
            for wrong in ("{}", "12", "null", '"ann"', "[1]", "[null]", "[[]]", "[{}]", '["ann"]')
        ],
        *[
            post("teach", "students/c", BAD_FORMAT, students=json.dumps([{"username": "new", **NAMES, **wrong}]))
            for wrong in _WRONG_FIELDS
        ],
        *[
            post(
                "teach",
                "students/c",
                BAD_FORMAT,
                students=json.dumps([{k: v for k, v in {"username": "new", **NAMES}.items() if k != missing}]),
            )
            for missing in ("username", "first_name", "last_name", "email")
        ],
        post("teach", "students/c", BAD_FORMAT, students=people("new")[:-1] + ", 1]"),
        get("teach", "students/c"),
        post("teach", "students/c", students=people("zoe", "ann")),
        post("root", "students/c", students=people("teach", "yan", "yan")),
        post("teach", "students/c", students=json.dumps([{"username": "zoe", **NO_NAMES, "more": 1}])),
        post("teach", "students/c", students=people("ä@b c", "+%2F")),
        get("teach", "students/c"),
        get("zoe", "courses"),
    ],
    "an assignment is released": [
        *COURSE,
        post("stranger", "assignment/nix/hw", NO_COURSE),
        *[post(user, "assignment/c/hw", NOT_INSTRUCTOR, files="x") for user in ("ann", "stranger")],
        post("teach", "assignment/c/hw", NO_FILES),
        get("teach", "assignment/c/hw", NO_ASSIGNMENT),
        post("teach", "assignment/c/hw", files=HOMEWORK),
        post("teach", "assignment/c/hw", "409 Assignment already exists"),
        post("root", "assignment/c/hw", "409 Assignment already exists", files="not JSON"),
        post("ann", "assignment/c/hw", NOT_INSTRUCTOR, files=HOMEWORK),
        post("root", "assignment/c/ab", files=ANSWER),
        post("teach", "assignment/c/HW", files="[]"),
        *[get(user, "assignments/c") for user in ("root", "teach", "ann")],
        *[get(user, "assignment/c/hw") for user in ("root", "teach", "ann")],
        get("ann", "assignment/c/HW"),
        delete("teach", "assignment/c/hw"),
        post("teach", "assignment/c/hw", files=ANSWER),
        get("ann", "assignments/c"),
        get("ann", "assignment/c/hw"),
    ],
    "assignments are seen": [
        *RELEASED,
        *[get("stranger", path, NO_COURSE) for path in ("assignments/nix", "assignment/nix/hw")],
        *[get("stranger", path, NOT_MEMBER) for path in ("assignments/c", "assignment/c/hw", "assignment/c/nix")],
        *[get(user, "assignment/c/nix", NO_ASSIGNMENT) for user in ("root", "teach", "ann")],
        *[
            get("ann", "assignment/c/hw", list_only=value)
            for value in ("true", " true ", "false", "True", "TRUE", "1", "yes", "")
        ],
        post("root", "course/d"),
        get("root", "assignment/d/hw", NO_ASSIGNMENT),
    ],
    "an assignment is deleted": [
        *SUBMITTED,
        delete("stranger", "assignment/nix/hw", NO_COURSE),
        *[delete(user, "assignment/c/hw", NOT_INSTRUCTOR) for user in ("ann", "stranger")],
        delete("ann", "assignment/c/nix", NOT_INSTRUCTOR),
        delete("teach", "assignment/c/nix", NO_ASSIGNMENT),
        delete("teach", "assignment/c/hw"),
        delete("teach", "assignment/c/hw", NO_ASSIGNMENT),
        get("ann", "assignments/c"),
        get("ann", "assignment/c/hw", NO_ASSIGNMENT),
        get("teach", "submissions/c/hw", NO_ASSIGNMENT),
        post("teach", "assignment/c/hw", files=HOMEWORK),
        get("teach", "submissions/c/hw"),
        get("teach", "submission/c/hw/ann", NO_SUBMISSION),
        delete("root", "assignment/c/hw"),
    ],
    "files are refused": [
        *COURSE,
        *[
            post("teach", "assignment/c/hw", "400 Files cannot be JSON decoded", files=files)
            for files in ("", "not JSON", "[", "{'a': 1}")
        ],
        *[
            post("teach", "assignment/c/hw", BAD_PATH, files=entry(path=path))
            for path in ("", "/", "/a", "a/", ".", "..", "./a", "../a", "a/..", "a/../b", "a/./b", "a/../../b")
        ],
        *[post("teach", "assignment/c/hw", BAD_CONTENT, files=entry(content=content)) for content in ("Y", "YWI")],
        post("teach", "assignment/c/hw", BAD_PATH, files=tree(("good", b""), ("../bad", b""))),
        get("teach", "assignments/c"),
    ],
    "files are taken": [
        *COURSE,
        *[
            call
            for number, files in enumerate(
                (
                    " " + ANSWER + " ",
                    entry(content="YW\nI=\n"),
                    entry(content=""),
                    entry(content=base64.b64encode(bytes(range(256))).decode()),
                    entry(checksum="187ef4436122d1cc2f40dc2b92f0eba0"),
                    entry(more=1),
                    '[{"path": "x", "path": "y", "content": ""}]',
                    *[
                        entry(path=path)
                        for path in ("...", "~", "a b", " ", "a\\b", "ä/ö", "a\nb", "-", ".a", "a/b/c/d/e", "x" * 255)
                    ],
                    tree(("a", b"1"), ("b/a", b"2"), ("b/c", b"3"), ("A", b"4")),
                    tree(("big", bytes(range(256)) * 4096)),
                )
            )
            for call in (
                post("teach", f"assignment/c/{number}", files=files),
                get("ann", f"assignment/c/{number}"),
                get("ann", f"assignment/c/{number}", list_only="true"),
            )
        ],
    ],
    "a submission is made": [
        *RELEASED,
        post("stranger", "submission/nix/hw", NO_COURSE),
        post("stranger", "submission/c/hw", NOT_MEMBER),
        post("stranger", "submission/c/nix", NOT_MEMBER, files="x"),
        post("ann", "submission/c/nix", NO_ASSIGNMENT, files="x"),
        post("ann", "submission/c/hw", NO_FILES),
        post("ann", "submission/c/hw", "400 Files cannot be JSON decoded", files="not JSON"),
        post("ann", "submission/c/hw", BAD_PATH, files=entry(path="../a", content="*")),
        post("ann", "submission/c/hw", BAD_CONTENT, files=entry(content="YWI")),
        get("teach", "submissions/c/hw"),
        get("teach", "submission/c/hw/ann", NO_SUBMISSION),
        post("ann", "submission/c/hw", files=ANSWER),
        post("ben", "submission/c/hw", files="[]"),
        post("teach", "submission/c/hw", files=ANSWER),
        post("ann", "submission/c/hw", files=HOMEWORK),
        get("teach", "submissions/c/hw"),
        *[get("teach", f"submission/c/hw/{name}") for name in ("ann", "ben", "teach")],
    ],
    "an admin submits without being a member": [
        *SUBMITTED,
        post("root", "submission/c/hw", files=ANSWER),
        get("teach", "submissions/c/hw"),
    ],
    "submissions are listed": [
        *SUBMITTED,
        post("teach", "submission/c/hw", files=ANSWER),
        get("stranger", "submissions/nix/hw", NO_COURSE),
        get("stranger", "submissions/nix/hw/ann", NO_COURSE),
        *[get(user, "submissions/c/hw", NOT_INSTRUCTOR) for user in ("ann", "stranger")],
        get("ann", "submissions/c/nix", NOT_INSTRUCTOR),
        *[get(user, "submissions/c/hw/ann", NOT_INSTRUCTOR) for user in ("ben", "stranger")],
        *[get("ann", f"submissions/c/nix/{name}", NOT_INSTRUCTOR) for name in ("ben", "nobody")],
        *[get(user, "submissions/c/nix", NO_ASSIGNMENT) for user in ("root", "teach")],
        get("teach", "submissions/c/nix/nobody", NO_ASSIGNMENT),
        get("ann", "submissions/c/nix/ann", NO_ASSIGNMENT),
        *[get(user, "submissions/c/hw/nobody", NO_STUDENT) for user in ("root", "teach")],
        get("teach", "submissions/c/hw/Ann", NO_STUDENT),
        *[get(user, "submissions/c/hw") for user in ("root", "teach")],
        *[get(user, "submissions/c/hw/ann") for user in ("root", "teach", "ann")],
        get("teach", "submissions/c/hw/teach"),
        post("teach", "student/c/new", **NAMES),
        get("new", "submissions/c/hw/new"),
    ],
    "a submission is collected": [
        *SUBMITTED,
        get("stranger", "submission/nix/hw/ann", NO_COURSE),
        *[get(user, "submission/c/hw/ann", NOT_INSTRUCTOR) for user in ("ben", "stranger")],
        get("teach", "submission/c/nix/nobody", NO_ASSIGNMENT),
        *[get("teach", f"submission/c/hw/{name}", NO_STUDENT) for name in ("nobody", "stranger", "Ann")],
        get("teach", "submission/c/hw/nobody", NO_STUDENT, timestamp=LONG_AGO),
        get("teach", "submission/c/hw/teach", NO_SUBMISSION),
        get("teach", "submission/c/hw/ann", NO_SUBMISSION, timestamp=LONG_AGO),
        get("teach", "submission/c/hw/ann", NO_SUBMISSION, timestamp="@of_ben"),
        *[
            get("teach", "submission/c/hw/ann", NO_SUBMISSION, timestamp=time)
            for time in ("x", "2020-01-01", "2020-01-01 00:00:00", "2020-01-01T00:00:00.000000", "@first CET")
        ],
        *[get(user, "submission/c/hw/ann") for user in ("root", "teach")],
        *[get("teach", "submission/c/hw/ann", timestamp=time) for time in ("", "@first", "@first ", "@second")],
        *[get("teach", "submission/c/hw/ann", list_only=value) for value in ("true", "True", "")],
        get("teach", "submission/c/hw/ann", list_only="true", timestamp="@first"),
    ],
    "feedback is given": [
        *SUBMITTED,
        post("stranger", "feedback/nix/hw/ann", NO_COURSE),
        *[post(user, "feedback/c/hw/ann", NOT_INSTRUCTOR) for user in ("ann", "ben", "stranger")],
        post("ann", "feedback/c/nix/nobody", NOT_INSTRUCTOR),
        post("teach", "feedback/c/nix/nobody", NO_ASSIGNMENT),
        post("teach", "feedback/c/hw/nobody", NO_STUDENT),
        post("teach", "feedback/c/hw/ann", NO_TIMESTAMP),
        post("teach", "feedback/c/hw/ann", NO_TIMESTAMP, files="x"),
        *[
            post("teach", "feedback/c/hw/ann", BAD_TIMESTAMP, timestamp=time, files="x")
            for time in ("", "x", "2020-01-01", "2020-01-01 00:00:00", "2020-01-01T00:00:00.000000")
        ],
        *[
            post("teach", "feedback/c/hw/ann", BAD_TIMESTAMP, timestamp=time)
            for time in ("2020-02-30 00:00:00.000000 UTC", "2020-01-01 00:00:61.000000", LONG_AGO + " CET")
        ],
        post("teach", "feedback/c/hw/ann", NO_SUBMISSION, timestamp=LONG_AGO, files="x"),
        post("teach", "feedback/c/hw/ann", NO_SUBMISSION, timestamp="@of_ben", files=REMARKS),
        post("teach", "feedback/c/hw/ann", NO_FILES, timestamp="@first"),
        post("teach", "feedback/c/hw/ann", "400 Files cannot be JSON decoded", timestamp="@first", files="x"),
        get("ann", "feedback/c/hw/ann", timestamp="@first"),
        post("teach", "feedback/c/hw/ann", timestamp="@first", files=REMARKS),
        get("ann", "feedback/c/hw/ann", timestamp="@first"),
        get("ann", "feedback/c/hw/ann", timestamp="@second"),
        post("teach", "feedback/c/hw/ann", BAD_PATH, timestamp="@first", files=entry(path="../a")),
        post("teach", "feedback/c/hw/ann", BAD_CONTENT, timestamp="@first", files=entry(content="Y")),
        get("ann", "feedback/c/hw/ann", timestamp="@first"),
        post("root", "feedback/c/hw/ann", timestamp="@first", files=tree(("other.html", b"again"))),
        get("ann", "feedback/c/hw/ann", timestamp="@first"),
        post("teach", "feedback/c/hw/ann", timestamp="@first", files="[]"),
        get("ann", "feedback/c/hw/ann", timestamp="@first"),
        post("teach", "submission/c/hw", keep="of_teach", files=ANSWER),
        post("teach", "feedback/c/hw/teach", timestamp="@of_teach", files=REMARKS),
        get("teach", "feedback/c/hw/teach", timestamp="@of_teach"),
    ],
    "feedback is fetched": [
        *SUBMITTED,
        post("teach", "feedback/c/hw/ann", timestamp="@second", files=HOMEWORK),
        get("stranger", "feedback/nix/hw/ann", NO_COURSE),
        *[get(user, "feedback/c/hw/ann", NOT_INSTRUCTOR, timestamp="@second") for user in ("ben", "stranger")],
        get("ann", "feedback/c/nix/ben", NOT_INSTRUCTOR),
        get("ann", "feedback/c/nix/ann", NO_ASSIGNMENT),
        *[get(user, "feedback/c/hw/nobody", NO_STUDENT) for user in ("root", "teach")],
        *[get(user, "feedback/c/hw/ann", NO_TIMESTAMP) for user in ("root", "teach", "ann")],
        *[get("ann", "feedback/c/hw/ann", BAD_TIMESTAMP, timestamp=time) for time in ("", "x", "2020-01-01")],
        get("ann", "feedback/c/hw/ann", NO_SUBMISSION, timestamp=LONG_AGO),
        *[get("ann", "feedback/c/hw/ann", NO_SUBMISSION, timestamp=LONG_AGO + end) for end in (" ", " UTC")],
        get("ann", "feedback/c/hw/ann", NO_SUBMISSION, timestamp="@of_ben"),
        *[get(user, "feedback/c/hw/ann", timestamp="@second") for user in ("root", "teach", "ann")],
        *[get("ann", "feedback/c/hw/ann", timestamp="@second" + end) for end in (" ", " UTC", " utc", " GMT")],
        get("ann", "feedback/c/hw/ann", timestamp="@second", list_only="true"),
        get("ann", "feedback/c/hw/ann", timestamp="@second", list_only="True"),
        get("ann", "feedback/c/hw/ann", timestamp="@first"),
        get("ben", "feedback/c/hw/ben", timestamp="@of_ben"),
    ],
    "names as people write them": [
        post("root", "course/Übung + 1 @ä", instructors='["t@ä.org"]'),
        post("t@ä.org", "student/Übung + 1 @ä/a+b %41", **NAMES),
        post("t@ä.org", 'assignment/Übung + 1 @ä/1. Blatt (neu) & "gut"?#', files=HOMEWORK),
        get("a+b %41", "courses"),
        get("a+b %41", "assignments/Übung + 1 @ä"),
        get("a+b %41", 'assignment/Übung + 1 @ä/1. Blatt (neu) & "gut"?#'),
        post("a+b %41", 'submission/Übung + 1 @ä/1. Blatt (neu) & "gut"?#', keep="it", files=ANSWER),
        get("t@ä.org", 'submissions/Übung + 1 @ä/1. Blatt (neu) & "gut"?#/a+b %41'),
        get("t@ä.org", 'submission/Übung + 1 @ä/1. Blatt (neu) & "gut"?#/a+b %41'),
        get("a+b %41", 'feedback/Übung + 1 @ä/1. Blatt (neu) & "gut"?#/a+b %41', timestamp="@it"),
        get("a b %41", "assignments/Übung + 1 @ä", NOT_MEMBER),
        get("root", "assignments/Übung   1 @ä", NO_COURSE),
        get("root", "assignments/übung + 1 @ä", NO_COURSE),
        get(" root ", "courses"),
    ],
    "arguments of POST in the query": [
        replace(post("root", "course/c", instructors='["teach"]'), in_query=True),
        replace(post("teach", "instructor/c/teach", **NAMES), in_query=True),
        replace(post("teach", "student/c/ann", **NAMES), in_query=True),
        replace(post("teach", "students/c", students=people("ben")), in_query=True),
        replace(post("teach", "assignment/c/hw", files=ANSWER), in_query=True),
        get("teach", "students/c"),
        get("ann", "assignment/c/hw"),
    ],
    "health": [get(None, "healthz"), get("stranger", "healthz")],
}

# What needs debug mode, or its absence.
WITH_DEBUG: list[Call] = [
    *[
        get(user, "initialize-Data6ase", "400 action should be clear, init, or dump", action=action)
        for user in ("root", "stranger")
        for action in ("", "x", "Dump")
    ],
    get("stranger", "initialize-Data6ase", "400 action should be clear, init, or dump"),
    get("stranger", "initialize-Data6ase", "200 done", action="clear"),
    get("root", "courses"),
    get("stranger", "initialize-Data6ase", "200 done", action="clear"),
    get("stranger", "initialize-Data6ase", "200 done", action="init"),
    get("root", "courses"),
    *[get("root", f"{kind}/{course}") for course in ("course1", "course2") for kind in ("instructors", "students")],
    *[get("root", f"assignments/{course}") for course in ("course1", "course2")],
    get("lawrence", "assignment/course1/challenge"),
    get("eric", "assignment/course2/assignment2a"),
    get("eric", "assignment/course2/assignment2b"),
    get("kevin", "submissions/course1/challenge"),
    get("kevin", "submission/course1/challenge/lawrence"),
    get("kevin", "submission/course1/challenge/lawrence", timestamp="2020-01-01 00:00:00.000000"),
    *[
        get("lawrence", "feedback/course1/challenge/lawrence", timestamp="2020-01-01 00:00:00.000000" + end)
        for end in ("", " ", " UTC")
    ],
    get("abigail", "submissions/course2/assignment2a"),
    get("root", "initialize-Data6ase", "200 done", action="clear"),
    get("root", "courses"),
]
WITHOUT_DEBUG: list[Call] = [
    get("root", "initialize-Data6ase", "403 Debug mode is off"),
    *[
        get(user, "initialize-Data6ase", "403 Debug mode is off", action=action)
        for user in ("root", "stranger")
        for action in ("clear", "init", "x", "")
    ],
    get("stranger", "initialize-Data6ase", "403 Debug mode is off"),
    get("stranger", "initialize-Data6ase", "403 Debug mode is off", action="dump"),
]
