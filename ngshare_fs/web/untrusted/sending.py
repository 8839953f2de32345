"""Files of a tree on their way to a browser, in slices, whole or a part of one."""

import os

from aiohttp import ETag, hdrs, web

from ngshare_fs.api.blocking import Blocking
from ngshare_fs.store import StoredFile, Tree
from ngshare_fs.store.errors import DamagedTree
from ngshare_fs.web.untrusted.headers import attachment_headers

# Read and sent at once. What cannot be sent yet is copied: up to two of these for a slow client.
SLICE = 128 * 1024


async def send_attachment(request: web.Request, blocking: Blocking, tree: Tree, file: StoredFile) -> web.StreamResponse:
    """Hand out a file of a tree, to be saved.

    Args:
        blocking: where the volume's slow calls run.
        tree: open; closed by the caller.
        file: of its manifest.

    Raises:
        StoreError: the file cannot be sent; nothing was.
    """
    return await send_file(request, blocking, tree, file, attachment_headers(file.path))


async def send_file(
    request: web.Request, blocking: Blocking, tree: Tree, file: StoredFile, headers: dict[str, str]
) -> web.StreamResponse:
    """Send a file of a tree.

    Whoever was cut off may ask for the rest (RFC 9110, `Range`): a tree never changes, so by its checksum the client
    knows that it is the rest of the same file.

    Args:
        blocking, tree, file: see `send_attachment`.
        headers: of `headers`.

    Raises:
        StoreError: see `send_attachment`.
    """
    descriptor = await blocking.read(tree.open_file, file)
    try:
        tag = ETag(value=file.md5)
        part = _part(request, file.size, tag)
        response = web.StreamResponse(headers={**headers, hdrs.ACCEPT_RANGES: "bytes"})
        response.etag = tag
        if part is None:
            response.set_status(416)
            response.headers[hdrs.CONTENT_RANGE] = f"bytes */{file.size}"
            part = range(0)
        elif len(part) < file.size:
            response.set_status(206)
            response.headers[hdrs.CONTENT_RANGE] = f"bytes {part.start}-{part.stop - 1}/{file.size}"
        response.content_length = len(part)
        await response.prepare(request)
        if request.method != hdrs.METH_HEAD:
            await _send(request, response, blocking, file, descriptor, part)
        await response.write_eof()
        return response
    finally:
        os.close(descriptor)


async def _send(
    request: web.Request,
    response: web.StreamResponse,
    blocking: Blocking,
    file: StoredFile,
    descriptor: int,
    part: range,
) -> None:
    try:
        for start in part[::SLICE]:
            size = min(SLICE, part.stop - start)
            content = await blocking.read(os.pread, descriptor, size, start)
            if len(content) < size:
                raise DamagedTree(file.path)
            await response.write(content)
    except BaseException:
        # The length was promised: only a cut connection tells the client that this is not the whole.
        if request.transport is not None:
            request.transport.abort()
        raise


def _part(request: web.Request, size: int, tag: ETag) -> range | None:
    """Which part of a file is asked for; None where there is no such part."""
    whole = range(size)
    if hdrs.RANGE not in request.headers or request.headers.get(hdrs.IF_RANGE, f'"{tag.value}"') != f'"{tag.value}"':
        return whole
    try:
        asked = request.http_range
    except ValueError:
        return whole  # several parts at once, or nothing that we understand: a server need not heed it
    part = whole[asked]
    return part if part else None
