"""The same application for gunicorn: `gunicorn -k aiohttp.GunicornWebWorker bench.gunicorn_application:application`."""

import os

from aiohttp import web

from ngshare_fs.application import make_application
from ngshare_fs.settings.options import read_settings
from ngshare_fs.store import Volume
from ngshare_fs.traffic import AccessLog

# Its own log lines would make the comparison one of log formats.
__all__ = ["AccessLog", "application"]


async def application() -> web.Application:
    settings = read_settings({"standalone": True, "debug": True, "admins": "root"}, os.environ)
    return make_application(Volume.open(settings.data), settings)
