"""The names on the roster, brought to nbgrader's gradebook, where formgrader reads them."""

from collections.abc import Iterable

from nbgrader.api import Gradebook, MissingEntry

from ngshare_fs.exchange.base import Exchange


def bring_names(exchange: Exchange, students: Iterable[str]) -> None:
    """Write first name, last name and email of students into the gradebook, where the roster has them.

    What the roster leaves empty stays as it is in the gradebook. Whatever goes wrong is a warning: the work is more.

    Args:
        exchange: the command that has got their work.
        students: whose work it is.
    """
    directory = exchange.coursedir
    try:
        roster = exchange.api.roster(exchange.course)
        named = {student: roster[student] for student in students if roster.get(student)}
        if not named:
            return
        with Gradebook(directory.db_url, directory.course_id) as gradebook:
            for student, names in named.items():
                try:
                    entry = gradebook.find_student(student)
                    # Nothing to write is the rule, and writing locks the gradebook for all others.
                    is_known = all(getattr(entry, name) == value for name, value in names.items())
                except MissingEntry:
                    is_known = False
                if not is_known:
                    gradebook.update_or_create_student(student, **names)
    except Exception as error:
        exchange.log.warning("The names on the roster could not be brought to the gradebook: %s", error)
