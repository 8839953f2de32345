"""Fills the tables of ngshare 0.6.0 directly: through its API, 2,000 students alone would take six minutes."""

import hashlib
import itertools
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from bench.sample import INSTRUCTOR, Course, Sample, text_of
from tests.others.ngshare_reference import running_ngshare


def make_empty(folder: Path) -> Path:
    """Have ngshare make its empty database; gives the file."""
    with running_ngshare(folder, "--vngshare"):
        pass
    return folder / "ngshare.db"


def write(folder: Path, sample: Sample, empty: Path) -> None:
    """Make a database and the files that belong to it in `folder`."""
    (folder / "files").mkdir(parents=True)
    shutil.copy(empty, folder / "ngshare.db")
    with closing(sqlite3.connect(folder / "ngshare.db")) as database, database:
        _Writer(database, folder / "files").write(sample)


class _Writer:
    def __init__(self, database: sqlite3.Connection, storage: Path) -> None:
        self._database, self._storage = database, storage
        self._file_ids, self._assignment_ids, self._submission_ids = (itertools.count(1) for _ in range(3))

    def write(self, sample: Sample) -> None:
        people = {INSTRUCTOR, "root"} | {user for course in sample.courses for user in course.students}
        self._many("users (id)", ((user,) for user in sorted(people)))
        for number, course in enumerate(sample.courses, 1):
            self._write_course(number, course)

    def _write_course(self, number: int, course: Course) -> None:
        self._many("courses (_id, id)", [(number, course.name)])
        self._many("instructor_assoc_table (left_id, right_id)", [(INSTRUCTOR, course.name)])
        entries = ((user, course.name, "", "", user) for user in course.students)
        self._many("student_assoc_table (left_id, right_id, first_name, last_name, email)", entries)
        # Files with the same content are stored once: what is measured only reads them.
        released, submitted = self._store(course.released), self._store(course.submitted)
        for assignment in course.assignments:
            row = next(self._assignment_ids)
            self._many("assignments (_id, id, course_id)", [(row, assignment, number)])
            files = self._file_rows(released)
            self._many("assignment_files_assoc_table (left_id, right_id)", ((row, file) for file in files))
            self._write_submissions(row, course, submitted)

    def _write_submissions(self, assignment: int, course: Course, stored: list[tuple[str, str, int, str]]) -> None:
        for submitted in course.submissions():
            row = next(self._submission_ids)
            entry = (row, assignment, text_of(submitted.moment), submitted.student)
            self._many("submissions (_id, assignment_id, timestamp, student_id)", [entry])
            files = self._file_rows(stored)
            self._many("submission_files_assoc_table (left_id, right_id)", ((row, file) for file in files))

    def _store(self, files: Mapping[str, bytes]) -> list[tuple[str, str, int, str]]:
        stored = []
        for path, content in files.items():
            checksum = hashlib.md5(content).hexdigest()
            (self._storage / checksum).write_bytes(content)
            stored.append((path, checksum, len(content), checksum))
        return stored

    def _file_rows(self, stored: list[tuple[str, str, int, str]]) -> list[int]:
        rows = [next(self._file_ids) for _ in stored]
        entries = ((row, *file) for row, file in zip(rows, stored, strict=True))
        self._many("files (_id, filename, checksum, size, actual_name)", entries)
        return rows

    def _many(self, table: str, rows: Iterator[tuple[object, ...]] | list[tuple[object, ...]]) -> None:
        columns = table.count(",") + 1
        self._database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})", rows)
