"""A hub that can be slow, dead or confused at will, which a real one cannot; what a real one does is in tests/hubs."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from ngshare_fs.settings import Hub


def user(name: str, *scopes: str, admin: bool = False, kind: str = "user") -> dict[str, Any]:
    """What a hub says of a token's owner."""
    return {"kind": kind, "name": name, "admin": admin, "scopes": list(scopes)}


@dataclass
class FallibleHub:
    """It knows these tokens.

    Args:
        owners: by token.
        calls: how often each token was asked about.
        gate: closed, nobody gets an answer.
        broken: answers everything with this status and body.
        date: what its clock says, as an answer has it; the true time where it is None.
    """

    url: str = ""
    owners: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    broken: tuple[int, str] | None = None
    date: Callable[[], str] | None = None
    codes: dict[str, str] = field(default_factory=dict)
    greeted: int = 0
    own_token: str = "own-token"
    forms: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    @property
    def hub(self) -> Hub:
        return Hub(
            f"{self.url}/hub/api",
            "own-token",
            "service-ngshare",
            "ngshare",
            "/hub/",
            "/services/ngshare/oauth_callback",
        )

    async def begin(self, aiohttp_server: Any) -> None:
        """Answer at an address of its own from now on, by pytest-aiohttp's fixture."""
        server = await aiohttp_server(self.application())
        self.url = str(server.make_url("")).rstrip("/")

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/hub/api/user", self._user)
        application.router.add_get("/hub/api/", self._version)
        application.router.add_post("/hub/api/oauth2/token", self._token)
        return application

    async def _version(self, request: web.Request) -> web.Response:
        self.greeted += 1
        return await self._answer(web.json_response({"version": "0.0.0"}))

    async def _user(self, request: web.Request) -> web.Response:
        token = request.headers["Authorization"].removeprefix("token ")
        self.calls[token] += 1
        if token not in self.owners:
            return await self._answer(web.json_response({"status": 403, "message": None}, status=403))
        return await self._answer(web.json_response(self.owners[token]))

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append(form)
        if (form["client_id"], form["client_secret"]) != ("service-ngshare", self.own_token):
            return await self._answer(web.json_response({"error": "invalid_client"}, status=401))
        if form["code"] not in self.codes:
            return await self._answer(web.json_response({"error": "invalid_grant"}, status=400))
        token = self.codes.pop(form["code"])
        return await self._answer(web.json_response({"access_token": token, "expires_in": 1000}))

    async def _answer(self, answer: web.Response) -> web.Response:
        await self.gate.wait()
        if self.broken is not None:
            return web.Response(status=self.broken[0], text=self.broken[1])
        if self.date is not None:
            answer.headers["Date"] = self.date()
        return answer
