"""What students hand in, as clients send it: each time another copy of the same work."""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote_plus, urlencode

from bench import notebooks
from bench.client import URLENCODED

KIB, MIB = 2**10, 2**20
# One notebook with pictures, one without, a table: half text, half pictures.
SUBMISSION = (70 * KIB, 25 * KIB, 5 * KIB)
NAMES = ("problem1.ipynb", "problem2.ipynb", "data/table.csv")
SHARES_OF_PICTURES = {"problem1.ipynb": 0.8, "problem2.ipynb": 0.0}
DIGITS = 9


class Body(NamedTuple):
    """A whole form, and how it is encoded: its content type."""

    content: bytes
    encoding: str


def make_files(sizes: Sequence[int], seed: int) -> dict[str, bytes]:
    """Files of these sizes; the same for the same seed."""
    names = [*NAMES, *(f"more/{number}.ipynb" for number in range(len(sizes)))]
    return {name: _make_file(name, size, seed) for name, size in zip(names, sizes, strict=False)}


def _make_file(name: str, size: int, seed: int) -> bytes:
    if name.endswith(".csv"):
        return notebooks.table(size, seed)
    return notebooks.notebook(size, seed, SHARES_OF_PICTURES.get(name, 0.5))


def as_tree(files: Mapping[str, bytes]) -> str:
    """The JSON text of a directory tree."""
    return json.dumps(
        [{"path": path, "content": base64.b64encode(content).decode()} for path, content in files.items()]
    )


def checksums(files: Mapping[str, bytes]) -> dict[str, str]:
    """The MD5 of each file by path."""
    return {path: hashlib.md5(content).hexdigest() for path, content in files.items()}


class _File:
    """A file of which everybody has another copy: the number at one place of it differs.

    What is before that place and behind it is encoded and hashed once: a copy costs the generator next to nothing.
    """

    def __init__(self, path: str, content: bytes) -> None:
        place = content.rindex(notebooks.MARK.encode())
        place += -place % 3  # base64 encodes three bytes at once
        self.path = path
        self._hashed, self._rest = hashlib.md5(content[:place]), content[place + DIGITS :]
        self.before, self.behind = base64.b64encode(content[:place]), base64.b64encode(self._rest)

    def checksum(self, number: bytes) -> str:
        """The MD5 of the copy with this number."""
        hashed = self._hashed.copy()
        hashed.update(number + self._rest)
        return hashed.hexdigest()


class Work:
    """A tree to hand in, of which there are as many different copies as are wanted.

    Args:
        sizes: of its files, each large enough for a notebook.
    """

    def __init__(self, sizes: Sequence[int], seed: int) -> None:
        self._files = [_File(path, content) for path, content in make_files(sizes, seed).items()]
        # The whole tree as ngshare's clients send it; between these pieces are the places where copies differ.
        text, self._pieces = "[", []
        for position, file in enumerate(self._files):
            text += (", " if position else "") + json.dumps({"path": file.path})[:-1] + ', "content": "'
            self._pieces.append(quote_plus(text + file.before.decode()).encode())
            text = file.behind.decode() + '"}'
        self._pieces.append(quote_plus(text + "]").encode())

    def urlencoded(self, copy: int, fields: Mapping[str, str]) -> Body:
        """A copy as ngshare's clients send it."""
        parts = (urlencode(fields).encode(), b"&files=", base64.b64encode(_number(copy)).join(self._pieces))
        return Body(b"".join(parts).removeprefix(b"&"), URLENCODED)

    def multipart(self, copy: int, fields: Mapping[str, str]) -> Body:
        """A copy as the plug-ins send it: the other fields first, a checksum with each file."""
        number, boundary = _number(copy), secrets.token_hex(16)
        encoded = base64.b64encode(number)
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{{}}"\r\n\r\n'
        parts = [(head.format(name) + value + "\r\n").encode() for name, value in fields.items()]
        parts.append(head.format("files").encode() + b"[")
        for position, file in enumerate(self._files):
            before = (", " if position else "") + json.dumps({"path": file.path})[:-1] + ', "content": "'
            behind = f'", "checksum": "{file.checksum(number)}"}}'
            parts += [before.encode(), file.before, encoded, file.behind, behind.encode()]
        parts.append(f"]\r\n--{boundary}--\r\n".encode())
        return Body(b"".join(parts), f"multipart/form-data; boundary={boundary}")

    def checksums(self, copy: int) -> dict[str, str]:
        """The MD5 of each file of a copy by path: what must come back."""
        return {file.path: file.checksum(_number(copy)) for file in self._files}


def _number(copy: int) -> bytes:
    return f"{copy:0{DIGITS}}".encode()
