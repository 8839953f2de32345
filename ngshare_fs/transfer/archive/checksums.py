"""`SHA256SUMS`: made while an archive is written, and compared while it is read. It is not held in memory."""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from types import TracebackType

from ngshare_fs.transfer.archive.broken import BrokenArchive
from ngshare_fs.transfer.archive.layout import SUMS, sum_line

IN_MEMORY = 1024 * 1024


class Checksums:
    """The lines for what has come by so far. A context manager."""

    def __init__(self) -> None:
        self._lines = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed on leaving

    def __enter__(self) -> "Checksums":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()

    def of(self, path: str, content: Iterable[bytes]) -> Iterator[bytes]:
        """Hand a file's content on, and take note of its checksum at its end."""
        digest = hashlib.sha256()
        for chunk in content:
            digest.update(chunk)
            yield chunk
        self._lines.write(sum_line(digest.hexdigest(), path))

    @property
    def size(self) -> int:
        """Of all lines, in bytes."""
        return self._lines.tell()

    def lines(self) -> Iterator[bytes]:
        """All lines; no more can be added."""
        self._lines.seek(0)
        yield from self._lines

    def compare(self, content: Iterable[bytes]) -> None:
        """Compare with what an archive says.

        Args:
            content: of its `SHA256SUMS`.

        Raises:
            BrokenArchive: it differs; the text names the first file.
        """
        said = _Text(content)
        for line in self.lines():
            if said.take(len(line)) != line:
                path = line.rstrip(b"\n").partition(b"  ")[2].decode("utf-8", "replace")
                raise BrokenArchive(f"{path!r} in it is not as its {SUMS} says")
        if said.take(1):
            raise BrokenArchive(f"its {SUMS} names more files than it has")


class _Text:
    """Chunks of bytes, taken by length."""

    def __init__(self, content: Iterable[bytes]) -> None:
        self._chunks = iter(content)
        self._left = b""

    def take(self, size: int) -> bytes:
        while len(self._left) < size and (chunk := next(self._chunks, None)) is not None:
            self._left += chunk
        taken, self._left = self._left[:size], self._left[size:]
        return taken
