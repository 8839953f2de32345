"""When two names of files are one: a Mac writes `Ü` as `U` and a diaeresis, which looks alike and is another name."""

import fnmatch
import os
import unicodedata
from collections.abc import Iterable


def normal(path: str) -> str:
    """The form in which names and paths are compared; what is stored and sent keeps the form it has."""
    return unicodedata.normalize("NFC", path)


def without_slash(name: str) -> str:
    """The name of an assignment as it was meant: the shell completes the name of a folder with a `/`."""
    return name.rstrip("/") or name


def path_in(folder: str, path: str) -> str:
    """Where a file of this name is in a folder, or would be: with the names of files and folders that are there.

    Args:
        folder: that is here.
        path: in it, as somebody else writes it.
    """
    place = folder
    for name in path.split("/"):
        place = os.path.join(place, _name_in(place, name))
    return place


def _name_in(folder: str, name: str) -> str:
    if name.isascii() or os.path.lexists(os.path.join(folder, name)):
        return name
    try:
        there = os.listdir(folder)
    except OSError:  # not there yet
        return name
    return next((other for other in sorted(there) if normal(other) == normal(name)), name)


def is_ignored(path: str, ignore: Iterable[str]) -> bool:
    """Whether a component of a path matches one of these globs, as nbgrader ignores whole folders.

    Args:
        path: with `/`.
        ignore: the globs.
    """
    patterns = [normal(pattern) for pattern in ignore]
    return any(fnmatch.fnmatch(part, pattern) for part in normal(path).split("/") for pattern in patterns)
