"""What students hand in: notebooks of pseudo-random bytes, which nobody can compress, as clients send them."""

import base64
import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

KIB, MIB = 2**10, 2**20
# One notebook with pictures, one without, a table.
SUBMISSION = (70 * KIB, 25 * KIB, 5 * KIB)
NAMES = ("problem1.ipynb", "problem2.ipynb", "data/table.csv")

BOUNDARY = "0123456789abcdef"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


def make_files(sizes: Sequence[int], seed: int) -> dict[str, bytes]:
    """Files of these sizes; the same for the same seed."""
    source = random.Random(seed)
    names = [*NAMES, *(f"more/{number}.ipynb" for number in range(len(sizes)))]
    return {name: source.randbytes(size) for name, size in zip(names, sizes, strict=False)}


def as_tree(files: dict[str, bytes]) -> str:
    """The JSON text of a directory tree."""
    return json.dumps(
        [{"path": path, "content": base64.b64encode(content).decode()} for path, content in files.items()]
    )


def checksums(files: dict[str, bytes]) -> dict[str, str]:
    """The MD5 of each file by path."""
    return {path: hashlib.md5(content).hexdigest() for path, content in files.items()}


@dataclass(frozen=True)
class Work:
    """A tree to hand in: its part of the form, encoded once for all who hand it in, and what must come back."""

    form: bytes
    checksums: dict[str, str]


def make_work(sizes: Sequence[int], seed: int) -> Work:
    """A tree with files of these sizes, as ngshare's clients send it."""
    files = make_files(sizes, seed)
    return Work(urlencode({"files": as_tree(files)}).encode(), checksums(files))


def multipart(sizes: Sequence[int], seed: int) -> bytes:
    """The same tree as the plug-ins send it: a whole body of `MULTIPART`."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"\r\n\r\n'
    return f"{head}{as_tree(make_files(sizes, seed))}\r\n--{BOUNDARY}--\r\n".encode()


def user_part(user: str) -> bytes:
    """The beginning of a form: who sends it."""
    return urlencode({"user": user}).encode() + b"&"
