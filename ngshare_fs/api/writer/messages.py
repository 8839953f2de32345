"""What the server and its writer say to each other: pickled, over a pair of sockets that nobody else has."""

import pickle
import struct
from dataclasses import dataclass
from typing import Any

from ngshare_fs.api.request.files_argument import ArrivedTree, EncodedTree
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store.errors import StoreError

# Before each message: its number, and its length in bytes. An answer has the number of its job.
HEAD = struct.Struct("!QQ")
# What the writer says first, once it has the volume; and what the server says last.
READY = "ready"
END = "end"


@dataclass(frozen=True)
class Job:
    """A write: a `Call` without what belongs to a process.

    Args:
        method: of the endpoint.
        path: of the endpoint.
        user: who is asking.
        is_admin: whether that is an admin.
        debug: whether debug mode is on.
        names: the names in the request's path.
        texts: its arguments but `files`.
        tree: that argument.
        staging_folder: the upload's folder, if it has one.
    """

    method: str
    path: str
    user: str
    is_admin: bool
    debug: bool
    names: dict[str, str]
    texts: dict[str, str | None]
    tree: ArrivedTree | EncodedTree | None
    staging_folder: str | None


@dataclass(frozen=True)
class Unexpected:
    """Something that only a mistake in the program can raise; the writer has logged it.

    Args:
        text: what it was.
    """

    text: str


# What comes of a job: the body of the answer, or what was raised.
Outcome = bytes | Refused | StoreError | Unexpected


def pack(number: int, message: object) -> bytes:
    """A message with its head."""
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return HEAD.pack(number, len(content)) + content


def unpack(content: bytes) -> Any:
    """A message without its head, as it was before `pack`."""
    return pickle.loads(content)  # noqa: S301 - of our own other half
