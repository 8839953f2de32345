"""A zip that is made while it is sent: nothing is written to a disk, and little is kept in memory.

Sizes and checksums follow each file's content, and the directory comes last: a zip that was cut off has none, and no
program takes it for a whole one.
"""

import struct
import threading
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone

from aiohttp import hdrs, web

from ngshare_fs.api.blocking import Blocking
from ngshare_fs.web.untrusted.headers import attachment_headers

# Of content that is compressed at once, and about what is sent at once.
SLICE = 256 * 1024
PIECE = 64 * 1024
# After reading so much, there is a pause in which others get their turn: a file of zeros makes no piece for long.
MOST_READ = 2 * 2**20
# The fastest: notebooks shrink to a third, and pictures do not with any other either.
LEVEL = 1

_EARLIEST = (1980, 1, 1, 0, 0, 0)
_SECONDS_BEYOND = 2**31


class ZipWriter:
    """Makes the bytes of a zip.

    Its methods give pieces as they become ready; those that are left come with `finished`. Whoever does not need the
    rest any more closes their iterator.
    """

    def __init__(self) -> None:
        self._sink = _Sink()
        # It has no `tell`: so zipfile knows that nothing can be corrected afterwards.
        self._archive = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED)
        self._read = 0

    def add(self, name: str, modified: datetime | None, size: int, content: Iterable[bytes]) -> Iterator[bytes]:
        """Add a file.

        Args:
            name: of `ZipNames`.
            modified: aware; None where nobody knows.
            size: of all of its content.
            content: in slices.
        """
        with self._archive.open(_entry(name, modified, size), "w") as entry:
            for part in content:
                entry.write(part)
                self._read += len(part)
                if self._read >= MOST_READ or self._sink.size >= PIECE:
                    yield self._taken()
        if self._sink.size >= PIECE:
            yield self._taken()

    def finished(self) -> Iterator[bytes]:
        """Write the directory; now it is whole."""
        self._archive.close()
        yield self._taken()

    def _taken(self) -> bytes:
        self._read = 0
        return self._sink.taken()


class _Sink:
    """Takes what zipfile writes."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits anywhere."""

    def close(self) -> None:
        """Nothing is open."""

    def taken(self) -> bytes:
        pieces, self._pieces, self.size = self._pieces, [], 0
        return b"".join(pieces)


def _entry(name: str, modified: datetime | None, size: int) -> zipfile.ZipInfo:
    utc = modified.astimezone(timezone.utc) if modified is not None else None
    entry = zipfile.ZipInfo(name, utc.timetuple()[:6] if utc and 1980 <= utc.year <= 2107 else _EARLIEST)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry._compresslevel = LEVEL  # type: ignore[attr-defined] # `compress_level` since Python 3.13
    entry.file_size = size  # whether it takes 64 bits is said before its content
    entry.create_system, entry.external_attr = 3, 0o100644 << 16  # of Unix, a file
    if utc is not None and 0 <= utc.timestamp() < _SECONDS_BEYOND:
        # The time in the other field is of no zone; this one is of UTC.
        entry.extra = struct.pack("<HHBl", 0x5455, 5, 1, int(utc.timestamp()))
    return entry


async def send_zip(request: web.Request, blocking: Blocking, name: str, pieces: Iterator[bytes]) -> web.StreamResponse:
    """Send a zip.

    Args:
        blocking: where the volume's slow calls run.
        name: what it is called.
        pieces: makes it; a generator, which is closed.

    Raises:
        StoreError: it cannot be made. Where some of it was sent already, the connection is cut.
    """
    source = _Source(pieces)
    try:
        piece = await blocking.read(source.next)
        response = web.StreamResponse(headers=attachment_headers(name, "application/zip"))
        await response.prepare(request)
        try:
            while piece is not None and request.method != hdrs.METH_HEAD:
                await response.write(piece)
                piece = await blocking.read(source.next)
        except BaseException:
            if request.transport is not None:
                request.transport.abort()
            raise
        await response.write_eof()
        return response
    finally:
        # In a thread, since it closes files of the volume; without waiting, since this may be cancelled.
        blocking.readers.submit(source.close)


class _Source:
    """Pieces that one thread after the other asks for."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._lock = threading.Lock()  # whoever was cancelled leaves a thread behind that is still making a piece

    def next(self) -> bytes | None:
        """The next piece that is not empty; None after the last."""
        with self._lock:
            return next(filter(None, self._pieces), None)

    def close(self) -> None:
        """Let go of what it holds."""
        with self._lock:
            close = getattr(self._pieces, "close", None)
            if close is not None:
                close()
