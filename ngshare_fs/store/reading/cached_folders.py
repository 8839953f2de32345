"""What students' folders hold, kept in memory and checked against the volume at each use.

A list of all submissions asks for thousands of folders. Looking at a folder's times takes a fraction of reading it. As
with files (see `cached_yaml`), what changed just now is read again, because a second change might not show.
"""

import os
import threading
import time
from collections import OrderedDict
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


# By folder: its inode and its change time, which follows each change in it and which nobody can set; and its
# submissions, None where the folder's name does not tell whose they are. Plain numbers: a whole `FileFingerprint` of
# each folder would make a list of 2,000 a third slower.
_Known = dict[str, tuple[int, int, list[Submission] | None]]


class CachedFolders:
    """The submissions in the folders of an assignment's students."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._count = 0
        self._guard = threading.Lock()

    def submissions_below(self, parent: str) -> tuple[list[Submission], list[str]]:
        """The submissions in the folders below `parent`, in no order, and the folders whose names were cut.

        Args:
            parent: an assignment's `submissions`: its path, by which the folders are known.

        Raises:
            FileNotFoundError: `parent` is not there (NotADirectoryError where it is no folder).
        """
        known = self._known.get(parent, {})
        keep: _Known = {}
        found: list[Submission] = []
        cut = []
        racy = time.time_ns() - RACY_NANOSECONDS
        for name, inode, changed in retry_on_estale(_folders_in, parent):
            remembered = known.get(name)
            if remembered is None or remembered[0] != inode or remembered[1] != changed:
                remembered = (inode, changed, _submissions_in(parent, name))
            if changed < racy:
                keep[name] = remembered
            if remembered[2] is None:
                cut.append(name)
            else:
                found += remembered[2]
        self._keep(parent, keep)
        return found, cut

    def _keep(self, parent: str, folders: _Known) -> None:
        with self._guard:
            self._count += len(folders) - len(self._known.pop(parent, ()))
            self._known[parent] = folders
            while self._count > MOST_FOLDERS:
                _, forgotten = self._known.popitem(last=False)
                self._count -= len(forgotten)


def _folders_in(parent: str) -> list[tuple[str, int, int]]:
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


def _submissions_in(parent: str, folder: str) -> list[Submission] | None:
    if names.is_cut(folder):
        return None
    student = names.name_of(folder)
    if student is None:
        return []
    return [Submission(student, moment) for moment in timestamps_in(f"{parent}/{folder}")]


def timestamps_in(folder: str) -> list[Timestamp]:
    """The timestamps of the trees in a folder, oldest first; none where the folder is missing."""
    try:
        names = retry_on_estale(os.listdir, folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    if len(names) == 1:
        only = timestamp.from_folder(names[0])
        return [] if only is None else [only]
    return sorted(moment for name in names if (moment := timestamp.from_folder(name)) is not None)
