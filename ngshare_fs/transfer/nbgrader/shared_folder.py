"""Reading a folder that others may write: no link is followed, nothing but plain files is read.

Whoever hands in with nbgrader owns the folder that it has made, and may put into it whatever the system allows: links
to what the reader may read, pipes that nobody ever writes to, thousands of folders in each other.
"""

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ngshare_fs.store.checking.open_folder import OpenFolder, open_volume
from ngshare_fs.transfer.foreign_tree import ForeignFile
from ngshare_fs.transfer.nbgrader.names_in_exchange import CHECKPOINTS

# Each folder that is entered is open until it is read; no work of anybody has as many in each other.
DEEPEST = 200


class SharedFolder:
    """The exchange folder, open as long as anything in it is read.

    Args:
        root: it, opened.
    """

    def __init__(self, root: OpenFolder) -> None:
        self._root = root

    @contextmanager
    def entered(self, *folders: str) -> Iterator[OpenFolder]:
        """A folder in it.

        Args:
            folders: the way to it, a name for each folder.

        Raises:
            OSError: it cannot be read, or is no folder.
        """
        with ExitStack() as stack:
            folder = self._root
            for name in folders:
                folder = stack.enter_context(folder.enter(name))
            yield folder

    def open_file(self, *way: str) -> BinaryIO:
        """Open a file in it, for reading; may be called by any thread.

        Args:
            way: the names of the folders, then that of the file.

        Raises:
            OSError: it cannot be read, or is no plain file.
        """
        *folders, name = way
        with self.entered(*folders) as folder:
            return os.fdopen(folder.open_file(name), "rb", buffering=0)

    def read_small(self, most: int, *way: str) -> bytes:
        """The content of a file, cut after so many bytes.

        Raises:
            OSError: it cannot be read, or is no plain file.
        """
        with self.open_file(*way) as file:
            content = bytearray()
            while len(content) < most and (piece := file.read(most - len(content))):
                content += piece
            return bytes(content)

    def files_of_tree(self, way: tuple[str, ...], left_out: Collection[str] = ()) -> list[ForeignFile]:
        """All that is in a tree and no folder, sorted by path. Folders without files are nothing.

        What is no plain file, or may not be read, is among them: whoever opens it gets to know.

        Args:
            way: to its folder.
            left_out: files directly in it that are not part of it.

        Raises:
            OSError: it cannot be read, or is no folder.
        """
        found: list[ForeignFile] = []
        with self.entered(*way) as folder:
            self._collect(way, folder, (), left_out, found)
        found.sort(key=lambda file: file.path)
        return found

    def bytes_of(self, *way: str) -> int:
        """How many bytes the files of a folder have together, as far as it may be read.

        Args:
            way: to the folder.
        """
        try:
            with self.entered(*way) as folder:
                return _bytes_below(folder, DEEPEST)
        except OSError:
            return 0

    def _collect(
        self,
        way: tuple[str, ...],
        folder: OpenFolder,
        inside: tuple[str, ...],
        left_out: Collection[str],
        found: list[ForeignFile],
    ) -> None:
        for name in folder.names():
            if name == CHECKPOINTS or (not inside and name in left_out):
                continue
            place = (*inside, name)
            opener: Callable[[], BinaryIO] = partial(self.open_file, *way, *place)
            if folder.is_folder(name):
                try:
                    if len(place) > DEEPEST:
                        raise OSError(errno.ELOOP, f"a folder in more than {DEEPEST} others", name)
                    with folder.enter(name) as inner:
                        self._collect(way, inner, place, left_out, found)
                    continue
                except OSError as error:
                    opener = partial(_fail, error)
            found.append(ForeignFile("/".join(place), opener))


@contextmanager
def opened_folder(path: Path) -> Iterator[SharedFolder]:
    """Open the exchange folder.

    Raises:
        OSError: it cannot be read, or is no folder.
    """
    with open_volume(str(path)) as root:
        yield SharedFolder(root)


def _fail(error: OSError) -> BinaryIO:
    raise error


def _bytes_below(folder: OpenFolder, deepest: int) -> int:
    size = 0
    for name in folder.names():
        status = folder.status(name)
        if status is not None and stat.S_ISREG(status.st_mode):
            size += status.st_size
        elif status is not None and stat.S_ISDIR(status.st_mode) and deepest:
            with suppress(OSError), folder.enter(name) as inner:
                size += _bytes_below(inner, deepest - 1)
    return size
