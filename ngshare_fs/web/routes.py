"""Where pages are in the application."""

from collections.abc import Callable

from aiohttp import web

from ngshare_fs.access.identity import Caller, Identity
from ngshare_fs.api.blocking import Blocking
from ngshare_fs.http.route_pattern import route_pattern
from ngshare_fs.settings import Settings
from ngshare_fs.store import Volume
from ngshare_fs.web.frame import static_files
from ngshare_fs.web.frame.rendering import add_headers
from ngshare_fs.web.frame.uploads import Uploads
from ngshare_fs.web.serving import Pages
from ngshare_fs.web.table import DOWNLOADS, PAGES
from ngshare_fs.web.untrusted.showing import Showing


def add_routes(
    application: web.Application,
    settings: Settings,
    volume: Volume,
    blocking: Blocking,
    identity: Identity,
    met: Callable[[str, Caller], None],
    uploads: Uploads,
) -> None:
    """Serve the pages below the prefix.

    Args:
        met: notes somebody who was let into a course.
        uploads: takes forms with files.
    """
    prefix = settings.prefix
    static_files.contents()
    menu = [each for each in PAGES if each.in_menu]
    pages = Pages(settings, volume, blocking, identity, met, Showing(blocking), menu, uploads)

    async def with_slash(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": prefix})

    for declared in PAGES:
        path = prefix + route_pattern(declared.path)
        application.router.add_get(path, pages.shows(declared))
        if declared.forms or declared.upload:
            application.router.add_post(path, pages.takes(declared))
    for offered in DOWNLOADS:
        application.router.add_get(prefix + route_pattern(offered.path), pages.hands_out(offered))
    application.router.add_get(prefix + "pages{rest:(?:/.*)?}", pages.nowhere)
    application.router.add_get(prefix + static_files.FOLDER + "{name}", static_files.serve)
    if prefix != "/":
        application.router.add_get(prefix.rstrip("/"), with_slash)
    application.on_response_prepare.append(add_headers)
