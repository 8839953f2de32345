"""Calls to which we answer otherwise than ngshare 0.6.0, on purpose; `docs/api.md` gives the reasons."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from .calls import Call, delete, get, in_one_order, post
from .usual_calls import (
    ANSWER,
    BAD_CONTENT,
    BAD_FORMAT,
    BAD_PATH,
    COURSE,
    NO_ASSIGNMENT,
    NO_FILES,
    NO_STUDENT,
    NO_SUBMISSION,
    NO_TIMESTAMP,
    NOT_INSTRUCTOR,
    RELEASED,
    REMARKS,
    SUBMITTED,
    entry,
    people,
    tree,
)


@dataclass(frozen=True)
class Difference:
    """One call after some others that both take.

    Args:
        before: calls to which both answer as expected.
        call: its `expected` is what we answer.
        ngshare: what ngshare answers.
        body: keys of our answer, in the form of `calls.comparable`.
        ngshares_body: the same of ngshare's.
        ngshare_sends_json: whether its answer is JSON at all.
    """

    before: list[Call]
    call: Call
    ngshare: str
    body: dict[str, Any] = field(default_factory=dict)
    ngshares_body: dict[str, Any] = field(default_factory=dict)
    ngshare_sends_json: bool = True


HW = "assignment/c/hw"


def _files(*files: tuple[str, bytes]) -> list[dict[str, str]]:
    return in_one_order(
        {"path": path, "content": content.hex(), "checksum": hashlib.md5(content).hexdigest()}
        for path, content in files
    )


def _trees() -> Iterator[tuple[str, Difference]]:
    malformed = ("12", "null", "true", '"x"', '{"a": 1}', "[1]", "[null]", "[{}]", "[[]]")
    for files in (
        *malformed,
        '[{"path": "a"}]',
        '[{"content": ""}]',
        entry(content=None),
        entry(content=1),
        entry(path=1),
        entry()[:-1] + ", 1]",
    ):
        call = post("teach", HW, BAD_FORMAT, files=files)
        yield f"malformed tree {files}", Difference(COURSE, call, "500", ngshare_sends_json=False)
    call = post("teach", HW, "400 Files cannot be JSON decoded", files="[NaN]")
    yield "NaN, which is no JSON", Difference(COURSE, call, "500", ngshare_sends_json=False)
    for files in ("{}", '""'):
        yield f"malformed tree {files}", Difference(COURSE, post("teach", HW, BAD_FORMAT, files=files), "200")
    yield (
        "a path that is null",
        Difference(COURSE, post("teach", HW, BAD_FORMAT, files=entry(path=None)), BAD_PATH),
    )
    for path in ("submission/c/hw", "feedback/c/hw/ann"):
        call = post("ann" if path.startswith("s") else "teach", path, BAD_FORMAT, files="[1]", timestamp="@first")
        yield f"malformed tree to {path}", Difference(SUBMITTED, call, "500", ngshare_sends_json=False)
    for content in ("Y*W!I=", "YW-_I=", "YWI=YWI=", "YWI==", "=", "ä", "YWI\0="):
        call = post("teach", HW, BAD_CONTENT, files=entry(content=content))
        yield f"content {content!r}", Difference(COURSE, call, "200")
    for path in ("a//b", "\0", "a\0b", "x" * 256, "ä" * 128, "a/" + "x" * 256 + "/b"):
        call = post("teach", HW, BAD_PATH, files=entry(path=path))
        yield f"path {path[:9]!r} of {len(path)}", Difference(COURSE, call, "200")
    yield (
        "path that is no UTF-8",
        Difference(COURSE, post("teach", HW, BAD_PATH, files=entry(path="\ud800")), "500", ngshare_sends_json=False),
    )
    for checksum in ("wrong", "", "0" * 32):
        call = post("teach", HW, "400 Checksum does not match", files=entry(checksum=checksum))
        yield f"checksum {checksum!r}", Difference(COURSE, call, "200")
    for paths in (("a", "a/b"), ("a/b", "a"), ("a/b/c", "x", "a/b")):
        call = post("teach", HW, BAD_PATH, files=tree(*((path, b"") for path in paths)))
        yield f"a file and a folder: {' '.join(paths)}", Difference(COURSE, call, "200")
    twice = [*COURSE, post("teach", HW, files=tree(("a", b"1"), ("b", b"2"), ("a", b"3")))]
    yield (
        "the same path twice",
        Difference(
            twice,
            get("ann", HW),
            "200",
            body={"files": _files(("a", b"3"), ("b", b"2"))},
            ngshares_body={"files": _files(("a", b"1"), ("b", b"2"), ("a", b"3"))},
        ),
    )
    yield (
        "an illegal path after bad content",
        Difference(
            COURSE,
            post(
                "teach",
                HW,
                BAD_PATH,
                files=json.dumps([{"path": "a", "content": "Y"}, {"path": "/a", "content": ""}]),
            ),
            BAD_CONTENT,
        ),
    )


def _removed_students() -> Iterator[tuple[str, Difference]]:
    before = [
        *SUBMITTED,
        post("teach", "feedback/c/hw/ann", timestamp="@first", files=REMARKS),
        delete("teach", "student/c/ann"),
    ]
    remarks = {"files": _files(("hw.html", b"<p>well done</p>"))}
    for call, body in (
        (get("teach", "submissions/c/hw/ann"), {}),
        (get("root", "submissions/c/hw/ann"), {}),
        (get("teach", "submission/c/hw/ann", timestamp="@first"), {"files": _files(("hw.ipynb", b'{"cells": []}\n'))}),
        (get("teach", "feedback/c/hw/ann", timestamp="@first"), remarks),
        (post("teach", "feedback/c/hw/ann", timestamp="@first", files=ANSWER), {}),
    ):
        yield f"a removed student: {call}", Difference(before, call, NO_STUDENT, body=body)
    before = [*SUBMITTED, post("root", "submission/c/hw", keep="of_root", files=ANSWER)]
    for call in (
        get("teach", "submissions/c/hw/root"),
        get("teach", "submission/c/hw/root"),
        get("teach", "feedback/c/hw/root", timestamp="@of_root"),
    ):
        yield f"an admin who submitted: {call}", Difference(before, call, NO_STUDENT)


def _own_work() -> Iterator[tuple[str, Difference]]:
    answer = {"files": _files(("hw.ipynb", b'{"cells": []}\n'))}
    for call, body in (
        (get("ann", "submission/c/hw/ann", timestamp="@first"), answer),
        (get("ben", "submission/c/hw/ben"), answer),
        (get("ann", "submission/c/nix/ann", NO_ASSIGNMENT), {}),
    ):
        yield f"their own work: {call}", Difference(SUBMITTED, call, NOT_INSTRUCTOR, body=body)
    for of in ("submissions", "feedback"):
        for name, ngshares in (("nix", NO_ASSIGNMENT), ("hw", NO_STUDENT)):
            call = get("stranger", f"{of}/c/{name}/stranger", NOT_INSTRUCTOR)
            yield f"a stranger's own {of} to {name}", Difference(SUBMITTED, call, ngshares)
    removed = [*SUBMITTED, delete("teach", "student/c/ann")]
    for call in (get("ann", "submissions/c/hw/ann"), get("ann", "feedback/c/hw/ann", timestamp="@first")):
        yield f"work of their own, after they have left: {call}", Difference(removed, call, NO_STUDENT)
    call = get("ann", "submissions/c/nix/ann", NOT_INSTRUCTOR)
    yield "and what is not there", Difference(removed, call, NO_ASSIGNMENT)


def _requests() -> Iterator[tuple[str, Difference]]:
    for end in (" UTC", "  UTC "):
        long_ago = [get("root", "courses"), *SUBMITTED]
        call = get("teach", "submission/c/hw/ann", timestamp="@first" + end, list_only="true")
        yield f"a timestamp that ends in {end!r}", Difference(long_ago, call, NO_SUBMISSION)
    token = {"Authorization": "token abc"}
    for method, path, answer in (
        ("GET", "course/c", "405"),
        ("PUT", "courses", "405"),
        ("PATCH", "courses", "405"),
        ("POST", "courses", "405"),
        ("DELETE", "students/c", "405"),
    ):
        call = Call(method, "root", tuple(path.split("/")), "405 Method Not Allowed")
        yield f"wrong method: {method} {path}", Difference(COURSE, call, answer, ngshare_sends_json=False)
    for path in ("nix", "courses/", "course/", "assignment/c//hw", "COURSES"):
        call = Call("GET", "root", tuple(path.split("/")), "404 Not Found", headers=token)
        yield f"unknown path with a token: {path}", Difference(COURSE, call, "404", ngshare_sends_json=False)
    for path in ("courses", "assignments/c", HW, "submissions/c/hw", "submission/c/hw/ann"):
        call = get(None, path, "403 Please supply user")
        yield f"nobody asks for {path}", Difference(RELEASED, call, "400", ngshare_sends_json=False)
    for user in ("", " "):
        yield f"user {user!r}", Difference([], get(user, "courses", "403 Please supply user"), "200")
    yield (
        "files of a submission in the query",
        Difference(RELEASED, replace(post("ann", "submission/c/hw", files=ANSWER), in_query=True), NO_FILES),
    )
    yield (
        "feedback in the query",
        Difference(
            SUBMITTED,
            replace(post("teach", "feedback/c/hw/ann", timestamp="@first", files=ANSWER), in_query=True),
            NO_TIMESTAMP,
        ),
    )


def _people() -> Iterator[tuple[str, Difference]]:
    refused = "400 Instructors cannot be JSON decoded"
    for instructors, ngshare in (
        ("12", "500"),
        ("null", "500"),
        ("[null]", "500"),
        ('[["a"]]', "500"),
        ('["\\ud800"]', "500"),
        ("{}", "200"),
        ('"ab"', "200"),
        ("[1]", "200"),
        ('[""]', "200"),
    ):
        call = post("root", "course/c", refused, instructors=instructors)
        yield f"instructors {instructors}", Difference([], call, ngshare, ngshare_sends_json=ngshare == "200")
    call = post("root", "course/c", instructors='["a", "a"]')
    yield "an instructor twice", Difference([], call, "500", ngshare_sends_json=False)
    call = post("teach", "students/c", BAD_FORMAT, students=people("new", ""))
    yield "a student without a name", Difference(COURSE, call, "200")


DIFFERENCES: dict[str, Difference] = {
    name: difference
    for table in (_trees, _removed_students, _own_work, _requests, _people)
    for name, difference in table()
}
