"""Directory trees on their way to the server: read, encoded and hashed while they are sent."""

import base64
import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ngshare_fs.exchange.failures.problems import ServerProblem

# Read at once; a multiple of 3, so that base64 needs no padding in between.
CHUNK = 192 * 1024


class LocalFile(NamedTuple):
    """A file to be sent.

    Args:
        path: in the tree, with `/`.
        place: on this machine.
        size: in bytes.
        md5: of its content, in hex; empty where nobody has read it yet.
    """

    path: str
    place: str
    size: int
    md5: str = ""


class Body:
    """The body of a request, as multipart/form-data. It can be sent more than once, and knows its length.

    Args:
        fields: ordinary arguments.
        files: the directory tree, sent as the argument `files`; None where the call has none.
    """

    def __init__(self, fields: Mapping[str, str], files: Sequence[LocalFile] | None = None) -> None:
        self._boundary = secrets.token_hex(16)
        self._fields = fields
        self._files = files

    @property
    def content_type(self) -> str:
        """For the header of this name."""
        return f"multipart/form-data; boundary={self._boundary}"

    def __len__(self) -> int:
        length = sum(len(part) for part in self._parts_before_files()) + len(self._end())
        for number, file in enumerate(self._files or ()):
            length += len(_before_content(number, file)) + (file.size + 2) // 3 * 4 + len(_after_content(_NO_DIGEST))
        return length

    def in_words(self) -> str:
        """How much is sent, and in which folder most files are."""
        files = self._files or ()
        said = f"You sent {len(files):,} files, {len(self) / 1e6:,.1f} MB."
        folder, count = fullest_folder([file.path for file in files])
        return said if not folder else f"{said} {count:,} of them are in {folder}/."

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts_before_files()
        for number, file in enumerate(self._files or ()):
            yield _before_content(number, file)
            digest = None if file.md5 else hashlib.md5(usedforsecurity=False)
            remaining = file.size
            with open(file.place, "rb") as content:
                while chunk := content.read(CHUNK):
                    remaining -= len(chunk)
                    if remaining < 0:
                        break
                    if digest is not None:
                        digest.update(chunk)
                    yield base64.b64encode(chunk)
            if remaining:
                raise ServerProblem(f"{file.path} has changed while it was being sent. Save it, and try again.")
            yield _after_content(file.md5 if digest is None else digest.hexdigest())
        yield self._end()

    def _parts_before_files(self) -> Iterator[bytes]:
        for name, value in self._fields.items():
            yield self._head(name) + value.encode("utf-8") + b"\r\n"
        if self._files is not None:
            yield self._head("files") + b"["

    def _head(self, name: str) -> bytes:
        return f'--{self._boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()

    def _end(self) -> bytes:
        return (b"" if self._files is None else b"]\r\n") + f"--{self._boundary}--\r\n".encode()


def in_pieces(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in pieces of one size; the last one may be smaller.

    Args:
        chunks: of any size.
        size: of a piece.
    """
    rest = b""
    for chunk in chunks:
        rest += chunk
        end = len(rest) - len(rest) % size
        for start in range(0, end, size):
            yield rest[start : start + size]
        rest = rest[end:]
    if rest:
        yield rest


def fullest_folder(paths: Sequence[str]) -> tuple[str, int]:
    """The folder that more than half of these files are in, as deep as there is one, and how many; else the fullest.

    Returns:
        its path, empty where all files are in no folder.
    """
    folder, inside = "", list(paths)
    while True:
        within = Counter(
            path[len(folder) :].lstrip("/").partition("/")[0] for path in inside if _is_below(path, folder)
        )
        if not within:
            return folder, len(inside)
        name, count = within.most_common(1)[0]
        if folder and 2 * count <= len(inside):
            return folder, len(inside)
        folder = f"{folder}/{name}" if folder else name
        inside = [path for path in inside if path.startswith(folder + "/")]


def _is_below(path: str, folder: str) -> bool:
    """Whether a file of a folder is in another folder in it."""
    return "/" in path[len(folder) :].lstrip("/")


_NO_DIGEST = "0" * 32


def _before_content(number: int, file: LocalFile) -> bytes:
    separator = b", " if number else b""
    return separator + json.dumps({"path": file.path}).encode()[:-1] + b', "content": "'


def _after_content(digest: str) -> bytes:
    return f'", "checksum": "{digest}"}}'.encode()
