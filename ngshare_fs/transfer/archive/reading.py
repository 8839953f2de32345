"""Reading an archive, and checking all of it: order, names, numbers, checksums.

What is read is not believed. A path leads nowhere but into the course that the archive says it has, and no more comes
out than it declares at its beginning, where that can be compared with the room that there is.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ngshare_fs.store.format.tree_paths import DEEPEST_PATH, LONGEST_COMPONENT
from ngshare_fs.transfer.archive.broken import BrokenArchive
from ngshare_fs.transfer.archive.checksums import Checksums
from ngshare_fs.transfer.archive.compression import decompressed
from ngshare_fs.transfer.archive.layout import DESCRIPTION, LONGEST_DESCRIPTION, SUMS, Description, order, understood
from ngshare_fs.transfer.archive.listing import is_understood
from ngshare_fs.transfer.archive.tar_stream import Header, TarReader

LONGEST_PATH = 4096
# No path of a course has more components; what is nested more deeply would end programs that walk through it.
DEEPEST = DEEPEST_PATH + 10
# What is longer is no manifest and no roster, and would have to be held in memory.
LONGEST_YAML = 64 * 2**20


class Piece(NamedTuple):
    """A file or folder of an archive.

    Args:
        path: as on the volume.
        is_folder: whether it is one.
        size: of a file, in bytes.
        content: of a file, in chunks; what is not taken of it is passed over.
    """

    path: str
    is_folder: bool
    size: int
    content: Iterator[bytes]


class ArchiveReader:
    """An open archive. Use `opened_archive`.

    Args:
        tar: what it is.
        checksums: made of what comes by.

    Attributes:
        description: what it says of itself at its beginning.

    Raises:
        BrokenArchive: it does not begin as one.
    """

    def __init__(self, tar: TarReader, checksums: Checksums) -> None:
        self._tar = tar
        self._headers = tar.headers()
        self._checksums = checksums
        header = next(self._headers, None)
        if header is None or header.path != DESCRIPTION or header.is_folder:
            raise BrokenArchive(f"it is no archive of a course: it does not begin with {DESCRIPTION}")
        if header.size > LONGEST_DESCRIPTION:
            raise BrokenArchive(f"its {DESCRIPTION} has {header.size} bytes")
        self.description = understood(b"".join(checksums.of(header.path, tar.content())))

    def pieces(self, told: Callable[[int], object] = lambda _: None) -> Iterator[Piece]:
        """What it has. Only when all of it has been taken, it is known to be whole.

        Args:
            told: of so many bytes that have come by.

        Raises:
            BrokenArchive: it is not as it says, or has what no archive of a course has.
        """
        limits = _Limits(self.description)
        walk = _Walk([self.description.folder, self.description.journal])
        for header in self._headers:
            if header.path == SUMS and not header.is_folder:
                self._end(limits)
                return
            walk.check(header)
            limits.count(header)
            if header.size > LONGEST_YAML and is_understood(header.path):
                raise BrokenArchive(f"{header.path!r} in it has {header.size} bytes")
            content = self._checksums.of(header.path, self._tar.content()) if not header.is_folder else iter(())
            piece = Piece(header.path, header.is_folder, header.size, told_of(content, told))
            yield piece
            for _ in piece.content:
                pass
        raise BrokenArchive(f"it is cut short: it does not end with {SUMS}")

    def _end(self, limits: "_Limits") -> None:
        limits.check_end()
        self._checksums.compare(self._tar.content())
        if next(self._headers, None) is not None:
            raise BrokenArchive(f"something follows behind its {SUMS}")


@contextmanager
def opened_archive(path: str) -> Iterator[ArchiveReader]:
    """Open an archive.

    Args:
        path: of the file.

    Raises:
        OSError: it cannot be read.
        BrokenArchive: it does not begin as an archive of a course.
    """
    with open(path, "rb") as file, decompressed(file) as source, Checksums() as checksums:
        yield ArchiveReader(TarReader(source), checksums)


def told_of(content: Iterable[bytes], told: Callable[[int], object]) -> Iterator[bytes]:
    """Hand chunks on, and tell of the bytes in each."""
    for chunk in content:
        told(len(chunk))
        yield chunk


class _Limits:
    """Whether there is as much as the description says, and no more.

    Args:
        description: what it says.
    """

    def __init__(self, description: Description) -> None:
        self._folders, self._files, self._size = description.folders, description.files, description.size

    def count(self, header: Header) -> None:
        self._folders -= header.is_folder
        self._files -= not header.is_folder
        self._size -= header.size
        if min(self._folders, self._files, self._size) < 0:
            raise BrokenArchive(f"it holds more than its {DESCRIPTION} says")

    def check_end(self) -> None:
        if self._folders or self._files or self._size:
            raise BrokenArchive(f"it holds less than its {DESCRIPTION} says")


class _Walk:
    """Where the way through an archive has come: each path may follow in one order only, so none comes twice.

    Args:
        roots: the folders that are in it, in their order; any of them may be left out.
    """

    def __init__(self, roots: list[str]) -> None:
        self._roots = roots
        # The folders around the present place, each with what was last in it.
        self._around: list[tuple[str, tuple[bool, bytes] | None]] = []

    def check(self, header: Header) -> None:
        path = header.path
        if header.is_folder and path in self._roots:
            del self._roots[: self._roots.index(path) + 1]
            self._around = [(path, None)]
            return
        above, _, name = path.rpartition("/")
        key = order(name, header.is_folder)
        is_too_long = len(key[1]) > LONGEST_COMPONENT or len(path) > LONGEST_PATH or path.count("/") >= DEEPEST
        if name in ("", ".", "..") or "\0" in path or is_too_long:
            raise BrokenArchive(f"{path[:200]!r} in it is no path that it could have")
        while self._around and self._around[-1][0] != above:
            self._around.pop()
        if not self._around:
            raise BrokenArchive(f"{path!r} in it lies outside of its course, or not in its order")
        last = self._around[-1][1]
        if last is not None and key <= last:
            raise BrokenArchive(f"{path!r} in it comes twice, or not in its order")
        self._around[-1] = (above, key)
        if header.is_folder:
            self._around.append((path, None))
