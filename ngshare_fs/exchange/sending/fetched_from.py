"""A folder that is about to be handed in, and where it says it was fetched from."""

from collections.abc import Iterable, Mapping
from shlex import quote

from ngshare_fs.exchange.failures.problems import ServerProblem
from ngshare_fs.exchange.folders.origin import ORIGIN, Origin
from ngshare_fs.formats.file_names import is_ignored, normal, notebooks

NEWER_RELEASE = (
    "A newer release of {assignment} than the one that you have fetched is there. Your work is handed in as it is; to "
    "see what is new, rename this folder, fetch the assignment again, and take your work over into it."
)
_ON_PURPOSE = (
    f"If you mean it, add --ExchangeSubmit.ignore_origin=True (or remove the file {ORIGIN}, which says where the "
    "folder comes from)."
)


def assignment_of(origin: Origin, assignment: str) -> str:
    """The name of the assignment as it was released.

    Args:
        origin: what the folder says of itself.
        assignment: as which it is to be handed in.

    Raises:
        ServerProblem: the folder was fetched as another assignment.
    """
    if normal(origin.assignment) == normal(assignment):
        return origin.assignment
    raise ServerProblem(
        f"This folder was fetched as the assignment {origin.assignment}, not "
        f"{assignment}. Give it the name {origin.assignment}, and hand that in. {_ON_PURPOSE}"
    )


def check_course(origin: Origin, course: str) -> None:
    """Heed from which course it was fetched.

    Args:
        origin: what the folder says of itself.
        course: to which it is to be handed in.

    Raises:
        ServerProblem: it was another one.
    """
    if normal(origin.course) != normal(course):
        where = f"{quote(origin.assignment)} --course {quote(origin.course)}"
        raise ServerProblem(
            f"This folder was fetched from the course {origin.course}, not {course}. "
            f"To hand it in where it comes from: nbgrader submit {where}. "
            f"To work for {course}, rename the folder and fetch the assignment from there. {_ON_PURPOSE}"
        )


def expected_notebooks(origin: Origin | None, released: Iterable[str], ignore: Iterable[str]) -> list[str]:
    """The notebooks of the release that a student can have: what is never fetched is not missed.

    Other programs release what ours leave out, such as the notebook editor's own copies in `.ipynb_checkpoints`; the
    student's editor makes some of the same name.

    Args:
        origin: what the folder says of itself; what was fetched is expected, whatever is ignored by now.
        released: paths of the release's files.
        ignore: globs of what is never fetched.
    """
    fetched, patterns = origin.files if origin else {}, list(ignore)
    return [path for path in notebooks(released) if path in fetched or not is_ignored(path, patterns)]


def is_newer(origin: Origin, timestamp: str | None, released: Mapping[str, str], ignore: Iterable[str]) -> bool:
    """Whether the newest release is another one than that which was fetched.

    Args:
        origin: what the folder says of itself.
        timestamp: of the newest release; None where an older server does not say.
        released: checksums of its files by path.
        ignore: globs of what is never fetched.
    """
    if timestamp is not None and origin.timestamp is not None:
        return timestamp > origin.timestamp
    patterns = list(ignore)
    mine = {path: origin.files[path] for path in notebooks(origin.files) if not is_ignored(path, patterns)}
    newest = {path: released[path] for path in notebooks(released) if not is_ignored(path, patterns)}
    return mine != newest
