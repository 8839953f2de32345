"""What the plug-ins do where the server is ngshare 0.6.0, or an ngshare before it.

It has none of the calls that came later: a list of everything, a class's submissions at once, another release of an
assignment, taking one back, removing one submission, dates. And it finds no submission by a time that is followed by
its zone.

Every server of ours has all of that. Once nobody uses these plug-ins with an ngshare any more, this module can go, with
the lines that name it and those that ask whether a refusal `knows_no_such_call`.
"""

from shlex import quote

from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.connection.listing import (
    Assignment,
    Course,
    Listing,
    Submission,
    checksums_in,
    notebook_names,
    submissions_in,
)
from ngshare_fs.exchange.failures.problems import (
    PERMISSION_DENIED,
    STUDENT_NOT_FOUND,
    SUBMISSION_NOT_FOUND,
    YES,
    Refused,
    ServerProblem,
    well_formed,
)


def without_zone(timestamp: str) -> str:
    """A timestamp as it understands it; every server of ours takes it for the same moment."""
    return timestamp.removesuffix(" UTC")


def no_new_release(course: str, assignment: str) -> ServerProblem:
    """What to raise where an assignment was to be released again.

    Args:
        course, assignment: of which.
    """
    return ServerProblem(
        "This exchange cannot release an assignment again without destroying what was handed in. Nothing was done. To "
        f"do so nevertheless, remove it first: {_removal_of(course, assignment)}"
    )


def no_removal_of_submissions() -> ServerProblem:
    """What to raise where a submission was to be removed."""
    return ServerProblem("This exchange cannot remove single submissions. Nothing was done.")


def no_dates() -> ServerProblem:
    """What to raise where an assignment was to be there from a date on."""
    return ServerProblem(
        "This exchange is an older one, which knows no dates: students would see the assignment at once. Nothing was "
        "done. Release it when they are to see it."
    )


def no_taking_back(course: str, assignment: str) -> str:
    """What to say where an assignment was to be taken back.

    Args:
        course, assignment: which one.
    """
    return (
        f"This exchange is an older one: it can take {assignment} of {course} back only together with all that was "
        "handed in. Nothing was done. If you want that, collect what was handed in, and run in a terminal: "
        f"{_removal_of(course, assignment)}"
    )


def no_submission_for_students(course: str) -> ServerProblem:
    """What to raise where somebody's own submission was refused to them.

    Args:
        course: to which it was handed in.
    """
    return ServerProblem(
        f"The exchange does not give you this submission. If you take {course}, then it is an older exchange, which "
        "gives submissions to instructors only: ask your instructor to send you yours."
    )


def _removal_of(course: str, assignment: str) -> str:
    """The command that removes an assignment and nothing else."""
    return f"nbgrader list --remove {quote(assignment)} --course {quote(course)} {YES}"


def listing(client: Client, user: str, only: str, everybody: bool) -> Listing:
    """The list of everything, by a call for each part of it.

    Args:
        client: makes the calls.
        user: whose submissions are listed.
        only: the one course that is wanted; all where empty.
        everybody: list all submissions to the courses that the user teaches.

    Raises:
        ServerProblem: a part cannot be had.
    """
    courses = []
    for course in _names(client, "courses", "courses"):
        if only not in ("", course):
            continue
        assignments: dict[str, Assignment] = {}
        submissions: list[Submission] = []
        for assignment in _names(client, "assignments", "assignments", course):
            released = _files(client, "assignment", course, assignment)
            assignments[assignment] = Assignment(notebook_names(released))
            for student, moment in _submissions(client, course, assignment, user, everybody):
                feedback = _feedback(client, course, assignment, student, moment)
                submissions.append(Submission(assignment, student, moment, None, bool(feedback), feedback))
        courses.append(Course(course, "", assignments, tuple(submissions)))
    return Listing(user, tuple(courses))


def _submissions(client: Client, course: str, assignment: str, user: str, everybody: bool) -> list[tuple[str, str]]:
    """Students and timestamps: everybody's where that is wanted and allowed, else the user's."""
    path = ("submissions", course, assignment)
    if everybody:
        try:
            return _handed_in(client, *path)
        except Refused as refusal:
            if not refusal.says(PERMISSION_DENIED):
                raise
    try:
        return _handed_in(client, *path, user)
    except Refused as refusal:
        if refusal.says(STUDENT_NOT_FOUND, PERMISSION_DENIED):
            return []
        raise


def _handed_in(client: Client, *path: str) -> list[tuple[str, str]]:
    answer = client.call("GET", *path)
    with well_formed(client.server.url):
        return submissions_in(answer)


def _feedback(client: Client, course: str, assignment: str, student: str, timestamp: str) -> dict[str, str]:
    path = ("feedback", course, assignment, student)
    try:
        return _files(client, *path, timestamp=timestamp)
    except Refused as refusal:
        if refusal.says(STUDENT_NOT_FOUND, SUBMISSION_NOT_FOUND):
            return {}
        raise


def _files(client: Client, *path: str, **query: str) -> dict[str, str]:
    """Checksums of a tree's files, by path."""
    answer = client.call("GET", *path, query={**query, "list_only": "true"})
    with well_formed(client.server.url):
        return checksums_in(answer)


def _names(client: Client, of: str, *path: str) -> list[str]:
    answer = client.call("GET", *path)
    with well_formed(client.server.url):
        return [str(name) for name in answer[of]]
