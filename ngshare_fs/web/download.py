"""The declaration of a file that a page offers, and handing it out: always to be saved, never opened in the browser."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

from aiohttp import web

from ngshare_fs.access.permission import Conditions, Who
from ngshare_fs.api.blocking import Blocking
from ngshare_fs.formats.one_line import in_one_line
from ngshare_fs.store import StoredFile, Tree
from ngshare_fs.store.errors import DamagedTree
from ngshare_fs.web.page import conditions_of
from ngshare_fs.web.visit import Visit

CHUNK = 256 * 1024
# The parameter that says which file.
FILE = "file"


@dataclass(frozen=True)
class Download:
    """A file of a tree.

    Args:
        path, who, of_student, only_open: see `Page`.
        opens: the tree, which the caller closes, and the file of it; blocking.
    """

    path: str
    who: Who
    opens: Callable[[Visit], tuple[Tree, StoredFile]]
    of_student: bool = False
    only_open: bool = False

    @cached_property
    def conditions(self) -> Conditions:
        """What is checked before it is handed out."""
        return conditions_of(self.path, self.who, self.of_student, self.only_open)


def file_of(tree: Tree, path: str | None) -> StoredFile | None:
    """The file of a tree that has this path."""
    return next((file for file in tree.manifest.files if file.path == path), None)


async def hand_out(request: web.Request, tree: Tree, file: StoredFile, blocking: Blocking) -> web.StreamResponse:
    """Send a file.

    Args:
        tree: open; closed by the caller.
        file: of its manifest.
    """
    descriptor = await blocking.read(tree.open_file, file)
    try:
        return await _send(request, descriptor, file, blocking)
    finally:
        os.close(descriptor)


async def _send(request: web.Request, descriptor: int, file: StoredFile, blocking: Blocking) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_type = "application/octet-stream"
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(_base_name(file), safe='')}"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    response.content_length = file.size
    await response.prepare(request)
    left = 0 if request.method == "HEAD" else file.size
    try:
        while left:
            chunk = await blocking.read(os.read, descriptor, min(CHUNK, left))
            if not chunk:
                raise DamagedTree(f"{file.path} has become shorter while it was sent")
            left -= len(chunk)
            await response.write(chunk)
    except BaseException:
        # The length was promised: only a cut connection tells the client that this is not the whole.
        if request.transport is not None:
            request.transport.abort()
        raise
    await response.write_eof()
    return response


def _base_name(file: StoredFile) -> str:
    """The name to save a file by: its own, without what could turn its ending around."""
    return in_one_line(file.path.rpartition("/")[2]).replace("\\", "_")
