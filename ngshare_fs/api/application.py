"""Puts the application together."""

from typing import TYPE_CHECKING

from aiohttp import web

from ngshare_fs.api import health, openapi
from ngshare_fs.api.blocking import Blocking
from ngshare_fs.api.dispatch import Dispatcher
from ngshare_fs.api.endpoints import ENDPOINTS
from ngshare_fs.api.failures import answering_failures
from ngshare_fs.api.form import FormReader
from ngshare_fs.api.identity import HubIsMissing, StandAlone
from ngshare_fs.store import Volume

if TYPE_CHECKING:
    from ngshare_fs.config import Settings


def make_application(volume: Volume, settings: "Settings") -> web.Application:
    """The application that serves a volume.

    Args:
        volume: open; closed by the caller, after the application.
        settings: of which it heeds `standalone`, `admins`, `prefix`, `debug`, `max_request` and `max_files`.
    """
    blocking = Blocking()
    dispatcher = Dispatcher(
        volume=volume,
        blocking=blocking,
        forms=FormReader(blocking, settings.max_request, settings.max_files),
        identity=StandAlone() if settings.standalone else HubIsMissing(),
        admins=settings.admins,
        debug=settings.debug,
    )
    application = web.Application(middlewares=[answering_failures(settings.debug)])
    for endpoint in ENDPOINTS:
        application.router.add_route(
            endpoint.method,
            settings.prefix + endpoint.path,
            dispatcher.handler(endpoint),
            expect_handler=dispatcher.expect,
        )
    health.add_routes(application, settings.prefix, volume, blocking)
    openapi.add_route(application, settings)

    async def finish_slow_calls(_: web.Application) -> None:
        blocking.close()

    application.on_cleanup.append(finish_slow_calls)
    return application
