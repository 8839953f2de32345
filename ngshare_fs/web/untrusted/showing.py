"""A file of a tree as somebody looks at it in a tab of its own."""

import asyncio
import os

from aiohttp import web

from ngshare_fs.api.blocking import Blocking
from ngshare_fs.store import StoredFile, Tree
from ngshare_fs.store.errors import DamagedTree
from ngshare_fs.web.frame.rendering import Frame, page
from ngshare_fs.web.untrusted import notebook
from ngshare_fs.web.untrusted.headers import view_headers
from ngshare_fs.web.untrusted.notebook import Notebook, NotShown
from ngshare_fs.web.untrusted.sending import send_file
from ngshare_fs.web.untrusted.terminal_text import visible
from ngshare_fs.web.untrusted.views import START, View, view_of


class Showing:
    """Shows files of trees.

    Args:
        blocking: where the volume's slow calls run.
    """

    def __init__(self, blocking: Blocking) -> None:
        self._blocking = blocking
        # A notebook that is made for it takes 100 MB of memory while it is read.
        self._one_at_a_time = asyncio.Semaphore(1)

    async def show(
        self, request: web.Request, tree: Tree, file: StoredFile, frame: Frame, download: str
    ) -> web.StreamResponse:
        """Show a file; what is not shown gets a page of ours that says why, and where it can be downloaded.

        Args:
            tree: open; closed by the caller.
            file: of its manifest.
            frame: of the page that answers.
            download: the address of the same file as an attachment.

        Raises:
            StoreError: the file cannot be read; nothing was sent.
        """
        start = await self._blocking.read(_beginning, tree, file)
        view = view_of(tree.manifest.kind, file, start)
        name = visible(file.path.rpartition("/")[2])
        if view is None:
            return await self._not_shown("preview.file-not-shown", name, frame, download)
        if view is not View.NOTEBOOK:
            return await send_file(request, self._blocking, tree, file, view_headers(view.value))
        try:
            async with self._one_at_a_time:
                shown = await self._blocking.read(_notebook, tree, file)
        except NotShown as error:
            return await self._not_shown(str(error), name, frame, download)
        response = await page("untrusted/notebook", frame, name=name, notebook=shown)
        response.headers.update(view_headers("text/html; charset=utf-8"))
        return response

    async def _not_shown(self, why: str, name: str, frame: Frame, download: str) -> web.Response:
        return await page("untrusted/not_shown", frame, name=name, why=why, download=download)


def _beginning(tree: Tree, file: StoredFile) -> bytes:
    with os.fdopen(tree.open_file(file), "rb", buffering=0) as content:
        return content.read(START) or b""


def _notebook(tree: Tree, file: StoredFile) -> Notebook:
    if file.size > notebook.LARGEST:
        raise NotShown("preview.notebook-too-large")
    with os.fdopen(tree.open_file(file), "rb") as content:
        data = content.read(file.size)
    if len(data) < file.size:
        raise DamagedTree(file.path)
    return notebook.read(data)
