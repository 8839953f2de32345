"""What a user sees: courses, assignments, and submissions."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ngshare_fs.exchange.connection.dates import Dates, dates_in
from ngshare_fs.exchange.receiving.received_tree import check_timestamp

NOTEBOOK = ".ipynb"


class Submission(NamedTuple):
    """A submission in a list.

    Args:
        assignment, student, timestamp: which it is.
        notebooks: names without `.ipynb`; None where they are not known.
        has_feedback: whether there is some.
        feedback: checksums of its files by path; None where they are not known.
        late_seconds: by how much it is late, by the student's own dates; 0 in time, None where nothing is due, or an
            older server does not say.
    """

    assignment: str
    student: str
    timestamp: str
    notebooks: tuple[str, ...] | None
    has_feedback: bool
    feedback: dict[str, str] | None
    late_seconds: int | None = None


class Assignment(NamedTuple):
    """An assignment in a list.

    Args:
        notebooks: of its newest release, names without `.ipynb`.
        timestamp: of that release; None where an older server does not say.
        withdrawn: the release was taken back: students do not see it.
        dates: as they apply to the user; None where it has none.
    """

    notebooks: tuple[str, ...]
    timestamp: str | None = None
    withdrawn: bool = False
    dates: Dates | None = None


class Course(NamedTuple):
    """A course in a list.

    Args:
        name: its name.
        role: `instructor`, `grader`, `student` or `admin`; empty where an older server does not say.
        assignments: by name.
        submissions: the user's own, or everybody's.
    """

    name: str
    role: str
    assignments: dict[str, Assignment]
    submissions: tuple[Submission, ...]

    @property
    def is_taken(self) -> bool:
        """Whether the user takes it or grades in it; whoever teaches it may do more."""
        return self.role in ("student", "grader")


class Listing(NamedTuple):
    """What a user sees.

    Args:
        user: the name under which the server knows them.
        courses: sorted.
    """

    user: str
    courses: tuple[Course, ...]


def course_of(entry: Mapping[str, Any]) -> Course:
    """A course, as `GET listing` answers it.

    Args:
        entry: of the answer's `courses`.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: it is none.
        UntrustworthyAnswer: a timestamp in it is none.
    """
    assignments = {str(each["assignment_id"]): _assignment(each) for each in entry["assignments"]}
    return Course(str(entry["course_id"]), entry["role"], assignments, tuple(map(_submission, entry["submissions"])))


def _assignment(entry: Mapping[str, Any]) -> Assignment:
    timestamp = entry.get("timestamp")
    return Assignment(
        tuple(map(str, entry["notebooks"])),
        None if timestamp is None else check_timestamp(timestamp),
        entry.get("withdrawn") is True,
        dates_in(entry),
    )


def _submission(entry: Mapping[str, Any]) -> Submission:
    notebooks, given, late = entry["notebooks"], entry["feedback"], entry.get("late_seconds")
    checksums = None
    if given is not None and given["files"] is not None:
        checksums = {str(file["path"]): file["checksum"] for file in given["files"]}
    return Submission(
        str(entry["assignment_id"]),
        str(entry["student_id"]),
        check_timestamp(entry["timestamp"]),
        None if notebooks is None else tuple(map(str, notebooks)),
        given is not None,
        checksums,
        None if late is None else int(late),
    )


def submissions_in(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Students and timestamps, as `GET submissions` answers them.

    Args:
        answer: the server's.

    Raises:
        KeyError, TypeError: they are not there.
        UntrustworthyAnswer: a timestamp is none.
    """
    return [(str(entry["student_id"]), check_timestamp(entry["timestamp"])) for entry in answer["submissions"]]


def checksums_in(answer: Mapping[str, Any]) -> dict[str, str]:
    """Checksums of files by path, of an answer with `list_only`.

    Args:
        answer: the server's.

    Raises:
        KeyError, TypeError: they are not there.
    """
    return {str(file["path"]): str(file["checksum"]) for file in answer["files"]}


def notebook_names(paths: Iterable[str]) -> tuple[str, ...]:
    """The names, without their ending, of the notebooks that are in no folder."""
    return tuple(path.removesuffix(NOTEBOOK) for path in paths if path.endswith(NOTEBOOK) and "/" not in path)
