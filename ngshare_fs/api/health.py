"""Whether the server is alive, and whether its volume can be read and written."""

import asyncio

from aiohttp import web

from ngshare_fs.api.blocking import Blocking
from ngshare_fs.store import StoreError, Volume

# A volume that takes longer for one small file is of no use to anybody.
READY_SECONDS = 10.0
PATHS = ("healthz", "readyz")


def add_routes(application: web.Application, prefix: str, volume: Volume, blocking: Blocking) -> None:
    """Add `healthz` and `readyz`, under the prefix and, for probes that know nothing of it, at the root."""

    async def healthz(request: web.Request) -> web.Response:
        return web.json_response({"success": True})

    async def readyz(request: web.Request) -> web.Response:
        try:
            problem = await asyncio.wait_for(blocking.read(volume.ready), READY_SECONDS)
        except asyncio.TimeoutError:
            problem = f"no answer within {READY_SECONDS:.0f} s"
        except StoreError as error:
            problem = str(error)
        if problem is None:
            return web.json_response({"success": True})
        return web.json_response({"success": False, "message": f"Storage is not usable: {problem}"}, status=503)

    for place in dict.fromkeys(("/", prefix)):
        application.router.add_get(place + "healthz", healthz)
        application.router.add_get(place + "readyz", readyz)
