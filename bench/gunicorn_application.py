"""The same application for gunicorn: `gunicorn -k aiohttp.GunicornWebWorker bench.gunicorn_application:application`."""

import os

from aiohttp import web

from ngshare_fs.server.application import make_application
from ngshare_fs.server.drain import AccessLog
from ngshare_fs.settings import read_settings
from ngshare_fs.store import Volume

# Its own log lines would make the comparison one of log formats.
__all__ = ["AccessLog", "application"]


async def application() -> web.Application:
    settings = read_settings({"standalone": True, "debug": True, "admins": "root"}, os.environ)
    return make_application(Volume.open(settings.data), settings)
