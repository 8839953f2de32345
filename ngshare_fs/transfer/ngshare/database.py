"""What the tables of ngshare's database say, row by row: one that is read takes no memory for the others.

`left_id` of the tables between files and what they belong to is declared as text, and holds whole numbers.
"""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from ngshare_fs.store import Person
from ngshare_fs.transfer.ngshare.source import Row, SubmissionRow

OF_ASSIGNMENT = "assignment_files_assoc_table"
OF_SUBMISSION = "submission_files_assoc_table"
OF_FEEDBACK = "feedback_files_assoc_table"

_PEOPLE = {
    "instructor": "SELECT left_id, first_name, last_name, email FROM instructor_assoc_table WHERE right_id = ?",
    "student": "SELECT left_id, first_name, last_name, email FROM student_assoc_table WHERE right_id = ?",
}
_BYTES = """
    WITH of_course AS (SELECT _id FROM assignments WHERE course_id = :course),
    work AS (SELECT _id FROM submissions WHERE assignment_id IN of_course),
    used AS (
        SELECT right_id FROM assignment_files_assoc_table WHERE CAST(left_id AS INTEGER) IN of_course
        UNION SELECT right_id FROM submission_files_assoc_table WHERE CAST(left_id AS INTEGER) IN work
        UNION SELECT right_id FROM feedback_files_assoc_table WHERE CAST(left_id AS INTEGER) IN work
    )
    SELECT sum(size) FROM files WHERE _id IN used AND typeof(size) = 'integer'
"""


class FileRow(NamedTuple):
    """A file of a tree: `path` in it, `stored_as` in ngshare's folder."""

    path: str | None
    md5: str | None
    stored_as: str | None


class Database:
    """ngshare's database.

    Args:
        connection: to a copy of it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        # Without it, each assignment would look through all submissions.
        connection.execute("CREATE INDEX IF NOT EXISTS by_assignment ON submissions (assignment_id)")

    def courses(self) -> list[Row]:
        """The courses, in the order in which they were made."""
        found = self._connection.execute("SELECT _id, id FROM courses ORDER BY _id")
        return [Row(key, _text(name)) for key, name in found]

    def assignments(self, course: int) -> list[Row]:
        """The assignments of a course, in the order in which they were released."""
        found = self._connection.execute("SELECT _id, id FROM assignments WHERE course_id = ? ORDER BY _id", (course,))
        return [Row(key, _text(name)) for key, name in found]

    def people(self, role: str, course: str) -> dict[str | None, Person]:
        """Whoever has a role in a course.

        Args:
            role: `instructor` or `student`.
            course: its name.
        """
        return {
            _text(user): Person(_clean(first_name), _clean(last_name), _clean(email))
            for user, first_name, last_name, email in self._connection.execute(_PEOPLE[role], (course,))
        }

    def first_submission(self, assignment: int) -> str | None:
        """The time of the first submission to an assignment."""
        found = self._connection.execute(
            "SELECT min(timestamp) FROM submissions WHERE assignment_id = ?", (assignment,)
        )
        return _text(found.fetchone()[0])

    def submissions(self, assignment: int) -> Iterator[SubmissionRow]:
        """The submissions to an assignment; those of one student and one time follow each other."""
        for key, moment, student in self._connection.execute(
            "SELECT _id, timestamp, student_id FROM submissions WHERE assignment_id = ? "
            "ORDER BY timestamp, student_id, _id",
            (assignment,),
        ):
            yield SubmissionRow(key, _text(moment), _text(student))

    def files(self, table: str, key: int) -> list[FileRow]:
        """The files of a tree, in the order in which they were handed in.

        Args:
            table: which says what has which files.
            key: of the assignment or the submission.
        """
        found = self._connection.execute(
            f"SELECT filename, checksum, actual_name FROM files "  # noqa: S608
            f"JOIN {table} ON right_id = files._id WHERE left_id = ? ORDER BY files._id",
            (str(key),),
        )
        return [FileRow(_text(path), _text(md5), _text(stored_as)) for path, md5, stored_as in found]

    def count_trees(self) -> int:
        """How many releases, submissions and pieces of feedback there are."""
        counted = 0
        for what in (
            "* FROM assignments",
            "* FROM submissions",
            f"DISTINCT left_id FROM {OF_FEEDBACK} JOIN submissions ON _id = left_id",
        ):
            counted += self._count(f"(SELECT {what})")
        return counted

    def bytes_of(self, course: int) -> int:
        """What the files of a course add up to, as far as ngshare knows their sizes."""
        if "size" not in {name for (name,) in self._connection.execute("SELECT name FROM pragma_table_info('files')")}:
            return 0  # before version 0.4
        found = self._connection.execute(_BYTES, {"course": course})
        return int(found.fetchone()[0] or 0)

    def count_users_without_course(self) -> int:
        """How many users are in no course, and have handed in nothing."""
        return self._count(
            "users WHERE id NOT IN (SELECT left_id FROM instructor_assoc_table) "
            "AND id NOT IN (SELECT left_id FROM student_assoc_table) "
            "AND id NOT IN (SELECT student_id FROM submissions WHERE student_id IS NOT NULL)"
        )

    def count_unattached(self) -> int:
        """How many assignments belong to no course, and submissions to no assignment: nobody can fetch them."""
        orphans = self._count("assignments WHERE course_id IS NULL OR course_id NOT IN (SELECT _id FROM courses)")
        return orphans + self._count(
            "submissions WHERE assignment_id IS NULL OR assignment_id NOT IN (SELECT _id FROM assignments)"
        )

    def some_stored_files(self, most: int) -> list[str]:
        """The names in ngshare's folder of a few files that are part of something."""
        found = self._connection.execute("SELECT actual_name FROM files WHERE actual_name IS NOT NULL LIMIT ?", (most,))
        return [str(_text(name)) for (name,) in found]

    def look_up_stored_files(self) -> None:
        """Make it quick to ask `is_in_use`. Links to what was deleted, and its rows, may be left in the tables."""
        self._connection.executescript(
            "CREATE TEMP TABLE in_use (name TEXT PRIMARY KEY) WITHOUT ROWID;"
            "INSERT OR IGNORE INTO in_use SELECT actual_name FROM files WHERE actual_name IS NOT NULL AND _id IN ("
            "SELECT right_id FROM assignment_files_assoc_table JOIN assignments ON assignments._id = left_id "
            "UNION SELECT right_id FROM submission_files_assoc_table JOIN submissions ON submissions._id = left_id "
            "UNION SELECT right_id FROM feedback_files_assoc_table JOIN submissions ON submissions._id = left_id);"
        )

    def is_in_use(self, name: str) -> bool:
        """Whether a file in ngshare's folder is one of a tree that is there."""
        try:
            found = self._connection.execute("SELECT 1 FROM in_use WHERE name = ?", (name,))
        except UnicodeEncodeError:
            return False
        return found.fetchone() is not None

    def _count(self, what: str) -> int:
        (count,) = self._connection.execute(f"SELECT count(*) FROM {what}").fetchone()  # noqa: S608
        return int(count)


def _text(value: object) -> str | None:
    """Text as it was meant, whatever SQLite made of it."""
    if value is None or isinstance(value, str):
        return value
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def _clean(value: object) -> str | None:
    """Text that can be stored: what is no UTF-8 in somebody's name is not worth losing the person."""
    text = _text(value)
    return None if text is None else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
