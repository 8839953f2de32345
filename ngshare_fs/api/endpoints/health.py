"""Whether the server is alive, and whether its volume, which it names, can be read and written."""

import asyncio

from aiohttp import web

from ngshare_fs.api.blocking import Blocking
from ngshare_fs.http.mere_look import MERE_LOOK
from ngshare_fs.store import StoreError, Volume, identity_of

# A volume that takes longer for one small file is of no use to anybody.
READY_SECONDS = 10.0
PATHS = ("healthz", "readyz")


def add_routes(application: web.Application, prefix: str, volume: Volume, blocking: Blocking) -> None:
    """Add `healthz` and `readyz`, under the prefix and, for probes that know nothing of it, at the root."""

    async def healthz(request: web.Request) -> web.Response:
        request[MERE_LOOK] = True
        return web.json_response({"success": True})

    async def readyz(request: web.Request) -> web.Response:
        identity = ""
        try:
            problem, identity = await asyncio.wait_for(blocking.read(_look, volume), READY_SECONDS)
        except asyncio.TimeoutError:
            problem = f"no answer within {READY_SECONDS:.0f} s"
        except StoreError as error:
            problem = str(error)
        if problem is None:
            request[MERE_LOOK] = True
            return web.json_response({"success": True, "volume": identity})
        return web.json_response({"success": False, "message": f"Storage is not usable: {problem}"}, status=503)

    for place in dict.fromkeys(("/", prefix)):
        application.router.add_get(place + "healthz", healthz)
        application.router.add_get(place + "readyz", readyz)


def _look(volume: Volume) -> tuple[str | None, str]:
    """What keeps the volume from being used, and what tells it from others."""
    problem = volume.ready()
    return problem, "" if problem else identity_of(volume.root)
