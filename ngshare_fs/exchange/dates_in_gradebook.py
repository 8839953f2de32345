"""Due dates and extensions in nbgrader's gradebook, from where its late penalties and formgrader take them.

nbgrader counts every second after the due date. It knows no grace, nor that a named second is meant whole: what is in
time on the server gets as long an extension there as it needs to be in time.
"""

import os
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from nbgrader.api import Assignment, Gradebook, MissingEntry, SubmittedAssignment
from sqlalchemy.engine import make_url

from ngshare_fs.exchange.base import Exchange
from ngshare_fs.exchange.connection.dates import Deadlines, span, written

# Students whose names are in a message.
MOST_NAMES = 10


def due_in_gradebook(exchange: Exchange) -> datetime | None:
    """The due date of the assignment, in UTC; None where there is none. No gradebook is made for that.

    Args:
        exchange: the command; its course directory says where the gradebook is.
    """
    directory = exchange.coursedir
    if not _is_there(directory.db_url):
        return None
    with Gradebook(directory.db_url, directory.course_id) as gradebook:
        try:
            due: datetime | None = gradebook.find_assignment(exchange.assignment).duedate
        except MissingEntry:
            return None
    return None if due is None else due.replace(tzinfo=timezone.utc)


def bring_dates(exchange: Exchange, deadlines: Deadlines, collected: Mapping[str, datetime]) -> None:
    """Write the due date, and what more time students have of whom there is work, as the server has them.

    The server's dates are those that are enforced. Whatever goes wrong is a warning: the work is more.

    Args:
        exchange: the command that has got the work.
        deadlines: the server's.
        collected: of each student whose work is here, when it was handed in.
    """
    directory = exchange.coursedir
    try:
        if not _is_there(directory.db_url):
            raise MissingEntry
        with Gradebook(directory.db_url, directory.course_id) as gradebook:
            assignment = gradebook.find_assignment(exchange.assignment)
            _bring_due(exchange, gradebook, assignment, deadlines)
            _bring_extensions(exchange, gradebook, assignment, deadlines, collected)
    except MissingEntry:
        exchange.log.warning(
            "The gradebook does not know %s yet, so it was not told when that is due. Run `nbgrader "
            "generate_assignment`, then collect again.",
            exchange.assignment,
        )
    except Exception as error:
        exchange.log.warning(
            "The dates could not be brought to the gradebook, where lateness may be wrong: %s. Collect again.", error
        )


def _is_there(url: str) -> bool:
    found = make_url(url)
    return found.get_backend_name() != "sqlite" or os.path.exists(found.database or "")


def _bring_due(exchange: Exchange, gradebook: Gradebook, assignment: Assignment, deadlines: Deadlines) -> None:
    before, due = assignment.duedate, deadlines.due.replace(tzinfo=None)
    if before == due:
        return
    gradebook.update_or_create_assignment(assignment.name, duedate=due)
    was = "none" if before is None else written(before.replace(tzinfo=timezone.utc), deadlines.zone)
    exchange.log.info(
        "Gradebook: %s is due at %s, as on the server (before: %s)",
        assignment.name,
        written(deadlines.due, deadlines.zone),
        was,
    )


def _bring_extensions(
    exchange: Exchange,
    gradebook: Gradebook,
    assignment: Assignment,
    deadlines: Deadlines,
    collected: Mapping[str, datetime],
) -> None:
    # The entries themselves would come with their scores, which takes seconds for a large class.
    columns = gradebook.db.query(SubmittedAssignment.student_id, SubmittedAssignment.extension)
    known = {student: extension or None for student, extension in columns.filter_by(assignment_id=assignment.id)}
    changed = []
    for student, moment in sorted(collected.items()):
        wanted = deadlines.extension(student, moment)
        if student not in known:
            # An entry keeps `generate_assignment` from changing the notebooks of the assignment, and counts as a
            # submission without points: it is made where nbgrader would take the work for late, and not before there
            # are notebooks for it.
            if wanted is None or moment <= deadlines.due or not assignment.notebooks:
                continue
            gradebook.update_or_create_student(student)
        elif known[student] == wanted:
            continue
        # nbgrader asks for more while the entry is half made, of which SQLAlchemy would warn.
        with gradebook.db.no_autoflush:
            gradebook.update_or_create_submission(assignment.name, student, extension=wanted)
        changed.append(f"{student}: {_in_words(wanted)} (before: {_in_words(known.get(student))})")
    if changed:
        more = f"\n  and {len(changed) - MOST_NAMES} more" if len(changed) > MOST_NAMES else ""
        exchange.log.info(
            "Gradebook: extensions, as the server counts lateness:\n  %s%s", "\n  ".join(changed[:MOST_NAMES]), more
        )


def _in_words(extension: timedelta | None) -> str:
    return span(extension.total_seconds()) if extension else "none"
