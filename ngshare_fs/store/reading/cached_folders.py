"""What students' folders hold, kept in memory and checked against the volume at each use.

A list of all submissions asks for thousands of folders. Looking at a folder's times takes a fraction of reading it. As
with files (see `cached_yaml`), what changed just now is read again, because a second change might not show.
"""

import os
import threading
import time
from collections import OrderedDict
from operator import attrgetter
from typing import NamedTuple

from ngshare_fs.store.files.estale import retry_on_estale
from ngshare_fs.store.format import names, timestamp
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading.fingerprint import RACY_NANOSECONDS

# Folders of students that may be kept, of all lists together: some 8 MiB.
MOST_FOLDERS = 20_000


class Submission(NamedTuple):
    """An entry of a list of submissions."""

    student: str
    timestamp: Timestamp


_TIME = attrgetter("timestamp")
# A folder's name, its inode and its change time, which follows each change in it and which nobody can set. Plain
# numbers: a whole `FileFingerprint` of each folder would make a list of 2,000 a third slower.
_Folder = tuple[str, int, int]


class _Known(NamedTuple):
    """What was found below a folder.

    Args:
        folders: those that had not changed just then, and what is in them; None where the name was cut.
        looked_at: all that were there, in the order of the folder.
        found: the submissions in all of them, oldest first.
        cut: the folders whose names were cut.
    """

    folders: dict[_Folder, list[Submission] | None]
    looked_at: list[_Folder]
    found: tuple[Submission, ...]
    cut: tuple[str, ...]


_NOTHING = _Known({}, [], (), ())


class CachedFolders:
    """The submissions in the folders of an assignment's students."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._count = 0
        self._guard = threading.Lock()

    def submissions_below(self, parent: str) -> tuple[tuple[Submission, ...], tuple[str, ...]]:
        """The submissions in the folders below `parent`, oldest first, and the folders whose names were cut.

        Args:
            parent: an assignment's `submissions`: its path, by which the folders are known.

        Raises:
            FileNotFoundError: `parent` is not there (NotADirectoryError where it is no folder).
        """
        known = self._known.get(parent, _NOTHING)
        racy = time.time_ns() - RACY_NANOSECONDS
        looked_at = retry_on_estale(_folders_in, parent)
        if looked_at != known.looked_at or len(known.folders) != len(looked_at):
            known = retry_on_estale(_looked_into, parent, looked_at, known, racy)
        self._keep(parent, known)
        return known.found, known.cut

    def _keep(self, parent: str, known: _Known) -> None:
        with self._guard:
            self._count += len(known.looked_at) - len(self._known.pop(parent, _NOTHING).looked_at)
            self._known[parent] = known
            while self._count > MOST_FOLDERS:
                _, forgotten = self._known.popitem(last=False)
                self._count -= len(forgotten.looked_at)


def _looked_into(parent: str, looked_at: list[_Folder], known: _Known, racy: int) -> _Known:
    """Look into the folders that are not known, or have changed since."""
    folders: dict[_Folder, list[Submission] | None] = {}
    found: list[Submission] = []
    cut = []
    # As in `_folders_in`; on NFS the whole way to each of them would be asked of the file server.
    descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for folder in looked_at:
            name, _, changed = folder
            submissions = known.folders[folder] if folder in known.folders else _submissions_in(name, descriptor)
            if changed < racy:
                folders[folder] = submissions
            if submissions is None:
                cut.append(name)
            else:
                found += submissions
    finally:
        os.close(descriptor)
    found.sort(key=_TIME)
    return _Known(folders, looked_at, tuple(found), tuple(cut))


def _folders_in(parent: str) -> list[_Folder]:
    """Of each folder in `parent` its name, inode and change time in nanoseconds since 1970."""
    found = []
    # Relative to the open folder: the way to it is looked up once, not for each.
    descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                try:
                    status = entry.stat()
                except FileNotFoundError:
                    continue
                found.append((entry.name, status.st_ino, status.st_ctime_ns))
    finally:
        os.close(descriptor)
    return found


def _submissions_in(folder: str, parent: int) -> list[Submission] | None:
    if names.is_cut(folder):
        return None
    student = names.name_of(folder)
    if student is None:
        return []
    try:
        inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=parent)
    except (FileNotFoundError, NotADirectoryError):
        return []
    try:
        return [Submission(student, moment) for moment in _timestamps_among(os.listdir(inner))]
    finally:
        os.close(inner)


def timestamps_in(folder: str) -> list[Timestamp]:
    """The timestamps of the trees in a folder, oldest first; none where the folder is missing."""
    try:
        return _timestamps_among(retry_on_estale(os.listdir, folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _timestamps_among(names: list[str]) -> list[Timestamp]:
    if len(names) == 1:
        only = timestamp.from_folder(names[0])
        return [] if only is None else [only]
    return sorted(moment for name in names if (moment := timestamp.from_folder(name)) is not None)
