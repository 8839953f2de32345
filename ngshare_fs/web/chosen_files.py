"""What somebody has chosen in a browser, as it is to be stored, and why it is not."""

from collections import Counter
from collections.abc import Collection, Iterable
from itertools import islice

from ngshare_fs.formats.byte_size import size_in_words
from ngshare_fs.formats.chosen_zip import Problem, UnfitZip
from ngshare_fs.formats.file_names import is_ignored, normal, notebooks
from ngshare_fs.formats.one_line import in_one_line
from ngshare_fs.formats.released_names import ReleasedNames, twins
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import IncomingFile, check_path
from ngshare_fs.store.errors import IllegalPath
from ngshare_fs.web.frame.page import Chosen, Wrong

# The inputs: for files, for a folder, and for a zip, which is unpacked.
FILES, FOLDER, ZIP = "files", "folder", "zip"
# What nbgrader leaves out unless it is told otherwise, what our plug-ins keep in a student's folder, and what systems
# leave in folders and zips.
IGNORED = (
    ".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", ".ngshare-origin.json", ".ngshare-fs-*",
    "__MACOSX", "._*", ".DS_Store", "Thumbs.db", "desktop.ini",
)  # fmt: skip
_ABOUT_ZIPS = {
    Problem.NONE: "wrong.zip-none",
    Problem.DAMAGED: "wrong.zip-damaged",
    Problem.ENCRYPTED: "wrong.zip-encrypted",
    Problem.LINK: "wrong.zip-link",
    Problem.METHOD: "wrong.zip-method",
    Problem.MANY: "wrong.too-many",
    Problem.LARGE: "wrong.zip-large",
}
_ABOUT_LIMITS = {
    refusals.MAX_FILES: "wrong.too-many",
    refusals.MAX_REQUEST: "wrong.too-large",
    refusals.QUOTA_STUDENT: "wrong.quota-student",
    refusals.QUOTA_COURSE: "wrong.quota-course",
    refusals.QUOTA_VOLUME: "wrong.quota-volume",
}


def tidied(chosen: Chosen, released: Collection[str]) -> list[IncomingFile]:
    """The files by their paths in the assignment, under the names under which they were released.

    The name of a folder that was chosen is not a part of them, nor is that of the only folder in a zip. A notebook that
    is chosen by itself comes without its folder: it is the released one of its name, where there is one.

    Args:
        chosen: what came.
        released: paths of the newest release's files.

    Raises:
        Wrong: there is nothing, or something that cannot be stored.
    """
    names = ReleasedNames(released)
    by_name = Counter(_name_of(path) for path in notebooks(released))
    in_folders = {_name_of(path): path for path in notebooks(released) if by_name[_name_of(path)] == 1}
    found: list[IncomingFile] = []
    for field in (FILES, FOLDER, ZIP):
        files = [file for name, file in chosen if name == field]
        above = "" if field == FILES else _above_all([file.path for file in files], released)
        for file in files:
            path = names.of(file.path.removeprefix(above))
            if field == FILES:
                path = in_folders.get(normal(path), path)
            if path in released or not is_ignored(path, IGNORED):
                file.path = path
                found.append(file)
    if not found:
        raise Wrong({FILES: "wrong.no-files"})
    _check([file.path for file in found], names)
    return found


def _name_of(path: str) -> str:
    return normal(path.rpartition("/")[2])


def _above_all(paths: list[str], released: Iterable[str]) -> str:
    """The one folder in which all is, with its `/`; "" where there is none, or the release has it, too."""
    inside = [path for path in paths if not is_ignored(path, IGNORED)]
    folder, slash, _ = inside[0].partition("/") if inside else ("", "", "")
    start = folder + slash
    if not slash or folder in ("", "..") or any(path.startswith(start) for path in released):
        return ""
    return start if all(path.startswith(start) for path in inside) else ""


def _check(paths: list[str], names: ReleasedNames) -> None:
    seen: set[str] = set()
    for path in paths:
        try:
            check_path(path)
        except IllegalPath:
            raise Wrong({FILES: "wrong.path"}, {"name": in_one_line(path[:100])}) from None
        if path in seen:
            raise Wrong({FILES: "wrong.twice"}, {"name": in_one_line(path)})
        seen.add(path)
    for one, other in islice((pair for pair in twins(paths) if not names.both_released(pair)), 1):
        raise Wrong({FILES: "wrong.look-alike"}, {"name": ascii(one)[1:-1], "other": ascii(other)[1:-1]})


def explained(error: Refused | UnfitZip) -> Wrong | None:
    """What to say of files that were refused, and what can be done; None where that is not about them."""
    if isinstance(error, UnfitZip):
        is_count = error.problem is Problem.MANY
        told = {"name": in_one_line(error.name), "most": error.most if is_count else size_in_words(error.most)}
        return Wrong({ZIP: _ABOUT_ZIPS[error.problem]}, told)
    for option, key in _ABOUT_LIMITS.items():
        if option in error.limits:
            most, used = error.limits[option], error.limits.get(refusals.USED, 0)
            said = {"most": most if option == refusals.MAX_FILES else size_in_words(most), "used": size_in_words(used)}
            return Wrong({FILES: key}, said, error.refusal.status)
    if error.refusal.status >= 500 or error.refusal == refusals.TOO_SLOW:
        # Nothing is wrong with what was sent: the same can be sent again, by the same form.
        return Wrong({}, {"refusal": error.refusal}, error.refusal.status)
    return None
