"""Zstandard around an archive; a tar that somebody has unpacked with `zstd -d` is read as well."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol

from ngshare_fs.transfer.archive.broken import BrokenArchive

if sys.version_info >= (3, 14):
    from compression.zstd import CompressionParameter, ZstdError, ZstdFile
else:
    from backports.zstd import CompressionParameter, ZstdError, ZstdFile

MAGIC = b"\x28\xb5\x2f\xfd"


class Source(Protocol):
    """Where the bytes of a tar come from."""

    def read(self, size: int) -> bytes:
        """So many bytes; fewer only at the end.

        Raises:
            BrokenArchive: they cannot be had as they were written.
        """


@contextmanager
def compressed(file: BinaryIO) -> Iterator[ZstdFile]:
    """Compress what is written into a file, with a checksum over all of it."""
    with ZstdFile(file, "wb", options={CompressionParameter.checksum_flag: 1}) as stream:
        yield stream


@contextmanager
def decompressed(file: io.BufferedReader) -> Iterator[Source]:
    """Decompress a file as it is read; one that is not compressed is given as it is."""
    if file.peek(len(MAGIC))[: len(MAGIC)] != MAGIC:
        yield _Whole(file)
        return
    with ZstdFile(file, "rb") as stream:
        yield _Whole(stream)


class _Whole:
    """Reads as much as was asked for, and gives the errors of the library our name."""

    def __init__(self, stream: "ZstdFile | BinaryIO") -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        parts = []
        try:
            while size and (part := self._stream.read(size)):
                parts.append(part)
                size -= len(part)
        except EOFError:
            raise BrokenArchive("it is cut short") from None
        except ZstdError as error:
            raise BrokenArchive(f"it is damaged: {error}") from None
        return parts[0] if len(parts) == 1 else b"".join(parts)
