"""Writes volumes from nothing but `docs/volume-format.md`, without flushing: fast, by no code of the server."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from bench.sample import INSTRUCTOR, RELEASED, Course, Sample, text_of
from tests.volumes import folder_of, folder_of_time, write_course, write_release, write_volume


def write(data: Path, sample: Sample) -> None:
    """Make the volume `data`."""
    write_volume(data)
    for course in sample.courses:
        folder = write_course(data, course.name, [INSTRUCTOR], course.students)
        for assignment in course.assignments:
            names = (course.name, assignment)
            write_release(folder, names, INSTRUCTOR, text_of(RELEASED) + " UTC", course.released)
            submissions = folder / "assignments" / folder_of(assignment) / "submissions"
            _write_submissions(str(submissions), course, assignment)


def _write_submissions(parent: str, course: Course, assignment: str) -> None:
    os.mkdir(parent)
    files = _said_of(course.submitted)
    folders = sorted({path.rpartition("/")[0] for path in course.submitted} - {""})
    for submitted in course.submissions():
        moment = text_of(submitted.moment) + " UTC"
        tree = f"{parent}/{submitted.student}/{folder_of_time(moment)}"
        os.makedirs(f"{tree}/files")
        for folder in folders:
            os.makedirs(f"{tree}/files/{folder}")
        for path, content in course.submitted.items():
            _write(f"{tree}/files/{path}", content)
        # The names used here need no escapes, neither as folders nor in YAML.
        said = f"kind: submission\ncourse: {course.name}\nassignment: {assignment}\nstudent: {submitted.student}\n"
        said += f"by: {submitted.student}\n"
        said += f"key: '{hashlib.md5(tree.encode()).hexdigest()}'\ntimestamp: {moment}\n{files}"
        _write(f"{tree}/manifest.yaml", said.encode())


def _said_of(files: Mapping[str, bytes]) -> str:
    entries = (
        f"- path: {path}\n  size: {len(content)}\n  md5: {hashlib.md5(content).hexdigest()}\n"
        for path, content in files.items()
    )
    return "files:\n" + "".join(entries)


def _write(path: str, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)
