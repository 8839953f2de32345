"""A hub that knows every user by a token made of the name: `python -m bench.fake_hub`.

It answers faster than a real one, which favours those who ask it most.
"""

import asyncio

from aiohttp import web

from bench.client import token_of
from bench.launch import SERVICE, SERVICE_TOKEN


async def _version(request: web.Request) -> web.Response:
    return web.json_response({"version": "5.3.0"})


async def _user(request: web.Request) -> web.Response:
    token = request.headers.get("Authorization", "").removeprefix("token ").removeprefix("Bearer ")
    if token == SERVICE_TOKEN:
        return web.json_response({"kind": "service", "name": SERVICE, "admin": False, "roles": [], "scopes": []})
    user = token.removeprefix(token_of(""))
    if user in ("", token):
        return web.json_response({"status": 403, "message": "Forbidden"}, status=403)
    scopes = [
        "access:services",
        f"access:servers!user={user}",
        f"read:users!user={user}",
        f"users:activity!user={user}",
    ]
    said = {"kind": "user", "name": user, "admin": False, "roles": ["user"], "groups": [], "scopes": scopes}
    dates = {"created": "2020-01-30T10:30:00Z", "last_activity": "2020-01-31T09:00:00Z"}
    return web.json_response({**said, **dates, "session_id": None, "pending": None, "server": f"/user/{user}/"})


async def serve() -> None:
    """Serve on a free port until the process is ended."""
    application = web.Application()
    application.add_routes([web.get("/hub/api/", _version), web.get("/hub/api/user", _user)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    print(f"listening on http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
