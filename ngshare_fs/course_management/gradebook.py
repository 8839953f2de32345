"""nbgrader's gradebook, kept in step with the roster on the server."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ngshare_fs.course_management.roster_file import Student


@dataclass(frozen=True)
class Configuration:
    """What `nbgrader_config.py` says here.

    Args:
        url: of the server; empty where it is not set.
        course: the course of this folder; empty where it is not set.
        database: of the gradebook.
    """

    url: str
    course: str
    database: str


def configuration() -> Configuration | None:
    """What nbgrader is told in this folder; None where there is no nbgrader."""
    try:
        from nbgrader.apps import NbGrader
        from nbgrader.coursedir import CourseDirectory
    except ImportError:
        return None
    app = NbGrader(log_level="ERROR")  # that there is no file to load is no news
    app.config_file_paths.append(os.getcwd())
    app.load_config_file()
    directory = CourseDirectory(config=app.config)
    url = app.config.Exchange.get("url", "") if "Exchange" in app.config else ""
    return Configuration(str(url), directory.course_id, directory.db_url)


def why_not(found: Configuration | None, course: str) -> str | None:
    """Why the gradebook of this folder is left alone; None where it is the course's."""
    if found is None:
        return "nbgrader is not installed here"
    if found.course == course:
        return None
    if found.course:
        return f"the gradebook of this folder is that of {found.course}"
    return "nbgrader_config.py of this folder does not say that it is this course's (c.CourseDirectory.course_id)"


def add(found: Configuration, students: Iterable[Student]) -> None:
    """Add students, or change their names."""
    with _open(found) as gradebook:
        for student in students:
            names = {name: value for name, value in student.names.items() if value}
            gradebook.update_or_create_student(student.user, **names)


def remove(found: Configuration, users: Iterable[str], with_grades: bool) -> list[str]:
    """Remove students.

    Args:
        with_grades: also those who have some, with them.

    Returns:
        those who stay, since they have grades.
    """
    from nbgrader.api import MissingEntry

    kept = []
    with _open(found) as gradebook:
        for user in users:
            try:
                has_grades = bool(gradebook.find_student(user).submissions)
            except MissingEntry:
                continue
            if has_grades and not with_grades:
                kept.append(user)
            else:
                gradebook.remove_student(user)
    return kept


def _open(found: Configuration) -> Any:
    from nbgrader.api import Gradebook

    return Gradebook(found.database, found.course)
