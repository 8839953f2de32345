"""Answers with a directory tree: small ones ready-made, large ones streamed, both with their exact length."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import aiofiles
import pybase64
from aiohttp import web

from ngshare_fs.api.blocking import Blocking
from ngshare_fs.api.call import TreeAnswer, TreesAnswer
from ngshare_fs.api.response.release_cache import ReleaseCache, can_be_kept
from ngshare_fs.http.refusals import FAILURE, OF_STORE_ERROR
from ngshare_fs.store import StoredFile, Tree, TreeState
from ngshare_fs.store.errors import DamagedTree, StoreError

logger = logging.getLogger(__name__)

# Up to this many bytes of files, an answer is made in one go.
SMALL = 256 * 1024
# Read at once from a large file; a multiple of 3, so that base64 needs no padding in between.
CHUNK = 192 * 1024
# Sent at once of an answer that is ready. What cannot be sent yet is copied: up to two of these for a slow client.
SLICE = 128 * 1024

JSON = "application/json; charset=utf-8"
LINES = "application/x-ndjson; charset=utf-8"


class LargeAnswer(Protocol):
    """An answer that is not sent in one go. Whoever has one sends or closes it."""

    content_type: str

    @property
    def length(self) -> int | None:
        """Of the whole answer, in bytes; None where nobody knows it yet."""

    async def send(self, response: web.StreamResponse, blocking: Blocking) -> None:
        """Send the body.

        Args:
            response: whose head has been sent.
            blocking: where the volume's slow calls run.

        Raises:
            DamagedTree: a file has changed under our hands; what was promised cannot be sent any more.
            StoreError: it cannot be read.
        """

    def close(self) -> None:
        """Let go of what it holds."""


class ReadyTree:
    """An answer whose files are in memory, once for all who get it.

    Args:
        fields: what the answer has beside the files, which is not the same for all.
        files: all behind that.
    """

    content_type = JSON

    def __init__(self, fields: Mapping[str, Any], files: bytes) -> None:
        self._start = _start(fields)
        self._files = files

    @property
    def length(self) -> int:
        return len(self._start) + len(self._files)

    async def send(self, response: web.StreamResponse, blocking: Blocking) -> None:
        await response.write(self._start)
        whole = memoryview(self._files)
        for start in range(0, len(whole), SLICE):
            await response.write(whole[start : start + SLICE])

    def close(self) -> None:
        pass


class StreamedTree:
    """An answer that is made while it is sent.

    Args:
        tree: open, its files' sizes checked.
        fields: what the answer has beside the files.
    """

    content_type = JSON

    def __init__(self, tree: Tree, fields: Mapping[str, Any]) -> None:
        self._tree = tree
        self._start = _start(fields)

    def close(self) -> None:
        self._tree.close()

    @property
    def length(self) -> int:
        files = self._tree.manifest.files
        entries = sum(len(_before_content(file)) + _encoded_length(file.size) + len(_END_OF_FILE) for file in files)
        return len(self._start) + entries + len(_SEPARATOR) * (len(files) - 1) + len(_END)

    async def send(self, response: web.StreamResponse, blocking: Blocking) -> None:
        await response.write(self._start)
        ready: list[StoredFile] = []
        separator = b""
        for file in self._tree.manifest.files:
            # Small files go together: a thread call and a write for each would cost more than they do.
            if sum(small.size for small in ready) + file.size <= SMALL:
                ready.append(file)
                continue
            if ready:
                await response.write(separator + await blocking.read(_entries, self._tree, ready))
                ready, separator = [], _SEPARATOR
            if file.size <= SMALL:
                ready.append(file)
                continue
            await response.write(separator + _before_content(file))
            await self._send_large(response, blocking, file)
            await response.write(_END_OF_FILE)
            separator = _SEPARATOR
        if ready:
            await response.write(separator + await blocking.read(_entries, self._tree, ready))
        await response.write(_END)

    async def _send_large(self, response: web.StreamResponse, blocking: Blocking, file: StoredFile) -> None:
        descriptor = await blocking.read(self._tree.open_file, file)
        remaining = file.size
        async with aiofiles.open(descriptor, "rb", executor=blocking.readers) as content:
            while remaining:
                chunk = await content.read(min(CHUNK, remaining))
                if len(chunk) < min(CHUNK, remaining):
                    raise DamagedTree(file.path)
                remaining -= len(chunk)
                await response.write(pybase64.b64encode(chunk))


class StreamedTrees:
    """A line for each of many trees, opened one after the other, and a last line by which a client knows it has all."""

    content_type = LINES
    length = None

    def __init__(self, answer: TreesAnswer) -> None:
        self._trees = answer.trees

    def close(self) -> None:
        pass

    async def send(self, response: web.StreamResponse, blocking: Blocking) -> None:
        for fields, open_tree in self._trees:
            try:
                tree = await blocking.read(_opened, open_tree)
            except StoreError as error:
                # The others' work must not wait until somebody has mended this one's.
                logger.error("%s: %s: %s", fields, type(error).__name__, error)
                message = OF_STORE_ERROR.get(type(error), FAILURE).message
                await response.write(json.dumps({**fields, "success": False, "message": message}).encode() + b"\n")
                continue
            try:
                await StreamedTree(tree, fields).send(response, blocking)
            finally:
                tree.close()
            await response.write(b"\n")
        await response.write(json.dumps({"success": True, "submissions": len(self._trees)}).encode() + b"\n")


def _opened(open_tree: Callable[[], Tree]) -> Tree:
    tree = open_tree()
    try:
        tree.look()
    except BaseException:
        tree.close()
        raise
    return tree


_SEPARATOR = b", "
_END_OF_FILE = b'"}'
_END = b"]}"


def build_response(answer: TreeAnswer | TreesAnswer, ready: ReleaseCache) -> bytes | LargeAnswer:
    """Make an answer, or prepare to send it piece by piece; blocking.

    Args:
        ready: where answers are kept that many will ask for.

    Raises:
        DamagedTree: the files are not what the manifest says.
    """
    if isinstance(answer, TreesAnswer):
        return StreamedTrees(answer)
    tree = answer.tree
    if tree is None:
        return _start(answer.fields) + _END
    streamed = None
    try:
        if answer.list_only:
            entries = [{"path": file.path, "checksum": file.md5} for file in tree.manifest.files]
            return _start(answer.fields) + json.dumps(entries).encode()[1:] + b"}"
        if sum(file.size for file in tree.manifest.files) <= SMALL:
            return _start(answer.fields) + _entries(tree, tree.manifest.files) + _END
        seen = time.time_ns()
        state = tree.look()
        if answer.for_many:
            files = _ready(tree, state, seen, ready)
            if files is not None:
                return ReadyTree(answer.fields, files)
        streamed = StreamedTree(tree, answer.fields)
        return streamed
    finally:
        if streamed is None:
            tree.close()


def _ready(tree: Tree, state: TreeState, seen: int, ready: ReleaseCache) -> bytes | None:
    files = ready.get(tree.path, state)
    if files is not None or not can_be_kept(state, seen):
        return files
    with ready.one_at_a_time(tree.path):
        files = ready.get(tree.path, state)
        if files is None:
            files = _entries(tree, tree.manifest.files) + _END
            ready.keep(tree.path, state, files)
    return files


def _start(fields: Mapping[str, Any]) -> bytes:
    return json.dumps({"success": True, **fields}).encode()[:-1] + b', "files": ['


def _before_content(file: StoredFile) -> bytes:
    return json.dumps({"path": file.path, "checksum": file.md5}).encode()[:-1] + b', "content": "'


def _entries(tree: Tree, files: "tuple[StoredFile, ...] | list[StoredFile]") -> bytes:
    return _SEPARATOR.join(
        _before_content(file) + pybase64.b64encode(tree.read_file(file)) + _END_OF_FILE for file in files
    )


def _encoded_length(size: int) -> int:
    return (size + 2) // 3 * 4
