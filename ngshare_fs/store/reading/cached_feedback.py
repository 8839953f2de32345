"""When feedback was given to a class, kept in memory and checked against the volume at each use.

A table of a course asks it of thousands of submissions. To look at a folder's change time takes a fraction of listing
it, and most submissions to what was not graded yet have no such folder at all.
"""

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping

from ngshare_fs.store.files.estale import retry_on_estale
from ngshare_fs.store.format import layout, names, timestamp
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading.cached_folders import Submission, timestamps_in
from ngshare_fs.store.reading.fingerprint import RACY_NANOSECONDS

# Submissions with feedback that may be kept, of all assignments together: some 8 MiB.
MOST_SUBMISSIONS = 20_000

# The inode and the change time of the folder of feedback, and the newest that is in it.
_Known = tuple[int, int, Timestamp | None]


class CachedFeedback:
    """The newest feedback on the submissions to an assignment."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Mapping[Submission, _Known]] = OrderedDict()
        self._count = 0
        self._guard = threading.Lock()

    def given_on(self, parent: str, submissions: Iterable[Submission]) -> dict[Submission, Timestamp]:
        """When the newest feedback on each was given; those without any are left out.

        Args:
            parent: an assignment's `submissions`: its path, by which they are known.
            submissions: of that assignment; one that is gone has none.
        """
        known = self._known.get(parent, {})
        racy = time.time_ns() - RACY_NANOSECONDS
        looked_at: dict[Submission, _Known] = {}
        found: dict[Submission, Timestamp] = {}
        try:
            # Relative to the open folder: the way to it is looked up once, not for each.
            descriptor = retry_on_estale(os.open, parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return found
        try:
            for each in submissions:
                folder = f"{names.folder_of(each[0])}/{timestamp.folder_of(each[1])}/{layout.FEEDBACK}"
                try:
                    status = os.stat(folder, dir_fd=descriptor)
                except (FileNotFoundError, NotADirectoryError):
                    continue
                entry = known.get(each)
                if entry is None or entry[:2] != (status.st_ino, status.st_ctime_ns):
                    moments = timestamps_in(f"{parent}/{folder}")
                    entry = status.st_ino, status.st_ctime_ns, moments[-1] if moments else None
                if status.st_ctime_ns < racy:
                    looked_at[each] = entry
                if entry[2] is not None:
                    found[each] = entry[2]
        finally:
            os.close(descriptor)
        self._keep(parent, {**known, **looked_at})
        return found

    def _keep(self, parent: str, known: Mapping[Submission, _Known]) -> None:
        with self._guard:
            self._count += len(known) - len(self._known.pop(parent, {}))
            self._known[parent] = known
            while self._count > MOST_SUBMISSIONS and len(self._known) > 1:
                _, forgotten = self._known.popitem(last=False)
                self._count -= len(forgotten)
            if self._count > MOST_SUBMISSIONS:
                self._known.clear()
                self._count = 0
