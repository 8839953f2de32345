"""A zip that somebody has made anywhere: what is in it is known, and within bounds, before any of it is unpacked."""

import enum
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

_END = struct.Struct("<4s4H2LH")
_END_MARK = b"PK\5\6"
_LONGEST_COMMENT = 65_535
# Of zips with more or larger files than fit into that: where the other end is, and the other end.
_LOCATOR_SIZE = 20
_LOCATOR_MARK = b"PK\6\7"
_END_64_MARK = b"PK\6\6"
_END_64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s24x3H12x")
_ENTRY_MARK = b"PK\1\2"
_ENCRYPTED = 1
_UTF_8 = 0x800
# Made by DOS, or Windows: some of their programs write `\` between folders.
_DOS = 0

# What zipfile raises where it does not understand something; zlib's error is none of its own.
_BROKEN = (zipfile.BadZipFile, EOFError, ValueError, RuntimeError, KeyError, struct.error, zlib.error)


class Problem(enum.Enum):
    """What can be wrong with a zip."""

    NONE = "none"
    DAMAGED = "damaged"
    ENCRYPTED = "encrypted"
    LINK = "link"
    METHOD = "method"
    MANY = "many"
    LARGE = "large"


class UnfitZip(Exception):
    """A zip is not taken.

    Args:
        problem: why.
        name: of the entry that it is about; "" for the whole.
        most: the limit that it is about; 0 for none.
    """

    def __init__(self, problem: Problem, name: str = "", most: int = 0) -> None:
        super().__init__(problem, name, most)
        self.problem = problem
        self.name = name
        self.most = most


@dataclass(frozen=True)
class Entry:
    """A file in a zip.

    Args:
        path: with `/`; anything that its maker wanted.
        size: unpacked, in bytes; there is never more.
        info: what zipfile knows of it.
    """

    path: str
    size: int
    info: zipfile.ZipInfo


class ChosenZip:
    """A zip. Use `opened`.

    Args:
        archive: open.
        entries: its files, without folders.
    """

    def __init__(self, archive: zipfile.ZipFile, entries: list[Entry]) -> None:
        self.entries = entries
        self._archive = archive

    @property
    def size(self) -> int:
        """What all its files take, unpacked."""
        return sum(entry.size for entry in self.entries)

    def content(self, entry: Entry, portion: int) -> Iterator[bytes]:
        """Unpack a file.

        Args:
            portion: so many bytes at a time.

        Raises:
            UnfitZip: it is damaged, or not what the zip says.
        """
        try:
            with self._archive.open(entry.info) as source:
                while piece := source.read(portion):
                    yield piece
        except _BROKEN as error:
            raise UnfitZip(Problem.DAMAGED, entry.path) from error


@contextmanager
def opened(source: IO[bytes], most_files: int, most_bytes: int) -> Iterator[ChosenZip]:
    """Open a zip, and look at what it says is in it.

    Args:
        source: its bytes, seekable.
        most_files: how many it may have.
        most_bytes: how many they may take together, unpacked.

    Raises:
        UnfitZip: it is not taken.
    """
    _check_directory(source, most_files)
    length = source.seek(0, os.SEEK_END)
    try:
        archive = zipfile.ZipFile(source)
    except _BROKEN as error:
        raise UnfitZip(Problem.DAMAGED) from error
    with archive:
        yield ChosenZip(archive, _entries(archive, length, most_files, most_bytes))


def _entries(archive: zipfile.ZipFile, length: int, most_files: int, most_bytes: int) -> list[Entry]:
    found = []
    size = packed = 0
    for info in archive.infolist():
        path = _path_of(info)
        if path.endswith("/"):
            continue
        # Only Unix says what kind of file it is, and not always.
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise UnfitZip(Problem.LINK, path)
        if info.flag_bits & _ENCRYPTED:
            raise UnfitZip(Problem.ENCRYPTED, path)
        # The others take up to gigabytes of memory to unpack.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnfitZip(Problem.METHOD, path)
        size += info.file_size
        if size > most_bytes:
            raise UnfitZip(Problem.LARGE, most=most_bytes)
        # Entries that share their content would be unpacked again and again: of 20 MB that come to nothing, 10,000
        # times, for ten minutes.
        packed += info.compress_size
        if packed > length:
            raise UnfitZip(Problem.DAMAGED, path)
        found.append(Entry(path, info.file_size, info))
    if len(found) > most_files:
        raise UnfitZip(Problem.MANY, most=most_files)
    return found


def _path_of(info: zipfile.ZipInfo) -> str:
    # zipfile's own name ends at a NUL; the whole one is refused by whoever checks paths.
    path = info.orig_filename
    if not info.flag_bits & _UTF_8:
        # It may be in whatever its maker's system had; a Mac writes UTF-8 and does not say so.
        with suppress(UnicodeError):
            path = path.encode("cp437").decode("utf-8")
    return path.replace("\\", "/") if info.create_system == _DOS else path


def _check_directory(source: IO[bytes], most_files: int) -> None:
    """Count the entries before zipfile makes objects of all of them: a zip of 50 MB can have a million."""
    source.seek(0, os.SEEK_END)
    length = source.tell()
    start = max(0, length - _END.size - _LONGEST_COMMENT)
    source.seek(start)
    tail = source.read()
    at = tail.rfind(_END_MARK)
    if at < 0 or len(tail) - at < _END.size:
        raise UnfitZip(Problem.NONE)
    size: int = _END.unpack_from(tail, at)[5]
    end = start + at
    source.seek(max(0, end - _LOCATOR_SIZE - _END_64.size))
    other = source.read(_END_64.size + _LOCATOR_SIZE)
    if other[_END_64.size :].startswith(_LOCATOR_MARK) and other.startswith(_END_64_MARK):
        end -= len(other)
        size = _END_64.unpack_from(other)[8]
    if size > end:
        raise UnfitZip(Problem.DAMAGED)
    source.seek(end - size)
    entries = 0
    while size > 0:
        head = source.read(_ENTRY.size)
        if len(head) < _ENTRY.size or not head.startswith(_ENTRY_MARK):
            raise UnfitZip(Problem.DAMAGED)
        more = sum(_ENTRY.unpack(head)[1:])
        source.seek(more, os.SEEK_CUR)
        size -= _ENTRY.size + more
        entries += 1
        # Folders are entries, too.
        if entries > 2 * most_files:
            raise UnfitZip(Problem.MANY, most=most_files)
    source.seek(0)
