"""What to do when the server says no: what helps a student with nbgrader does not help whoever manages a course."""

from collections.abc import Iterator
from contextlib import contextmanager

from ngshare_fs.exchange.connection.server import Server
from ngshare_fs.exchange.failures.problems import (
    ASSIGNMENT_NOT_FOUND,
    COURSE_NOT_FOUND,
    NOT_SIGNED_IN,
    PERMISSION_DENIED,
    STUDENT_NOT_FOUND,
    TOO_LARGE,
    Refused,
    ServerProblem,
)

FOR_ADMINS = ("delete", "add_instructor", "remove_instructor")
_OF_REASON = {
    COURSE_NOT_FOUND: "Look at the spelling of its name: `ngshare-fs course list` shows the courses that you may see.",
    ASSIGNMENT_NOT_FOUND: "Look at the spelling of its name: `ngshare-fs course show` shows the course's assignments.",
    "Course already exists": "Choose another name; `ngshare-fs course show` shows what is there.",
    STUDENT_NOT_FOUND: "Look at the spelling of the user name: `ngshare-fs course show` shows the roster.",
    "Instructor not found": "Look at the spelling of the user name: `ngshare-fs course show` shows the instructors.",
    "Grader not found": "Look at the spelling of the user name: `ngshare-fs course show` shows the graders.",
    "Cannot add instructor as student": "Whoever teaches the course cannot take it, too.",
    "Cannot add instructor as grader": "Whoever teaches the course may do all that graders may.",
    "Cannot add grader as student": "Whoever grades in the course cannot take it, too: remove the grader first.",
    TOO_LARGE: "The server, or a proxy before it, takes no request of this size: tell your administrator.",
    "Insufficient storage": "The server's disk is full: tell your administrator at once.",
}
_ADMINS_ONLY = "Only admins may do this: ask your administrator."
_CREATORS_ONLY = (
    "Only admins make courses, and those whom the server's administrator has named (--course-creators): ask your "
    "administrator."
)
_NO_OTHERS = (
    "You may make courses, and teach them: leave out the others, and let an admin name them once the course is there "
    "(`ngshare-fs course add-instructor`)."
)
_OWN_ENTRY_ONLY = "Only admins name instructors: ask your administrator. An instructor may change their own entry."
_INSTRUCTORS_ONLY = (
    "Only the course's instructors and admins may do this. If you teach it, ask your administrator to make you an "
    "instructor, with your exact user name."
)
_KNOWN_BY_THE_HUB = (
    "The server asks a JupyterHub who you are: use a terminal of your own Jupyter server, or make a token on the hub's "
    "page Token, and set JUPYTERHUB_API_TOKEN to it."
)


@contextmanager
def known_to_the_server(what: str) -> Iterator[None]:
    """Say it where the server is older than a call.

    Args:
        what: the call is for.

    Raises:
        ServerProblem: it is.
    """
    try:
        yield
    except Refused as refusal:
        if not refusal.knows_no_such_call:
            raise
        raise too_old(what) from None


def too_old(what: str) -> ServerProblem:
    """The server is older than something."""
    return ServerProblem(
        f"This is an older server, which knows no {what}: ask your administrator to bring it up to date. "
        "Nothing was changed."
    )


def text_of(refusal: Refused, action: str, server: Server) -> str:
    """What happened, and what to do.

    Args:
        refusal: what the server said.
        action: the command's name, as a method is called.
        server: as it was asked.
    """
    advice = _advice(refusal, action, server)
    if advice is None:
        return str(refusal)
    return f"The exchange says: {refusal.message}. {advice}"


def _advice(refusal: Refused, action: str, server: Server) -> str | None:
    if refusal.says(PERMISSION_DENIED):
        # Said with a reason, whoever asks may make courses, but not this one.
        to_create = _NO_OTHERS if "instructors" in refusal.message else _CREATORS_ONLY
        of_action = {"create": to_create, "add_instructor": _OWN_ENTRY_ONLY}
        return of_action.get(action) or (_ADMINS_ONLY if action in FOR_ADMINS else _INSTRUCTORS_ONLY)
    if refusal.says(NOT_SIGNED_IN) and server.standalone:
        return _KNOWN_BY_THE_HUB
    return next(
        (text for reason, text in _OF_REASON.items() if refusal.says(reason)),
        None,
    )
