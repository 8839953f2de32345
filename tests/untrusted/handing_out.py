"""A small application that shows and hands out the files of one student's work, and the work of all."""

import hashlib
from collections.abc import Mapping

from aiohttp import web

from ngshare_fs.api.blocking import Blocking
from ngshare_fs.http.error_responses import answering_failures
from ngshare_fs.store import StoredFile, Timestamp, Tree, Volume, feedback, submission
from ngshare_fs.store.writing.upload import IncomingFile
from ngshare_fs.web.frame.rendering import add_headers, bare_frame
from ngshare_fs.web.untrusted.class_work import Which, class_work
from ngshare_fs.web.untrusted.sending import send_attachment
from ngshare_fs.web.untrusted.showing import Showing
from ngshare_fs.web.untrusted.trees_in_zip import zip_of_parts, zip_of_tree
from ngshare_fs.web.untrusted.zip_stream import send_zip

PREFIX = "/services/ngshare/"
STUDENT = "ada"


def hand_in(volume: Volume, files: Mapping[str, bytes], student: str = STUDENT) -> Timestamp:
    """Hand in any files."""
    with volume.upload() as work:
        work.accept(_incoming(files))
        return submission.submit(volume, "c", "a", student, work)


def give_feedback(volume: Volume, moment: Timestamp, files: Mapping[str, bytes], student: str = STUDENT) -> Timestamp:
    """Give any files as feedback."""
    with volume.upload() as made:
        made.accept(_incoming(files))
        return feedback.give(volume, "c", "a", student, moment, "kevin", made)


def _incoming(files: Mapping[str, bytes]) -> list[IncomingFile]:
    return [
        IncomingFile(path, len(content), hashlib.md5(content).hexdigest(), content) for path, content in files.items()
    ]


def make_application(volume: Volume) -> web.Application:
    """An application below `PREFIX`: `view/KIND/PATH`, `file/KIND/PATH`, `zip`, `class/WHICH`."""
    blocking = Blocking()
    showing = Showing(blocking)

    def opened(kind: str) -> Tree:
        tree = submission.collect(volume, "c", "a", STUDENT, None)
        if kind == "submission":
            return tree
        with tree:
            found = feedback.newest(volume, "c", "a", STUDENT, tree.timestamp)
        assert found is not None
        return found

    def named(tree: Tree, path: str) -> StoredFile:
        return next(file for file in tree.manifest.files if file.path == path)

    async def view(request: web.Request) -> web.StreamResponse:
        kind, path = request.match_info["kind"], request.match_info["path"]
        with await blocking.read(opened, kind) as tree:
            frame = bare_frame(request, PREFIX, "title.preview")
            return await showing.show(request, tree, named(tree, path), frame, f"{PREFIX}file/{kind}/{path}")

    async def file(request: web.Request) -> web.StreamResponse:
        with await blocking.read(opened, request.match_info["kind"]) as tree:
            return await send_attachment(request, blocking, tree, named(tree, request.match_info["path"]))

    async def tree_zip(request: web.Request) -> web.StreamResponse:
        return await send_zip(request, blocking, "work.zip", zip_of_tree(lambda: opened("submission")))

    async def class_zip(request: web.Request) -> web.StreamResponse:
        which = Which(request.match_info["which"])
        parts = await blocking.read(class_work, volume, "c", "a", which, "feedback" in request.query)
        return await send_zip(request, blocking, "class.zip", zip_of_parts(parts, "Left out:"))

    async def close(_: web.Application) -> None:
        blocking.close()

    application = web.Application(middlewares=[answering_failures(False)])
    application.router.add_get(PREFIX + "view/{kind}/{path:.+}", view)
    application.router.add_get(PREFIX + "file/{kind}/{path:.+}", file)
    application.router.add_get(PREFIX + "zip", tree_zip)
    application.router.add_get(PREFIX + "class/{which}", class_zip)
    application.on_response_prepare.append(add_headers)
    application.on_cleanup.append(close)
    return application
