"""What can go wrong between us and the server, in words that say what to do about it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ngshare_fs.exchange.jupyter.inside_jupyter import is_inside

NOT_SIGNED_IN = "Please sign in"
PERMISSION_DENIED = "Permission denied"
COURSE_NOT_FOUND = "Course not found"
ASSIGNMENT_NOT_FOUND = "Assignment not found"
ASSIGNMENT_EXISTS = "Assignment already exists"
STUDENT_NOT_FOUND = "Student not found"
SUBMISSION_NOT_FOUND = "Submission not found"
CLOSED = "Assignment is closed"
BROKEN = "Course data cannot be read"
TOO_LARGE = "Request too large"
QUOTA_REACHED = "Quota reached"
MORE_TIME = (
    "Nothing of it was stored; your files stay as they are. If you need more time, ask your instructor for an "
    "extension, and submit again."
)
# Said on the command line, nobody is asked before something is removed.
YES = "--ExchangeList.yes=True"

_ADVICE = {
    NOT_SIGNED_IN: (
        "You are not signed in to the exchange. Stop your server and start it again from the hub's control panel; "
        "if that does not help, tell your administrator."
    ),
    "Please supply user": (
        "It runs without a JupyterHub and knows no tokens. Tell your administrator to run it as a service of the hub; "
        "for a trial, unset JUPYTERHUB_API_TOKEN."
    ),
    PERMISSION_DENIED: (
        "You may not do this in this course. If you take or teach it, ask your instructor to add you with your exact "
        "user name."
    ),
    COURSE_NOT_FOUND: "Look at the spelling of the course's name; if it is right, tell your instructor.",
    ASSIGNMENT_NOT_FOUND: "It is not released yet, or was taken back: look at the list of assignments again.",
    CLOSED: MORE_TIME,
    STUDENT_NOT_FOUND: "Look at the spelling of the user name, and whether it is on the course's roster.",
    SUBMISSION_NOT_FOUND: "The server has no such submission (any more).",
    TOO_LARGE: (
        "The files are more than the server takes at once: remove large data files and folders with very many files, "
        "and try again."
    ),
    "Illegal path": "A file's name cannot be stored: rename files with odd names, and try again.",
    "Insufficient storage": "The server's disk is full. Tell your instructor at once, and try again later.",
    QUOTA_REACHED: "Nothing of it was stored.",
    "Checksum does not match": "The files were damaged on the way. Try again.",
    "Content cannot be base64 decoded": "The files were damaged on the way. Try again.",
    "Not Found": (
        "There is no exchange at this address: look at the URL in nbgrader_config.py, or tell your administrator."
    ),
}
_OF_STATUS = {
    401: _ADVICE[NOT_SIGNED_IN],
    404: _ADVICE["Not Found"],
    413: _ADVICE[TOO_LARGE],
    500: "The server failed. Try again; if it goes on, tell your administrator.",
}


class ServerProblem(Exception):
    """The server did not do what it was asked for. The text says what happened, and what to do."""


class Unreachable(ServerProblem):
    """No answer could be had; nobody knows whether the request has done its work.

    Args:
        url: of the server.
        reason: what happened last.
        seconds: how long was waited for it.
        advice: what else to do.
    """

    def __init__(self, url: str, reason: str, seconds: float, advice: str = "") -> None:
        said = (
            f"The exchange at {url} cannot be reached: {reason} (waited for {seconds:.0f} s). {advice} "
            "Try again in some minutes; if it goes on, tell your instructor or administrator."
        )
        if is_inside():
            said += " JupyterLab cannot wait any longer; the same command of nbgrader in a terminal can."
        super().__init__(said.replace("  ", " "))


class Refused(ServerProblem):
    """The server said no.

    Args:
        status: HTTP status.
        message: its reason; empty where it gave none that we understand.
        url: of the server.
        circumstances: what else is known, in a sentence.
        advice: what to do; where empty, what the reason wants.
    """

    def __init__(self, status: int, message: str, url: str, circumstances: str = "", advice: str = "") -> None:
        self.status = status
        self.message = message
        reason = message.partition(" (")[0]
        advice = advice or _ADVICE.get(reason) or _OF_STATUS.get(status, "")
        said = f"The exchange says: {message}." if message else f"{url} answers HTTP {status}, and not as an exchange."
        super().__init__(" ".join(part for part in (said, circumstances, advice) if part))

    def says(self, *messages: str) -> bool:
        """Whether its reason is one of these.

        Args:
            messages: as the server has them, without what it adds in brackets.
        """
        return self.message.partition(" (")[0] in messages

    @property
    def knows_no_such_call(self) -> bool:
        """Whether this is an older server that does not have the call: ngshare 0.6.0, or one before it."""
        return self.status == 405 or (self.status == 404 and self.message in ("", "Not Found"))


def limit_in_words(answer: Mapping[str, object]) -> str:
    """What to do where an answer says which limit was passed; empty where it does not.

    Args:
        answer: the server's refusal.
    """
    files, size = answer.get("max_files"), answer.get("max_request")
    if isinstance(files, int):
        return f"These are too many files: at most {files:,} are taken at once. Remove some, and try again."
    if isinstance(size, int):
        return f"At most {size / 1e6:,.1f} MB are taken at once: remove large data files, and try again."
    return ""


class UntrustworthyAnswer(ServerProblem):
    """What came is not what the server has, or would do harm; nothing of it was used."""


@contextmanager
def well_formed(url: str) -> Iterator[None]:
    """An answer lacks what it has to have: say so, and not by a traceback.

    Args:
        url: of the server.

    Raises:
        UntrustworthyAnswer: what was looked for in the answer is not there, or is something else.
    """
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UntrustworthyAnswer(
            f"{url} answers, but not as an exchange does: look at the URL in nbgrader_config.py, or tell your "
            "administrator."
        ) from None
