"""When two names of files are one, a Mac writes `Ü` as `U` and a diaeresis; and which files are what."""

import fnmatch
import os
import unicodedata
from collections.abc import Iterable


def normal(path: str) -> str:
    """The form in which names and paths are compared; what is stored and sent keeps the form it has."""
    return unicodedata.normalize("NFC", path)


def is_ignored(path: str, ignore: Iterable[str]) -> bool:
    """Whether a component of a path matches one of these globs, as nbgrader ignores whole folders.

    Args:
        path: with `/`.
        ignore: the globs.
    """
    patterns = [normal(pattern) for pattern in ignore]
    return any(fnmatch.fnmatch(part, pattern) for part in normal(path).split("/") for pattern in patterns)


def notebooks(paths: Iterable[str]) -> list[str]:
    """Those that are notebooks."""
    return [path for path in paths if os.path.splitext(path)[1] == ".ipynb"]
