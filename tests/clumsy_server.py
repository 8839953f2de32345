"""A watched server with a mistake: whenever somebody asks, it looks at a file without asking a thread to."""

import os

from aiohttp import web

from ngshare_fs.access.identity import Caller, StandAlone
from tests import watched_server


async def _from_headers(self: StandAlone, request: web.Request, writes: bool, sent: str | None = None) -> Caller | None:
    os.stat("/")
    return None


if __name__ == "__main__":
    StandAlone.from_headers = _from_headers  # type: ignore[method-assign]
    watched_server.run()
