"""Answers with a directory tree: small ones ready-made, large ones streamed, both with their exact length."""

import json
import os
from collections.abc import Mapping
from typing import Any

import aiofiles
import pybase64
from aiohttp import web

from ngshare_fs.api.blocking import Blocking
from ngshare_fs.api.call import TreeAnswer
from ngshare_fs.store.errors import DamagedTree
from ngshare_fs.store.manifest import StoredFile
from ngshare_fs.store.published import Tree

# Up to this many bytes of files, an answer is made in one go.
SMALL = 256 * 1024
# Read at once from a large file; a multiple of 3, so that base64 needs no padding in between.
CHUNK = 192 * 1024


class StreamedTree:
    """An answer that is too large to be made in one go. Whoever has one sends or closes it.

    Args:
        tree: open, its files' sizes checked.
        fields: what the answer has beside the files.
    """

    def __init__(self, tree: Tree, fields: Mapping[str, Any]) -> None:
        self._tree = tree
        self._start = _start(fields)

    def close(self) -> None:
        """Let go of the tree."""
        self._tree.close()

    @property
    def length(self) -> int:
        """Of the whole answer, in bytes."""
        files = self._tree.manifest.files
        entries = sum(len(_before_content(file)) + _encoded_length(file.size) + len(_END_OF_FILE) for file in files)
        return len(self._start) + entries + len(_SEPARATOR) * (len(files) - 1) + len(_END)

    async def send(self, response: web.StreamResponse, blocking: Blocking) -> None:
        """Send the body.

        Raises:
            DamagedTree: a file has changed under our hands; what was promised cannot be sent any more.
            StoreError: it cannot be read.
        """
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


_SEPARATOR = b", "
_END_OF_FILE = b'"}'
_END = b"]}"


def made(answer: TreeAnswer) -> bytes | StreamedTree:
    """Make an answer, or prepare to stream it; blocking.

    Raises:
        DamagedTree: the files are not what the manifest says.
    """
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
        tree.check_sizes()
        streamed = StreamedTree(tree, answer.fields)
        return streamed
    finally:
        if streamed is None:
            tree.close()


def _start(fields: Mapping[str, Any]) -> bytes:
    return json.dumps({"success": True, **fields}).encode()[:-1] + b', "files": ['


def _before_content(file: StoredFile) -> bytes:
    return json.dumps({"path": file.path, "checksum": file.md5}).encode()[:-1] + b', "content": "'


def _entries(tree: Tree, files: "tuple[StoredFile, ...] | list[StoredFile]") -> bytes:
    return _SEPARATOR.join(
        _before_content(file) + pybase64.b64encode(_content(tree, file)) + _END_OF_FILE for file in files
    )


def _content(tree: Tree, file: StoredFile) -> bytes:
    with os.fdopen(tree.open_file(file), "rb") as content:
        data = content.read(file.size)
    if len(data) != file.size:
        raise DamagedTree(file.path)
    return data


def _encoded_length(size: int) -> int:
    return (size + 2) // 3 * 4
