"""A hub with groups that change at will, in a thread of its own; what a real one does is in tests/hubs."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fallible_hub import FallibleHub, user

LIST, READ = "list:groups", "read:groups"
OWN_TOKEN = "own-token"


@dataclass
class HubWithGroups(FallibleHub):
    """It has these groups, and shows them as the scopes of who asks allow.

    Args:
        groups: the names of their users, by name.
        page: how many groups a page has at most.
        asked: the groups that were asked for by name.
        before_page: called before each page, with the number of the group at which it begins.
    """

    groups: dict[str, list[str]] = field(default_factory=dict)
    page: int = 50
    asked: list[str] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    before_page: Any = None

    def grant(self, *scopes: str) -> None:
        """Give these scopes to the service."""
        self.owners[OWN_TOKEN] = user("ngshare", *scopes, kind="service")

    def application(self) -> web.Application:
        application = super().application()
        application.router.add_get("/hub/api/groups", self._groups)
        application.router.add_get("/hub/api/groups/{name}", self._group)
        return application

    def _scopes(self, request: web.Request) -> set[str]:
        token = request.headers["Authorization"].removeprefix("token ")
        return set(self.owners.get(token, {}).get("scopes", ()))

    def _shown(self, name: str, scopes: set[str]) -> dict[str, Any]:
        shown: dict[str, Any] = {"kind": "group", "name": name}
        if scopes & {READ, f"{READ}!group={name}"}:
            shown["users"] = self.groups[name]
        return shown

    async def _groups(self, request: web.Request) -> web.Response:
        scopes = self._scopes(request)
        assert request.headers["Accept"] == "application/jupyterhub-pagination+json"
        if LIST not in scopes:
            return await self._answer(web.json_response({"status": 403, "message": "no scope"}, status=403))
        offset, limit = int(request.query["offset"]), min(int(request.query["limit"]), self.page)
        self.pages.append(offset)
        if self.before_page is not None:
            self.before_page(offset)
        names = list(self.groups)
        following = offset + limit
        pages = {
            "offset": offset, "limit": limit, "total": len(names),
            "next": {"offset": following, "limit": limit, "url": "elsewhere"} if following < len(names) else None,
        }  # fmt: skip
        items = [self._shown(name, scopes) for name in names[offset:following]]
        return await self._answer(web.json_response({"items": items, "_pagination": pages}))

    async def _group(self, request: web.Request) -> web.Response:
        name, scopes = request.match_info["name"], self._scopes(request)
        self.asked.append(name)
        if name not in self.groups or "users" not in self._shown(name, scopes):
            return await self._answer(web.json_response({"status": 404, "message": "not found"}, status=404))
        return await self._answer(web.json_response(self._shown(name, scopes)))


@contextmanager
def hub_in_a_thread(hub: HubWithGroups) -> Iterator[HubWithGroups]:
    """Run it where a command that blocks can ask it."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(hub.application())

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port: int = runner.addresses[0][1]
        return port

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        port = asyncio.run_coroutine_threadsafe(start(), loop).result(30)
        hub.url = f"http://127.0.0.1:{port}"
        yield hub
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
