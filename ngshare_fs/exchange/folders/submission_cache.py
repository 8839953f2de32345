"""The student's own copies of what was handed in, with receipts, in nbgrader's cache.

A submission is a folder `COURSE/STUDENT+ASSIGNMENT+TIMESTAMP`, as nbgrader has it; what could be mistaken in a name is
percent-encoded.
"""

import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import quote, unquote

from ngshare_fs.exchange.folders.replacing import SCRATCH, remove
from ngshare_fs.formats import receipt as receipt_file
from ngshare_fs.formats.receipt import Receipt

TIMESTAMP = "timestamp.txt"
_REMOVED = ".ngshare_removed.json"
# A submission of which nobody knows whether it arrived is taken up again within this time.
PENDING_SECONDS = 24 * 3600


class Cached(NamedTuple):
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
        folders = [name for name in names if os.path.isdir(os.path.join(self._root, name))]
        return sorted(unquote(name) for name in folders if not name.startswith("."))

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
        """Where a submission is.

        Args:
            course, student, assignment, timestamp: which one.
        """
        name = "+".join(map(_escaped, (student, assignment, timestamp)))
        return os.path.join(self.folder_of_course(course), name)

    def keep(self, tree: str, receipt: Receipt) -> str:
        """Keep what was handed in, and the receipt.

        Args:
            tree: the copy; it is moved, and has to be on the same disk.
            receipt: the server's.

        Returns:
            where the receipt is.
        """
        with open(_free_name(tree, receipt_file.NAME), "w", encoding="utf-8") as file:
            file.write(receipt.to_json())
        # nbgrader has the time there; a file or folder of the student's is part of the work, and stays.
        if not os.path.lexists(os.path.join(tree, TIMESTAMP)):
            with open(os.path.join(tree, TIMESTAMP), "w", encoding="utf-8") as time_file:
                time_file.write(receipt.timestamp)
        folder = self.folder(receipt.course, receipt.student, receipt.assignment, receipt.timestamp)
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        if not os.path.exists(folder):  # a repetition may have left it there
            os.rename(tree, folder)
        return os.path.join(folder, os.path.basename(file.name))

    def forget(self, course: str, student: str, assignment: str, timestamp: str) -> None:
        """Remove a submission from the cache, so that it is not listed there any more.

        Args:
            course, student, assignment, timestamp: which one.
        """
        # Handed in to an older server, it has no zone here.
        for written in {timestamp, timestamp.removesuffix(" UTC")}:
            remove(self.folder(course, student, assignment, written))
        removed = sorted(self.removed() | {(course, student, assignment, timestamp)})
        _write(os.path.join(self._root, _REMOVED), json.dumps(removed))

    def removed(self) -> set[tuple[str, str, str, str]]:
        """What was removed: course, student, assignment, timestamp."""
        try:
            with open(os.path.join(self._root, _REMOVED), encoding="utf-8") as file:
                return {(str(a), str(b), str(c), str(d)) for a, b, c, d in json.load(file)}
        except (FileNotFoundError, ValueError, TypeError):
            return set()


class Attempt(NamedTuple):
    """By what the server knows an attempt to hand in again.

    Args:
        key: chosen at random.
        after: the newest submission that was known when it was chosen: where the server begins to look for the key.
            Empty where none was known.
    """

    key: str
    after: str


class Pending:
    """A submission on its way. Killed or cut off, the next attempt to hand in the same files goes on with the same key.

    There is one for each assignment: other files make the earlier attempt a thing of the past, lest its key, used later
    for files that were changed back, should bring the old timestamp.

    Args:
        cache: the cache's folder.
        what: course, assignment, and who hands in for whom.
        checksums: of the files by path.
    """

    def __init__(self, cache: str, what: Iterable[str], checksums: dict[str, str]) -> None:
        self._files = _digest(sorted(checksums.items()))
        self._file = os.path.join(cache, f".ngshare_pending-{_digest(list(what))}")

    def attempt(self, fresh: Attempt) -> Attempt:
        """The earlier attempt, or `fresh`, which is noted down.

        Args:
            fresh: chosen for the case that there is none.
        """
        earlier, files = self._noted()
        if files == self._files:
            return earlier
        _write(self._file, f"{fresh.key} {self._files} {fresh.after}\n")
        return fresh

    @property
    def may_have_arrived(self) -> bool:
        """Whether an earlier attempt with these files was made whose fate is not known."""
        return self._noted()[1] == self._files

    def over(self) -> None:
        """Its fate is known. What another command has noted down meanwhile of other files stays."""
        if self._noted()[1] == self._files:
            with suppress(FileNotFoundError):
                os.unlink(self._file)

    def _noted(self) -> tuple[Attempt, str]:
        """The last attempt and what it handed in; empty where there was none that still counts."""
        try:
            if time.time() - os.stat(self._file).st_mtime < PENDING_SECONDS:
                with open(self._file, encoding="utf-8") as file:
                    key, files, *after = file.read().split(maxsplit=2)
                return Attempt(key, after[0].strip() if after else ""), files
        except (FileNotFoundError, ValueError):
            pass
        return Attempt("", ""), ""


def _free_name(folder: str, name: str) -> str:
    """A place in a folder for a file of this name, or of one like it where the student's own work has that."""
    start, end = os.path.splitext(name)
    place, number = os.path.join(folder, name), 1
    while os.path.lexists(place):
        number += 1
        place = os.path.join(folder, f"{start}-{number}{end}")
    return place


def _write(place: str, text: str) -> None:
    """Put a file in place whole, also beside another command that does so at the same moment."""
    folder = os.path.dirname(place)
    os.makedirs(folder, exist_ok=True)
    new = os.path.join(folder, SCRATCH + secrets.token_hex(8))
    try:
        with open(new, "x", encoding="utf-8") as file:
            file.write(text)
        os.replace(new, place)
    except BaseException:
        remove(new)
        raise


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:32]


def _escaped(name: str) -> str:
    escaped = "".join(quote(character, safe="") if character in "%+/\0" else character for character in name)
    return "%2E" + escaped[1:] if escaped.startswith(".") else escaped
