"""nbgrader's gradebook, kept in step with the roster on the server."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ngshare_fs.roster_files.roster_file import Student


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
    """Add students, or change their names: what is empty on the roster is empty there, too."""
    with _open(found) as gradebook:
        for student in students:
            # Null is what nbgrader itself has for a name that was never given.
            names = {name: value or None for name, value in student.names.items()}
            gradebook.update_or_create_student(student.user, **names)


def would_stay(found: Configuration, users: Iterable[str]) -> list[str]:
    """Those whom `remove` would not remove, since they have grades. Makes no gradebook where there is none."""
    from sqlalchemy.engine import make_url

    url = make_url(found.database)
    if url.get_backend_name() == "sqlite" and not os.path.exists(url.database or ""):
        return []
    with _open(found) as gradebook:
        return [user for user in users if _has_grades(gradebook, user)]


def remove(found: Configuration, users: Iterable[str], with_grades: bool) -> list[str]:
    """Remove students.

    Args:
        with_grades: also those who have some, with them.

    Returns:
        those who stay, since they have grades.
    """
    kept = []
    with _open(found) as gradebook:
        for user in users:
            has_grades = _has_grades(gradebook, user)
            if has_grades and not with_grades:
                kept.append(user)
            elif has_grades is not None:
                gradebook.remove_student(user)
    return kept


def _has_grades(gradebook: Any, user: str) -> bool | None:
    """None where the gradebook does not know the student."""
    from nbgrader.api import MissingEntry

    try:
        return bool(gradebook.find_student(user).submissions)
    except MissingEntry:
        return None


def _open(found: Configuration) -> Any:
    from nbgrader.api import Gradebook

    return Gradebook(found.database, found.course)
