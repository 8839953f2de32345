"""What the server and its writer say to each other: pickled, over a pair of sockets that nobody else has."""

import io
import pickle
import struct
from dataclasses import dataclass
from typing import Any

from ngshare_fs.api.call import Call
from ngshare_fs.api.endpoint import Endpoint
from ngshare_fs.api.endpoints.table import ENDPOINTS
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import StoreError, Upload, Volume

# Before each message: its number, and its length in bytes. An answer has the number of its job.
HEAD = struct.Struct("!QQ")
# The server says this last.
END = "end"

# What is to be done.
Job = tuple[Call, Endpoint]


@dataclass(frozen=True)
class Ready:
    """What the writer says first, once it has the volume.

    Args:
        pid: its process id.
    """

    pid: int


@dataclass(frozen=True)
class Unexpected:
    """Something that only a mistake in the program can raise; the writer has logged it.

    Args:
        text: what it was.
    """

    text: str


# What comes of a job: the body of the answer, or what was raised.
Outcome = bytes | Refused | StoreError | Unexpected

_ENDPOINTS = {(endpoint.method, endpoint.path): endpoint for endpoint in ENDPOINTS}


def pack(number: int, message: object) -> memoryview:
    """A message with its head."""
    packed = io.BytesIO()
    packed.write(HEAD.pack(0, 0))
    _Pickler(packed, pickle.HIGHEST_PROTOCOL).dump(message)
    content = packed.getbuffer()
    HEAD.pack_into(content, 0, number, len(content) - HEAD.size)
    return content


def unpack(content: bytes, volume: Volume | None = None) -> Any:
    """A message without its head, as it was before `pack`.

    Args:
        volume: takes the place of the other process's.
    """
    return _Unpickler(content, volume).load()


class _Pickler(pickle.Pickler):
    """Writes a name for what each of the two processes has by itself."""

    def persistent_id(self, value: object) -> tuple[str, ...] | tuple[str, str | None] | None:
        if isinstance(value, Endpoint):
            return "endpoint", value.method, value.path
        if isinstance(value, Volume):
            return ("volume",)
        if isinstance(value, Upload):
            return "upload", value.staging_folder
        return None


class _Unpickler(pickle.Unpickler):
    def __init__(self, content: bytes, volume: Volume | None) -> None:
        super().__init__(io.BytesIO(content))
        self._volume = volume

    def persistent_load(self, name: Any) -> object:
        kind, *which = name
        if kind == "endpoint":
            return _ENDPOINTS[which[0], which[1]]
        assert self._volume is not None
        return self._volume if kind == "volume" else self._volume.upload(which[0])
