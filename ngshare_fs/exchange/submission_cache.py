"""The student's own copies of what was handed in, with receipts, in nbgrader's cache.

A submission is a folder `COURSE/STUDENT+ASSIGNMENT+TIMESTAMP`, as nbgrader has it; what could be mistaken in a name is
percent-encoded.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote

from ngshare_fs.exchange.receiving import remove
from ngshare_fs.exchange.sending import CHUNK, LocalFile

RECEIPT = "ngshare_receipt.json"
TIMESTAMP = "timestamp.txt"
_REMOVED = ".ngshare_removed.json"
# A submission of which nobody knows whether it arrived is taken up again within this time.
PENDING_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Cached:
    """A submission in the cache."""

    student: str
    assignment: str
    timestamp: str
    folder: str


class SubmissionCache:
    """The cache of one user.

    Args:
        root: its folder.
    """

    def __init__(self, root: str) -> None:
        self._root = root

    def courses(self) -> list[str]:
        """The courses of which something is there."""
        try:
            names = os.listdir(self._root)
        except FileNotFoundError:
            return []
        return sorted(unquote(name) for name in names if os.path.isdir(os.path.join(self._root, name)))

    def submissions(self, course: str) -> list[Cached]:
        """What was handed in to a course."""
        found = []
        parent = self.folder_of_course(course)
        try:
            names = os.listdir(parent)
        except FileNotFoundError:
            return []
        for name in sorted(names):
            parts = name.split("+")
            if len(parts) == 3 and not name.startswith("."):
                student, assignment, timestamp = map(unquote, parts)
                found.append(Cached(student, assignment, timestamp, os.path.join(parent, name)))
        return found

    def folder_of_course(self, course: str) -> str:
        """Where the submissions to a course are."""
        return os.path.join(self._root, _escaped(course))

    def folder(self, course: str, student: str, assignment: str, timestamp: str) -> str:
        """Where a submission is."""
        name = "+".join(map(_escaped, (student, assignment, timestamp)))
        return os.path.join(self.folder_of_course(course), name)

    def forget(self, course: str, student: str, assignment: str, timestamp: str) -> None:
        """Remove a submission from the cache, so that it is not listed there any more."""
        remove(self.folder(course, student, assignment, timestamp))
        removed = sorted(self.removed() | {(course, student, assignment, timestamp)})
        os.makedirs(self._root, exist_ok=True)
        place = os.path.join(self._root, _REMOVED)
        with open(place + ".new", "w", encoding="utf-8") as file:
            json.dump(removed, file)
        os.replace(place + ".new", place)

    def removed(self) -> set[tuple[str, str, str, str]]:
        """What was removed: course, student, assignment, timestamp."""
        try:
            with open(os.path.join(self._root, _REMOVED), encoding="utf-8") as file:
                return {(str(a), str(b), str(c), str(d)) for a, b, c, d in json.load(file)}
        except (FileNotFoundError, ValueError, TypeError):
            return set()


class Pending:
    """A submission on its way. Killed or cut off, the next attempt to hand in the same files goes on with the same key.

    Args:
        cache: the cache's folder.
        what: course, assignment, and who hands in for whom.
        checksums: of the files by path.
    """

    def __init__(self, cache: str, what: Iterable[str], checksums: dict[str, str]) -> None:
        text = json.dumps([list(what), sorted(checksums.items())])
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._file = os.path.join(cache, f".ngshare_pending-{digest}")

    def key(self, fresh: str) -> str:
        """The key of the earlier attempt, or `fresh`, which is noted down."""
        try:
            if time.time() - os.stat(self._file).st_mtime < PENDING_SECONDS:
                with open(self._file, encoding="utf-8") as file:
                    known = file.read()
                if known.isalnum() and known.isascii():
                    return known
        except FileNotFoundError:
            pass
        os.makedirs(os.path.dirname(self._file), exist_ok=True)
        with open(self._file + ".new", "w", encoding="utf-8") as file:
            file.write(fresh)
        os.replace(self._file + ".new", self._file)
        return fresh

    def over(self) -> None:
        """Its fate is known."""
        if os.path.exists(self._file):
            os.unlink(self._file)


def checksums_of(files: Iterable[LocalFile]) -> dict[str, str]:
    """MD5 of local files by path."""
    found = {}
    for file in files:
        digest = hashlib.md5(usedforsecurity=False)
        with open(file.place, "rb") as content:
            while chunk := content.read(CHUNK):
                digest.update(chunk)
        found[file.path] = digest.hexdigest()
    return found


def _escaped(name: str) -> str:
    escaped = "".join(quote(character, safe="") if character in "%+/\0" else character for character in name)
    return "%2E" + escaped[1:] if escaped.startswith(".") else escaped
