"""The service of a hub, and a browser whose user signs in."""

import dataclasses
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientResponse, DummyCookieJar
from aiohttp.test_utils import TestClient

from ngshare_fs.server.application import make_application
from ngshare_fs.settings import Settings
from ngshare_fs.store import Volume
from tests.fallible_hub import FallibleHub, user

PREFIX = "/services/ngshare/"
NAVIGATION = {"Accept": "text/html"}


@dataclass
class Service:
    """The service, its hub and a browser's state."""

    client: "TestClient[Any, Any]"
    hub: FallibleHub
    volume: Volume
    settings: Settings

    async def ask(self, path: str, method: str = "GET", /, **headers: str) -> ClientResponse:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        response: ClientResponse = await self.client.request(
            method, PREFIX + path, headers=named, allow_redirects=False
        )
        await response.read()
        return response

    async def status(self, token: str, path: str = "courses") -> tuple[int, str]:
        response = await self.ask(path, Authorization=f"token {token}")
        return response.status, (await response.json()).get("message", "")

    @property
    def origin(self) -> str:
        return str(self.client.make_url("")).rstrip("/")


@pytest.fixture
async def service(
    opened_volumes: list[Volume], aiohttp_server: Any, aiohttp_client: Any, settings: Settings
) -> Service:
    hub = FallibleHub(
        owners={
            "server": user("ada", "access:servers!server=ada/"),
            "page": user("ada", "access:services!service=ngshare"),
            "none": user("ada", "read:users:name!user=ada"),
            "other": user("ada", "access:servers!server=bob/"),
            "root": user("root", "access:services"),
            "boss": user("boss", "access:services", admin=True),
            "like": user("service:grader", "access:services"),
            "grader": user("grader", kind="service"),
            "reader": user("reader", kind="service"),
            "kevin": user("kevin", "access:services", kind="service"),
        }
    )
    await hub.begin(aiohttp_server)
    settings = dataclasses.replace(
        settings,
        standalone=False,
        hub=hub.hub,
        prefix=PREFIX,
        services={"grader": True, "reader": False},
        auth_cache=0,
        auth_grace=0,
        debug=True,
    )
    volume = Volume.open(settings.data)
    opened_volumes.append(volume)
    client = await aiohttp_client(make_application(volume, settings), cookie_jar=DummyCookieJar())
    return Service(client, hub, volume, settings)


@pytest.fixture
async def again(aiohttp_client: Any) -> Any:
    """Makes the same service with other settings."""

    async def make(service: Service, **changes: Any) -> Service:
        settings = dataclasses.replace(service.settings, **changes)
        client = await aiohttp_client(make_application(service.volume, settings), cookie_jar=DummyCookieJar())
        return Service(client, service.hub, service.volume, settings)

    return make


async def sign_in(service: Service, token: str = "page", path: str = "", **headers: str) -> str:
    """Sign in as a browser does; the session's cookie."""
    begun = await service.ask(path, **NAVIGATION, **headers)
    assert begun.status == 302
    query = parse_qs(urlsplit(begun.headers["Location"]).query)
    (cookie,) = begun.headers.getall("Set-Cookie")
    service.hub.codes["code"] = token
    back = await service.ask(
        f"oauth_callback?code=code&state={query['state'][0]}", Cookie=cookie.partition(";")[0], **NAVIGATION, **headers
    )
    assert back.status == 302, await back.text()
    assert back.headers["Location"] == PREFIX + path
    session, ended = back.headers.getall("Set-Cookie")
    assert ended.startswith(cookie.partition("=")[0] + '="";')
    for attribute in ("HttpOnly", "SameSite=Lax", f"Path={PREFIX}"):
        assert attribute in session
        assert attribute in cookie
    return session


async def page_of(service: Service, cookie: str) -> str:
    response = await service.ask("", Cookie=cookie, **NAVIGATION)
    assert response.status == 200
    return await response.text()


def xsrf_in(page: str) -> str:
    found = re.search(r'<meta name="xsrf-token" content="([^"]+)">', page)
    assert found
    return found[1]


@pytest.fixture
async def cookie(service: Service) -> str:
    return (await sign_in(service, "root")).partition(";")[0]
