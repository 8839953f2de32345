"""What most sequences of calls begin with, and the refusals that they meet, in ngshare's words."""

import base64
import json

from .calls import post

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
