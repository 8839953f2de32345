"""Sending what pages hand out besides themselves."""

from aiohttp import web

from ngshare_fs.api.blocking import Blocking
from ngshare_fs.web.frame.download import Document, HandedOut, TreeFile, TreeView, Zip
from ngshare_fs.web.frame.rendering import Frame
from ngshare_fs.web.untrusted.headers import attachment_headers
from ngshare_fs.web.untrusted.sending import send_attachment
from ngshare_fs.web.untrusted.showing import Showing
from ngshare_fs.web.untrusted.zip_stream import send_zip


async def hand_out(
    request: web.Request, blocking: Blocking, showing: Showing, frame: Frame, opened: HandedOut
) -> web.StreamResponse:
    """Send it, and let go of it.

    Args:
        blocking: where the volume's slow calls run.
        showing: shows files of trees.
        frame: what is around a page that says why a file is not shown.
        opened: what `Download.opens` gave.

    Raises:
        StoreError: it cannot be read; nothing was sent.
    """
    match opened:
        case TreeFile(tree, file):
            with tree:
                return await send_attachment(request, blocking, tree, file)
        case TreeView(tree, file, download):
            same = {name: value for name, value in request.query.items() if name != "user"}
            with tree:
                return await showing.show(request, tree, file, frame, frame.addresses(download, frame.names, **same))
        case Zip(name, pieces):
            return await send_zip(request, blocking, name, pieces)
        case Document(name, content_type, content):
            return web.Response(body=content, headers=attachment_headers(name, content_type))
