"""Floors: the least that a server of aiohttp can do with the same requests, holding nothing but times in memory.

`python -m bench.floors KIND [FILE]`, where KIND is

- `read`: reads the body, nothing else
- `decode`: takes it apart as well, with the standard library: form, JSON, base64, MD5
- `decode-multipart`: the same for what the plug-ins send
- `static`: sends FILE, a ready-made answer
"""

import asyncio
import base64
import hashlib
import json
import sys
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl

from aiohttp import web

from bench.client import token_of

BODY_AT_MOST = 2**30


class Floor:
    """One of them; remembers who was acknowledged what, so that its answers can be checked like any other's."""

    def __init__(self, kind: str, file: str = "") -> None:
        self._kind, self._file = kind, file
        self._times: defaultdict[str, list[str]] = defaultdict(list)
        self._latest = datetime.now(timezone.utc)

    def application(self) -> web.Application:
        """Its routes: the paths of the API that the works ask for."""
        application = web.Application(client_max_size=BODY_AT_MOST)
        submit = {"decode": self._decode, "decode-multipart": self._decode_multipart}.get(self._kind, self._read)
        application.add_routes(
            [
                web.post("/api/submission/{course}/{assignment}", submit),
                web.get("/api/submissions/{course}/{assignment}/{student}", self._own_list),
                web.get("/api/assignment/{course}/{assignment}", self._ready_made),
                web.get("/api/submission/{course}/{assignment}/{student}", self._ready_made),
                web.get("/api/healthz", self._healthz),
            ]
        )
        return application

    async def _read(self, request: web.Request) -> web.Response:
        body = await request.read()
        user = request.query.get("user")
        return self._acknowledge(user or body[len(b"user=") : body.index(b"&")].decode())

    async def _decode(self, request: web.Request) -> web.Response:
        form = dict(parse_qsl((await request.read()).decode()))
        _take_apart(form["files"])
        return self._acknowledge(form["user"])

    async def _decode_multipart(self, request: web.Request) -> web.Response:
        boundary = request.headers["Content-Type"].partition("boundary=")[2]
        for part in (await request.read()).split(f"--{boundary}".encode())[1:-1]:
            head, _, value = part.partition(b"\r\n\r\n")
            if b'name="files"' in head:
                _take_apart(value)
        return self._acknowledge(request.headers["Authorization"].removeprefix("token " + token_of("")))

    def _acknowledge(self, student: str) -> web.Response:
        self._latest = max(datetime.now(timezone.utc), self._latest + timedelta(microseconds=1))
        moment = self._latest.strftime("%Y-%m-%d %H:%M:%S.%f UTC")
        self._times[student].append(moment)
        return web.json_response({"success": True, "timestamp": moment})

    async def _own_list(self, request: web.Request) -> web.Response:
        student = request.match_info["student"]
        entries = [{"student_id": student, "timestamp": moment} for moment in self._times[student]]
        return web.json_response({"success": True, "submissions": entries})

    async def _ready_made(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(self._file, headers={"Content-Type": "application/json"})

    async def _healthz(self, request: web.Request) -> web.Response:
        return web.json_response({"success": True})


def _take_apart(tree: str | bytes) -> None:
    for file in json.loads(tree):
        hashlib.md5(base64.b64decode(file["content"])).hexdigest()


async def serve(kind: str, file: str = "") -> None:
    """Serve on a free port until the process is ended."""
    runner = web.AppRunner(Floor(kind, file).application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    print(f"listening on http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
