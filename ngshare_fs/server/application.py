"""Puts the application together."""

import asyncio
from functools import partial

from aiohttp import web

from ngshare_fs.access.identity import Admission, Identity, SignedIn, StandAlone
from ngshare_fs.access.sessions import Sessions
from ngshare_fs.api import openapi
from ngshare_fs.api.blocking import Blocking
from ngshare_fs.api.dispatch import Dispatcher
from ngshare_fs.api.endpoints import health
from ngshare_fs.api.endpoints.table import ENDPOINTS
from ngshare_fs.api.first_contact import FirstContacts
from ngshare_fs.api.page_forms import ArrivingForm
from ngshare_fs.api.request.file_form import Bounds
from ngshare_fs.api.request.form import FormReader
from ngshare_fs.api.response.release_cache import ReleaseCache
from ngshare_fs.api.stored_bytes import StoredBytes
from ngshare_fs.api.volume_walk import VolumeWalk
from ngshare_fs.api.writer import WriterStarter, WriteScheduler
from ngshare_fs.http.error_responses import answering_failures
from ngshare_fs.http.route_pattern import route_pattern
from ngshare_fs.hub import HubClient, Tokens
from ngshare_fs.server.request_metrics import PREFIX
from ngshare_fs.settings import Settings
from ngshare_fs.store import Volume, secret
from ngshare_fs.store.quota import Limits
from ngshare_fs.web import routes, sign_in


def make_application(volume: Volume, settings: Settings, starter: WriterStarter | None = None) -> web.Application:
    """The application that serves a volume.

    Args:
        volume: open; closed by the caller, after the application.
        settings: of which it heeds all but where to listen and how many processes there are.
        starter: starts the process that writes; without it, threads of this one do.

    Raises:
        VolumeError: the secret that cookies are sealed with can neither be read nor made.
    """
    blocking = Blocking()
    application = web.Application(middlewares=[answering_failures(settings.debug)])
    application[PREFIX] = settings.prefix
    writes = WriteScheduler(blocking, volume, starter)
    identity = _identity(application, volume, settings)
    limits = Limits(settings.quota_volume, settings.quota_course, settings.quota_student)
    stored = StoredBytes(volume, limits)
    contacts = FirstContacts(volume, blocking)
    dispatcher = Dispatcher(
        volume=volume,
        blocking=blocking,
        writes=writes,
        forms=FormReader(blocking, settings.max_request, settings.max_files),
        identity=identity,
        debug=settings.debug,
        ready=ReleaseCache(),
        limits=limits,
        stored=stored,
        contacts=contacts,
    )
    for endpoint in ENDPOINTS:
        application.router.add_route(
            endpoint.method,
            settings.prefix + route_pattern(endpoint.path),
            dispatcher.handler(endpoint),
            expect_handler=dispatcher.expect,
        )
    health.add_routes(application, settings.prefix, volume, blocking)
    if settings.metrics:
        _serve_metrics(application, volume)
    _count(application, VolumeWalk(volume, settings.metrics))
    openapi.add_route(application, settings)
    bounds = Bounds(settings.max_request, settings.max_files)
    uploads = partial(ArrivingForm, dispatcher, bounds)
    routes.add_routes(application, settings, volume, blocking, identity, contacts.met, uploads)

    async def start_writing(_: web.Application) -> None:
        await writes.start()
        stored.start()

    async def finish_slow_calls(_: web.Application) -> None:
        await writes.close()
        await stored.close()
        await contacts.close()
        # What still runs may take long; whoever asks the process to end at once is to be heard meanwhile.
        await asyncio.to_thread(blocking.close)

    application.on_startup.append(start_writing)
    application.on_cleanup.append(finish_slow_calls)
    return application


def _serve_metrics(application: web.Application, volume: Volume) -> None:
    # Imported where it is wanted: prometheus_client takes a tenth of a second and 3 MiB.
    from ngshare_fs.api.endpoints import metrics

    metrics.add_route(application, volume)


def _count(application: web.Application, walk: VolumeWalk) -> None:
    async def start_walk(_: web.Application) -> None:
        walk.start()

    async def stop_walk(_: web.Application) -> None:
        walk.stop()

    application.on_startup.append(start_walk)
    application.on_cleanup.append(stop_walk)


def _identity(application: web.Application, volume: Volume, settings: Settings) -> Identity:
    if settings.hub is None:
        return StandAlone(settings.admins, settings.course_creators)
    hub = HubClient(settings.hub)

    async def leave_hub(_: web.Application) -> None:
        await hub.close()

    application.on_cleanup.append(leave_hub)
    sessions = Sessions(settings.cookie_secret or secret.cookie_secret(volume), settings.prefix)
    tokens = Tokens(hub, settings.auth_cache, settings.auth_grace)
    identity = SignedIn(tokens, sessions, Admission.configured(settings), settings.prefix)
    sign_in.add_routes(application, settings, hub, sessions)
    return identity
