"""What is put into a real ngshare before it is moved: all kinds, and names as people write them.

`python -m tests.operators.ngshare_content FOLDER` makes a new folder such as `ngshare_0_6_0` beside this file: what the
released ngshare makes of it. The tests read that one where no ngshare is installed.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.others.calls import Call, Side, delete, get, post
from tests.others.ngshare_reference import NEWEST, running_ngshare
from tests.others.usual_calls import NAMES, tree

STORED = Path(__file__).with_name("ngshare_0_6_0")

NOTEBOOK = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}\n'
TREE = tree(("ps1.ipynb", NOTEBOOK), ("data/a table.csv", bytes(range(256))), ("data/deep/er/empty", b""))
ODD_COURSE = "Übung + 1 @ä"
ODD_ASSIGNMENT = '1. Blatt (neu) & "gut"?#'
REMARKS = tree(("ps1.html", b"<p>well"), ("0", b""))
LONG = "x" * 230 + "ä" * 20
ODD_STUDENTS = ("a+b %41", ".hidden", "o'neil@uni.example", "李雷", LONG)
ROLES = ("root", "kevin", "lawrence", "stranger", *ODD_STUDENTS)


def _names(**changes: str) -> dict[str, str]:
    return {**NAMES, **changes}


FILL: list[Call] = [
    post("root", "course/NBG 101", instructors=json.dumps(["kevin", "abigail"])),
    post("kevin", "instructor/NBG 101/kevin", **_names(first_name="Kevin", email="kevin@uni.example")),
    post("kevin", "students/NBG 101", students=json.dumps([
        {"username": "lawrence", **_names()},
        {"username": "ben", "first_name": "", "last_name": "", "email": ""},
        {"username": "left", **_names()},
        {"username": "007", **_names(first_name="yes", last_name="null")},
    ])),
    post("kevin", "assignment/NBG 101/ps2", files=TREE),
    post("kevin", "assignment/NBG 101/ps1", files=tree(("ps1.ipynb", NOTEBOOK))),
    post("kevin", "assignment/NBG 101/nothing in it", files="[]"),
    post("lawrence", "submission/NBG 101/ps2", keep="lawrence1", files=TREE),
    post("lawrence", "submission/NBG 101/ps2", keep="lawrence2", files=tree(("ps1.ipynb", NOTEBOOK * 50))),
    post("lawrence", "submission/NBG 101/ps2", keep="lawrence3", files="[]"),
    post("ben", "submission/NBG 101/ps2", keep="ben1", files=tree(("ü/ö.bin", b"\xff\x00" * 99), ("empty", b""))),
    post("kevin", "submission/NBG 101/ps2", keep="kevin1", files=tree(("by a teacher", b"1"))),
    post("left", "submission/NBG 101/ps2", keep="left1", files=tree(("ps1.ipynb", b"gone"))),
    post("kevin", "feedback/NBG 101/ps2/lawrence", timestamp="@lawrence1", files=tree(("ps1.html", b"<p>first try"))),
    post("kevin", "feedback/NBG 101/ps2/lawrence", timestamp="@lawrence1", files=REMARKS),
    post("kevin", "feedback/NBG 101/ps2/ben", timestamp="@ben1", files=tree(("b.html", b"<p>hm"))),
    post("kevin", "feedback/NBG 101/ps2/left", timestamp="@left1", files=tree(("b.html", b"<p>bye"))),
    post("ben", "submission/NBG 101/nothing in it", keep="ben2", files=tree(("x", b"y"))),
    delete("kevin", "student/NBG 101/left"),
    post("kevin", "assignment/NBG 101/withdrawn", files=tree(("w.ipynb", b"deleted with its release"))),
    post("lawrence", "submission/NBG 101/withdrawn", files=tree(("w.ipynb", b"deleted with what was handed in"))),
    delete("kevin", "assignment/NBG 101/withdrawn"),
    post("root", f"course/{ODD_COURSE}", instructors='["kevin"]'),
    *(post("kevin", f"student/{ODD_COURSE}/{student}", **_names(last_name=student)) for student in ODD_STUDENTS),
    post("kevin", f"assignment/{ODD_COURSE}/{ODD_ASSIGNMENT}", files=TREE),
    post("kevin", f"assignment/{ODD_COURSE}/{LONG}", files=TREE),
    *(
        post(student, f"submission/{ODD_COURSE}/{assignment}", keep=f"odd{number}{place}", files=tree((student, b"1")))
        for number, student in enumerate(ODD_STUDENTS)
        for place, assignment in enumerate((ODD_ASSIGNMENT, LONG))
        if student != LONG  # no name of a file is that long
    ),
    post(LONG, f"submission/{ODD_COURSE}/{LONG}", keep="long", files=TREE),
    post("kevin", f"feedback/{ODD_COURSE}/{LONG}/{LONG}", timestamp="@long", files=TREE),
    post("root", "course/empty"),
    post("root", "course/deleted", instructors='["kevin"]'),
    post("kevin", "assignment/deleted/ps1", files=tree(("d", b"deleted with its course"))),
    delete("root", "course/deleted"),
]  # fmt: skip

# What ngshare takes, and no volume can hold as it is: the same path twice, and a file that is a folder, too.
ODD_TREES: list[Call] = [
    post("kevin", "assignment/NBG 101/odd", files=tree(("p", b"first"), ("p", b"second"))),
    post("lawrence", "submission/NBG 101/odd", keep="twice", files=tree(("p", b"old"), ("q", b""), ("p", b"new"))),
    post("ben", "submission/NBG 101/odd", keep="both", files=tree(("a", b"file"), ("a/b", b"in the folder"))),
]


def reading_calls(side: Side) -> Iterator[Call]:
    """Every GET that a client can make of what is there, as everybody.

    Args:
        side: the server that is asked what there is.
    """
    for user in ROLES:
        yield get(user, "courses")
    for course in _listed(side, "courses", "courses"):
        for user in ROLES:
            yield get(user, f"instructors/{course}")
            yield get(user, f"students/{course}")
            yield get(user, f"assignments/{course}")
        for person in (*ROLES, "ben", "abigail", "007", "left"):
            for user in ("root", "kevin", "lawrence", person):
                yield get(user, f"instructor/{course}/{person}")
                yield get(user, f"student/{course}/{person}")
        for assignment in _listed(side, f"assignments/{course}", "assignments"):
            yield from _of_assignment(side, course, assignment)


def _of_assignment(side: Side, course: str, assignment: str) -> Iterator[Call]:
    where = f"{course}/{assignment}"
    for user in ROLES:
        yield get(user, f"assignment/{where}")
        yield get(user, f"assignment/{where}", list_only="true")
        yield get(user, f"submissions/{where}")
    answer = side.ask(get("root", f"submissions/{where}"))
    assert answer.body is not None
    for student in {submission["student_id"] for submission in answer.body["submissions"]}:
        for user in ("root", "kevin", "lawrence", student):
            yield get(user, f"submissions/{where}/{student}")
            yield get(user, f"submission/{where}/{student}")
            yield get(user, f"submission/{where}/{student}", list_only="true")
    for submission in answer.body["submissions"]:
        student, moment = submission["student_id"], submission["timestamp"].removesuffix(" UTC")
        for user in ("root", "kevin", "lawrence", "stranger", student):
            yield get(user, f"submission/{where}/{student}", timestamp=moment)
            for written in (moment, f"{moment} ", f"{moment} UTC"):
                yield get(user, f"feedback/{where}/{student}", timestamp=written)
            yield get(user, f"feedback/{where}/{student}", timestamp=moment, list_only="true")


def _listed(side: Side, path: str, key: str) -> list[str]:
    answer = side.ask(get("root", path))
    assert answer.body is not None
    return [str(name) for name in answer.body[key]]


def make(folder: Path, version: str = NEWEST) -> None:
    """Let a released ngshare keep all of it in a new folder: `ngshare.db` and `files`."""
    with running_ngshare(folder, "--vngshare", version=version) as server:
        side = Side(server.url)
        side.play(FILL)
        side.play(ODD_TREES)
    (folder / "log").unlink()


if __name__ == "__main__":
    make(Path(sys.argv[1]).absolute())
