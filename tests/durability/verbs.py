"""A small volume, and each verb that changes it, once: through the API and through the store."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ngshare_fs.formats.civil_time import moment_in
from ngshare_fs.store import (
    Extension,
    Volume,
    assignment,
    course,
    dates,
    extensions,
    feedback,
    release,
    roster,
    submission,
)
from ngshare_fs.store.format.course_file import Person
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.writing.upload import IncomingFile, Upload
from tests.trees import tree
from tests.volumes import (
    ASSIGNMENT,
    COURSE,
    INSTRUCTOR,
    STUDENT,
    SUBMITTED,
    Plain,
    md5,
    write_course,
    write_release,
    write_submission,
    write_withdrawal,
)

NEW = "zoë"  # on the roster, has handed in nothing
WAITING = "ada"  # has handed in, and had no feedback yet
BARE_COURSE = "by hand"  # has no folder for assignments
BARE_ASSIGNMENT = "by hand"  # has no folder for submissions
WITHDRAWN = "withdrawn"
DATED = "dated"  # has dates, and an extension
LATER, LATEST = "2099-01-01 23:59:59 UTC", "2099-02-01 23:59:59 UTC"
MOMENT = "2020-01-30 10:30:47.000000 UTC"
HELD_IN_MEMORY = 256 * 1024

SMALL = {"p.ipynb": b"{}"}
NESTED = {"p.ipynb": b"1", "a/x": b"", "a/b/y": b"22", "c/d/e/z": b"333"}
LARGE = {"large.csv": bytes(range(256)) * 1400, "small": b"s"}
PERSON = {"first_name": "A", "last_name": "B", "email": "a@b"}


@dataclass(frozen=True)
class Verb:
    """One thing that somebody does.

    Args:
        request: method and path.
        user: who asks.
        act: the same by the store.
        fields: of the form.
        again: the status of the same request where it has been done already.
    """

    request: tuple[str, str]
    user: str
    act: Callable[[Volume], object]
    fields: Mapping[str, str] = field(default_factory=dict)
    again: int = 200


def write_small_volume(root: Path) -> None:
    """A volume with one of each, and with gaps that the first of its kind has to fill."""
    plain = Plain(root)
    shutil.copytree(plain.assignment, root / "kept")
    shutil.rmtree(plain.course)
    folder = write_course(root, COURSE, [INSTRUCTOR], [STUDENT, WAITING, NEW])
    (folder / "assignments").mkdir()
    (root / "kept").rename(folder / "assignments" / ASSIGNMENT)
    write_submission(folder, (COURSE, ASSIGNMENT), WAITING, SUBMITTED, SMALL)
    write_release(folder, (COURSE, BARE_ASSIGNMENT), INSTRUCTOR, MOMENT, SMALL)
    write_release(folder, (COURSE, WITHDRAWN), INSTRUCTOR, MOMENT, SMALL)
    write_withdrawal(folder, (COURSE, WITHDRAWN), INSTRUCTOR, SUBMITTED)
    write_release(folder, (COURSE, DATED), INSTRUCTOR, MOMENT, SMALL)
    extension = f"extensions:\n  {WAITING}:\n    due: {LATEST}\n"
    (folder / "assignments" / DATED / "assignment.yaml").write_text(f"due: {LATER}\n{extension}")
    write_course(root, BARE_COURSE, [INSTRUCTOR], [STUDENT])
    # An hour old: a change of the roster waits for a file that somebody may just be editing.
    for path in root.rglob("*"):
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 3600))


def uploaded(volume: Volume, files: Mapping[str, bytes]) -> Upload:
    """Files as the API hands them to the store: large ones lie in the staging folder already."""
    upload = volume.upload()
    incoming = []
    for path, content in files.items():
        file = IncomingFile(path, len(content), md5(content))
        if len(content) > HELD_IN_MEMORY:
            file.staged = upload.new_file()
            with open(file.staged, "xb") as staged:
                staged.write(content)
        else:
            file.content = content
        incoming.append(file)
    upload.accept(incoming)
    return upload


def _submit(student: str, files: Mapping[str, bytes], to: str = ASSIGNMENT) -> Verb:
    def act(volume: Volume) -> None:
        with uploaded(volume, files) as upload:
            submission.submit(volume, COURSE, to, student, upload)

    return Verb(("POST", f"submission/{COURSE}/{to}"), student, act, {"files": tree(dict(files))})


def _feedback(student: str) -> Verb:
    def act(volume: Volume) -> None:
        with uploaded(volume, NESTED) as upload:
            feedback.give(volume, COURSE, ASSIGNMENT, student, Timestamp(SUBMITTED), INSTRUCTOR, upload)

    fields = {"files": tree(NESTED), "timestamp": SUBMITTED}
    return Verb(("POST", f"feedback/{COURSE}/{ASSIGNMENT}/{student}"), INSTRUCTOR, act, fields)


def _release(of: str, name: str = "new") -> Verb:
    def act(volume: Volume) -> None:
        with uploaded(volume, NESTED) as upload:
            release.release(volume, of, name, INSTRUCTOR, upload)

    return Verb(("POST", f"assignment/{of}/{name}"), INSTRUCTOR, act, {"files": tree(NESTED)}, again=409)


def _release_again(volume: Volume) -> None:
    with uploaded(volume, SMALL) as upload:
        release.release_again(volume, COURSE, ASSIGNMENT, INSTRUCTOR, upload)


def _set_many(volume: Volume) -> None:
    roster.set_students(volume, COURSE, [(f"many {number}", Person("A", "B", "a@b")) for number in range(20)])


_MANY = json.dumps([{"username": f"many {number}", **PERSON} for number in range(20)])


def _release_with_dates(volume: Volume) -> None:
    with uploaded(volume, NESTED) as upload:
        release.release(volume, COURSE, "new", INSTRUCTOR, upload, changes={"release": moment_in(LATER)})


VERBS = {
    "first submission": _submit(NEW, SMALL),
    "second submission": _submit(STUDENT, SMALL),
    "submission with nested folders": _submit(NEW, NESTED),
    "submission with a large file": _submit(NEW, LARGE),
    "first submission of all": _submit(STUDENT, SMALL, BARE_ASSIGNMENT),
    "release": _release(COURSE),
    "first release of a course": _release(BARE_COURSE),
    "release again": Verb(
        ("PUT", f"assignment/{COURSE}/{ASSIGNMENT}"), INSTRUCTOR, _release_again, {"files": tree(SMALL)}
    ),
    "release what is withdrawn": _release(COURSE, WITHDRAWN),
    "withdraw": Verb(
        ("PUT", f"assignment/{COURSE}/{ASSIGNMENT}/withdrawn"),
        INSTRUCTOR,
        lambda volume: release.withdraw(volume, COURSE, ASSIGNMENT, INSTRUCTOR),
    ),
    "first feedback": _feedback(WAITING),
    "second feedback": _feedback(STUDENT),
    "add a student": Verb(
        ("POST", f"student/{COURSE}/eve"),
        INSTRUCTOR,
        lambda volume: roster.set_student(volume, COURSE, "eve", Person("A", "B", "a@b")),
        PERSON,
    ),
    "add many students": Verb(("POST", f"students/{COURSE}"), INSTRUCTOR, _set_many, {"students": _MANY}),
    "remove a student": Verb(
        ("DELETE", f"student/{COURSE}/{NEW}"),
        INSTRUCTOR,
        lambda volume: roster.remove_student(volume, COURSE, NEW),
        again=404,
    ),
    "remove many students": Verb(
        ("POST", f"removal/{COURSE}"),
        INSTRUCTOR,
        lambda volume: roster.remove_students(volume, COURSE, [NEW, STUDENT]),
        {"students": json.dumps([NEW, STUDENT])},
    ),
    "make an instructor": Verb(
        ("POST", f"instructor/{COURSE}/{STUDENT}"),
        "root",
        lambda volume: roster.set_instructor(volume, COURSE, STUDENT, Person("A", "B", "a@b")),
        PERSON,
    ),
    "make a course": Verb(
        ("POST", "course/new"),
        "root",
        lambda volume: course.create(volume, "new", [INSTRUCTOR]),
        {"instructors": json.dumps([INSTRUCTOR])},
        again=409,
    ),
    "delete a course": Verb(
        ("DELETE", f"course/{COURSE}"), "root", lambda volume: course.delete(volume, COURSE, "root"), again=404
    ),
    "delete an assignment": Verb(
        ("DELETE", f"assignment/{COURSE}/{ASSIGNMENT}"),
        INSTRUCTOR,
        lambda volume: assignment.delete(volume, COURSE, ASSIGNMENT, INSTRUCTOR),
        again=404,
    ),
}

# What is done with dates, tried by the store alone.
OF_DATES = {
    "first dates": Verb(
        ("PATCH", f"assignment/{COURSE}/{ASSIGNMENT}"),
        INSTRUCTOR,
        lambda volume: dates.change(volume, COURSE, ASSIGNMENT, {"due": moment_in(LATER)}),
        {"due": LATER},
    ),
    "further dates": Verb(
        ("PATCH", f"assignment/{COURSE}/{DATED}"),
        INSTRUCTOR,
        lambda volume: dates.change(volume, COURSE, DATED, {"close": moment_in(LATER)}),
        {"close": LATER},
    ),
    "extend": Verb(
        ("PUT", f"extension/{COURSE}/{DATED}/{STUDENT}"),
        INSTRUCTOR,
        lambda volume: extensions.extend(volume, COURSE, DATED, STUDENT, Extension(moment_in(LATEST), reason="ill")),
        {"due": LATEST, "reason": "ill"},
    ),
    "take an extension back": Verb(
        ("DELETE", f"extension/{COURSE}/{DATED}/{WAITING}"),
        INSTRUCTOR,
        lambda volume: extensions.take_back(volume, COURSE, DATED, WAITING),
    ),
    "release with dates": Verb(
        ("POST", f"assignment/{COURSE}/new"),
        INSTRUCTOR,
        _release_with_dates,
        {"files": tree(NESTED), "release": LATER},
        again=409,
    ),
}
