"""Tar as a stream: what `tar` understands, in constant memory, and of what it could mean only files and folders.

Headers are the library's. Its reader is not used: it holds all that it has read in memory, believes the sizes of
headers, and knows links, devices and sparse files, none of which an archive of a course has.
"""

import tarfile
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from ngshare_fs.transfer.archive.broken import BrokenArchive
from ngshare_fs.transfer.archive.compression import Source

BLOCK = tarfile.BLOCKSIZE
CHUNK = 1024 * 1024
# A path has at most 4,096 bytes, and there are few other records.
LONGEST_RECORDS = 64 * 1024
# What may follow the end, of zeros: tar fills up to 10 KiB.
LONGEST_PADDING = CHUNK
_NOTHING = bytes(BLOCK)
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE)
_WORDS = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a named pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}


class Sink(Protocol):
    """Where the bytes of a tar go."""

    def write(self, data: bytes, /) -> int:
        """Take all of them."""


class Header(NamedTuple):
    """What stands before each file and folder.

    Args:
        path: as it was written; of a folder without a slash at its end.
        is_folder: whether it is one.
        size: of a file, in bytes.
    """

    path: str
    is_folder: bool
    size: int


class TarWriter:
    """Writes a tar with names of any length, in any language (pax).

    Args:
        sink: takes it.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def add_folder(self, path: str, modified: int) -> None:
        """Add a folder.

        Args:
            modified: when, in seconds since 1970.
        """
        information = tarfile.TarInfo(path)
        information.type, information.mode, information.mtime = tarfile.DIRTYPE, 0o755, modified
        self._put(information)

    def add_file(self, path: str, size: int, modified: int, content: Iterable[bytes]) -> None:
        """Add a file.

        Args:
            size: in bytes, as many as `content` has.
            modified: see `add_folder`.
        """
        information = tarfile.TarInfo(path)
        information.size, information.mode, information.mtime = size, 0o644, modified
        self._put(information)
        for chunk in content:
            self._sink.write(chunk)
        self._sink.write(bytes(-size % BLOCK))

    def end(self) -> None:
        """Write what says that nothing follows."""
        self._sink.write(bytes(2 * BLOCK))

    def _put(self, information: tarfile.TarInfo) -> None:
        self._sink.write(information.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))


class TarReader:
    """Reads a tar to its very end.

    Args:
        source: gives it.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._left = 0
        self._padding = 0

    def headers(self) -> Iterator[Header]:
        """What is in it, in its order; what was not read of a file is passed over.

        Raises:
            BrokenArchive: it is no tar, is cut short, or has something else than files and folders.
        """
        while (block := self._block()) != _NOTHING:
            records: dict[str, str] = {}
            information = _understood(block)
            if information.type == tarfile.XHDTYPE:
                records = _records_in(self._records(information.size))
                information = _understood(self._block())
            if any(key.startswith("GNU.sparse") for key in records):
                raise BrokenArchive(f"{information.name!r} in it is a sparse file")
            header = _header(information, records)
            self._left, self._padding = header.size, -header.size % BLOCK
            yield header
            for _ in self.content():
                pass
        self._read_to_the_end()

    def content(self) -> Iterator[bytes]:
        """What is left of the present file, in chunks."""
        while self._left:
            chunk = self._exactly(min(CHUNK, self._left))
            self._left -= len(chunk)
            yield chunk
        self._exactly(self._padding)
        self._padding = 0

    def _records(self, size: int) -> bytes:
        if not 0 < size <= LONGEST_RECORDS:
            raise BrokenArchive(f"a name in it takes {size} bytes")
        return self._exactly(size + -size % BLOCK)[:size]

    def _block(self) -> bytes:
        return self._exactly(BLOCK)

    def _exactly(self, size: int) -> bytes:
        found = self._source.read(size)
        if len(found) < size:
            raise BrokenArchive("it is cut short")
        return found

    def _read_to_the_end(self) -> None:
        # To the last byte: the checksum of what was compressed comes behind it.
        rest = self._source.read(LONGEST_PADDING + 1)
        if len(rest) > LONGEST_PADDING or rest.strip(b"\0"):
            raise BrokenArchive("something follows behind its end")


def _understood(block: bytes) -> tarfile.TarInfo:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.TarError:
        raise BrokenArchive("it is no tar, or damaged") from None


def _header(information: tarfile.TarInfo, records: dict[str, str]) -> Header:
    path = records.get("path", information.name)
    is_folder = information.type == tarfile.DIRTYPE
    if not is_folder and information.type not in _FILES:
        raise BrokenArchive(f"{path!r} in it is {_WORDS.get(information.type, 'neither a file nor a folder')}")
    size = records.get("size", str(information.size))
    if not (size.isascii() and size.isdigit() and len(size) < 20) or (is_folder and int(size)):
        raise BrokenArchive(f"{path!r} in it has no size that it could have")
    return Header(path.rstrip("/") if is_folder else path, is_folder, int(size))


def _records_in(text: bytes) -> dict[str, str]:
    """The records of a pax header: each is its length, a blank, a key, `=`, a value and a line break."""
    records = {}
    while text:
        length, _, rest = text.partition(b" ")
        if not (length.isdigit() and len(length) < 8 and len(length) + 1 < int(length) <= len(text)):
            raise BrokenArchive("it is damaged: a name in it cannot be understood")
        record = rest[: int(length) - len(length) - 1]
        key, equals, value = record.partition(b"=")
        if not equals or not value.endswith(b"\n"):
            raise BrokenArchive("it is damaged: a name in it cannot be understood")
        records[key.decode("utf-8", "surrogateescape")] = value[:-1].decode("utf-8", "surrogateescape")
        text = text[int(length) :]
    return records
