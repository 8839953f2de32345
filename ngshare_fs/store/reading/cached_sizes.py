"""What students' submissions take, kept in memory and checked against the volume at each use.

Each submission to a course with a quota asks for all that its student has handed in there. A folder of trees changes
whenever one comes or goes, and a tree never does; so what a folder takes hangs on its change time alone.
"""

import contextlib
import os
import threading
import time
from collections import OrderedDict

from ngshare_fs.store.errors import BrokenManifest
from ngshare_fs.store.files.estale import retry_on_estale
from ngshare_fs.store.format import timestamp
from ngshare_fs.store.reading.cached_folders import timestamps_in
from ngshare_fs.store.reading.fingerprint import RACY_NANOSECONDS
from ngshare_fs.store.reading.tree_size import size_of_tree

# Folders that may be kept: some 5 MiB.
MOST_FOLDERS = 20_000


class CachedSizes:
    """The bytes of all trees in a folder."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[int, int, int]] = OrderedDict()
        self._guard = threading.Lock()

    def bytes_in(self, folder: str) -> int:
        """What the trees in a folder take, without the feedback on them; nothing where it is missing.

        A tree that cannot be read counts as nothing.

        Args:
            folder: its path, by which it is known.
        """
        seen = time.time_ns()
        try:
            status = retry_on_estale(os.stat, folder)
        except (FileNotFoundError, NotADirectoryError):
            return 0
        known = self._known.get(folder)
        if known is not None and known[:2] == (status.st_ino, status.st_ctime_ns):
            return known[2]
        found = sum(_bytes_of(f"{folder}/{timestamp.folder_of(moment)}") for moment in timestamps_in(folder))
        if seen - status.st_ctime_ns > RACY_NANOSECONDS:
            with self._guard:
                self._known[folder] = (status.st_ino, status.st_ctime_ns, found)
                if len(self._known) > MOST_FOLDERS:
                    self._known.popitem(last=False)
        return found


def _bytes_of(tree: str) -> int:
    with contextlib.suppress(BrokenManifest, OSError):
        return size_of_tree(tree).bytes
    return 0
