"""Users of a hub: who is let in with a token, and what a browser's cookie is good for."""

import asyncio
import dataclasses
import re
import stat
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientResponse, DummyCookieJar, web
from aiohttp.test_utils import TestClient

from ngshare_fs.access.cross_site import XSRF_HEADER
from ngshare_fs.access.identity import TOKEN
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.server.application import make_application
from ngshare_fs.settings import Settings
from ngshare_fs.store import Volume, VolumeError
from ngshare_fs.store.format import layout
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
async def service(aiohttp_server: Any, aiohttp_client: Any, settings: Settings) -> Service:
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
    server = await aiohttp_server(hub.application())
    hub.url = str(server.make_url("")).rstrip("/")
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


async def test_a_token_lets_its_owner_in_if_it_is_for_this_service_or_of_the_own_server(service: Service) -> None:
    for token in ("server", "page", "root"):
        assert await service.status(token) == (200, ""), token
    for token in ("none", "other"):
        status, message = await service.status(token)
        assert status == 403
        assert "access:services!service=ngshare" in message
    for header in ("token server", "Token server", "Bearer server", "bearer   server"):
        assert (await service.ask("courses", Authorization=header)).status == 200
    for header in ("server", "Basic server", "token", "token a b", "token ä", "token " + "x" * 2000):
        assert (await service.ask("courses", Authorization=header)).status == 403, header
    assert "a b" not in service.hub.calls


async def test_a_missing_scope_is_told_to_the_operator_once(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    for token in ("none", "other", "none"):
        assert (await service.status(token))[0] == 403
    (said,) = [record.getMessage() for record in caplog.records if "missing scope" in record.getMessage()]
    assert "'ada'" in said
    assert 'the role "user" with "self", "access:services!service=ngshare"' in said
    assert "\n" not in said


async def test_where_the_scope_is_required_the_own_server_is_not_enough(service: Service, again: Any) -> None:
    strict = await again(service, require_service_scope=True)
    assert (await strict.status("server"))[0] == 403
    assert (await strict.status("page"))[0] == 200


async def test_services_are_let_in_by_name_and_never_as_users(service: Service) -> None:
    await service.ask('course/c?instructors=["kevin"]', "POST", Authorization="token root")
    status, message = await service.status("kevin")
    assert (status, "--services" in message) == (403, True)
    assert (await service.status("like"))[0] == 403
    assert (await service.ask("course/d", "POST", Authorization="token grader")).status == 200
    assert (await service.ask("course/e", "POST", Authorization="token reader")).status == 403
    assert await service.status("reader") == (200, "")
    dump = await (await service.ask("initialize-Data6ase?action=dump", Authorization="token reader")).json()
    assert "service:reader" in {entry["id"] for entry in dump["users"]}


async def test_the_hubs_admins_are_admins_only_if_that_is_wanted(service: Service, again: Any) -> None:
    assert (await service.ask("course/c", "POST", Authorization="token boss")).status == 403
    wanted = await again(service, hub_admins=True)
    assert (await wanted.ask("course/c", "POST", Authorization="token boss")).status == 200


async def test_neither_arguments_nor_the_address_say_who_is_asking(service: Service) -> None:
    assert (await service.ask("courses?user=root")).status == 403
    assert (await service.ask("courses?token=root")).status == 403
    assert (await service.ask("course/c?user=root", "POST", Authorization="token server")).status == 403
    assert (await service.ask("courses", Authorization="token user:root")).status == 403


async def test_without_the_hub_it_is_said_when_to_try_again(service: Service) -> None:
    service.hub.broken = (500, "")
    response = await service.ask("courses", Authorization="token server")
    assert response.status == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "server" not in await response.text()


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


async def test_a_browser_is_sent_to_the_hub_and_comes_back_to_where_it_wanted(service: Service) -> None:
    session = await sign_in(service, "page", "assignments/NBG%20101?x=1")
    assert "Secure" not in session
    (form,) = service.hub.forms
    assert form["redirect_uri"] == f"{PREFIX}oauth_callback"
    assert len(form["code_verifier"]) >= 43
    page = await page_of(service, session.partition(";")[0])
    assert '<strong id="user">ada</strong>' in page
    assert "token" not in session.partition(";")[0]


@pytest.mark.parametrize("path", ["//evil.test/x", "/\\evil.test/x", "///evil.test", "/courses"])
async def test_nobody_is_sent_elsewhere_after_signing_in(service: Service, aiohttp_client: Any, path: str) -> None:
    settings = dataclasses.replace(service.settings, prefix="/")
    application = make_application(service.volume, settings)
    application.router.add_get("/{anything:.*}", _refused)
    client = await aiohttp_client(application, cookie_jar=DummyCookieJar())
    url = client.make_url("/").with_path("/")
    reader, writer = await asyncio.open_connection(url.host, url.port)

    async def ask(target: str, more: str = "") -> str:
        writer.write(f"GET {target} HTTP/1.1\r\nHost: {url.host}\r\nAccept: text/html\r\n{more}\r\n".encode())
        return (await reader.readuntil(b"\r\n\r\n")).decode()

    begun = await ask(path)
    state = re.search(r"state=([^&]+)", begun)
    cookie = re.search(r"Set-Cookie: ([^;]+);", begun, re.IGNORECASE)
    assert state, begun
    assert cookie, begun
    service.hub.codes["code"] = "root"
    back = await ask(f"/oauth_callback?code=code&state={state[1]}", f"Cookie: {cookie[1]}\r\n")
    writer.close()
    location = re.search(r"Location: (.*)\r", back, re.IGNORECASE)
    assert location, back
    assert location[1] == ("/courses" if path == "/courses" else "/")


async def _refused(request: web.Request) -> web.Response:
    raise Refused(refusals.NOT_SIGNED_IN)


async def test_by_https_the_cookie_is_for_https_alone(service: Service) -> None:
    assert "Secure" in await sign_in(service, X_Forwarded_Proto="https,http")
    assert "Secure" in await sign_in(service, X_Forwarded_Proto="HTTPS")


async def test_who_is_no_browser_is_refused_and_not_sent_anywhere(service: Service) -> None:
    for headers in ({}, {"Accept": "*/*"}, {**NAVIGATION, "Sec_Fetch_Mode": "cors"}):
        response = await service.ask("courses", **headers)
        assert (response.status, (await response.json())["message"]) == (403, "Please sign in")
    assert (await service.ask("course/c", "POST", **NAVIGATION)).status == 403
    framed = await service.ask("", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="iframe", **NAVIGATION)
    assert framed.status == 403


async def test_a_sign_in_that_somebody_else_began_is_refused(service: Service) -> None:
    begun = await service.ask("", **NAVIGATION)
    state = parse_qs(urlsplit(begun.headers["Location"]).query)["state"][0]
    cookie = begun.headers["Set-Cookie"].partition(";")[0]
    service.hub.codes["code"] = "root"
    for sent in ({}, {"Cookie": cookie[:-3] + "abc"}, {"Cookie": re.sub("=.*", "=" + "A" * 80, cookie)}):
        stolen = await service.ask(f"oauth_callback?code=code&state={state}", **sent, **NAVIGATION)
        assert stolen.status == 403
        assert "not begun in this browser" in await stolen.text()
    other = await service.ask(f"oauth_callback?code=code&state={state[:8]}another", Cookie=cookie, **NAVIGATION)
    assert other.status == 403
    assert not service.hub.forms


async def test_a_session_does_not_pass_for_a_sign_in_nor_the_other_way_round(service: Service, cookie: str) -> None:
    value = cookie.partition("=")[2]
    forged = await service.ask("oauth_callback?code=x&state=12345678", Cookie=f"ngshare-sign-in-12345678={value}")
    assert forged.status == 403
    begun = await service.ask("", **NAVIGATION)
    value = begun.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
    assert (await service.ask("courses", Cookie=f"ngshare-session={value}", **NAVIGATION)).status == 302


async def test_a_hub_that_forgot_this_service_is_told(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    begun = await service.ask("", **NAVIGATION)
    state = parse_qs(urlsplit(begun.headers["Location"]).query)["state"][0]
    cookie = begun.headers["Set-Cookie"].partition(";")[0]
    service.hub.own_token = "another"
    response = await service.ask(f"oauth_callback?code=x&state={state}", Cookie=cookie, **NAVIGATION)
    assert response.status == 503
    assert "does not know this service" in await response.text()
    assert "nobody can sign in" in caplog.text


@pytest.mark.parametrize(
    "content",
    [
        "<html>",
        "[]",
        "{}",
        '{"access_token": ""}',
        '{"access_token": 1}',
        '{"access_token": "a\\nb"}',
        '{"access_token": "\\ud800"}',
        "[" * 100_000,
    ],
)
async def test_a_hub_that_gives_out_no_token_signs_nobody_in(service: Service, content: str) -> None:
    begun = await service.ask("", **NAVIGATION)
    state = parse_qs(urlsplit(begun.headers["Location"]).query)["state"][0]
    cookie = begun.headers["Set-Cookie"].partition(";")[0]
    service.hub.broken = (200, content)
    response = await service.ask(f"oauth_callback?code=x&state={state}", Cookie=cookie, **NAVIGATION)
    assert (response.status, response.headers["Retry-After"]) == (503, "5")
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("seconds", ["-1", "0", "1e400", "null", '"x"', "9" * 400])
async def test_how_long_a_session_holds_is_no_more_than_a_month(service: Service, seconds: str) -> None:
    begun = await service.ask("", **NAVIGATION)
    state = parse_qs(urlsplit(begun.headers["Location"]).query)["state"][0]
    cookie = begun.headers["Set-Cookie"].partition(";")[0]
    service.hub.broken = (200, f'{{"access_token": "root", "expires_in": {seconds}}}')
    response = await service.ask(f"oauth_callback?code=x&state={state}", Cookie=cookie, **NAVIGATION)
    assert response.status == 302
    held = re.search(r"ngshare-session=[^;]+;.*Max-Age=(\d+)", response.headers.getall("Set-Cookie")[0])
    assert held
    assert 0 < int(held[1]) <= 30 * 24 * 3600


@pytest.mark.parametrize(("query", "status"), [("code=wrong", 403), ("error=access_denied", 403), ("", 403)])
async def test_what_the_hub_does_not_grant_is_told_on_a_page(service: Service, query: str, status: int) -> None:
    begun = await service.ask("", **NAVIGATION)
    state = parse_qs(urlsplit(begun.headers["Location"]).query)["state"][0]
    cookie = begun.headers["Set-Cookie"].partition(";")[0]
    response = await service.ask(f"oauth_callback?{query}&state={state}", Cookie=cookie, **NAVIGATION)
    assert response.status == status
    assert "did not sign you in" in await response.text()
    service.hub.broken = (502, "")
    response = await service.ask(f"oauth_callback?code=x&state={state}", Cookie=cookie, **NAVIGATION)
    assert (response.status, response.headers["Retry-After"]) == (503, "5")


async def test_a_session_ends_when_the_hub_ends_it(service: Service, cookie: str) -> None:
    assert (await service.ask("courses", Cookie=cookie, **NAVIGATION)).status == 200
    del service.hub.owners["root"]
    assert (await service.ask("courses", Cookie=cookie, **NAVIGATION)).status == 302


async def test_a_session_holds_for_every_process_and_survives_restarts(
    service: Service, cookie: str, again: Any
) -> None:
    other = await again(service)
    assert (await other.ask("courses", Cookie=cookie, **NAVIGATION)).status == 200
    stranger = await again(service, cookie_secret="x" * 32)
    assert (await stranger.ask("courses", Cookie=cookie, **NAVIGATION)).status == 302


# What a browser sends with a request of a page: headers besides the cookie, and whether it is believed.
FROM_WITHIN = {"Referer": "ORIGIN" + PREFIX}
CHANGES = [
    ({**FROM_WITHIN, "XSRF": "right"}, True),
    ({**FROM_WITHIN, "XSRF": "right", "Origin": "ORIGIN", "Sec_Fetch_Site": "same-origin"}, True),
    ({**FROM_WITHIN}, False),
    ({**FROM_WITHIN, "XSRF": "wrong"}, False),
    ({**FROM_WITHIN, "XSRF": "ä"}, False),
    ({"XSRF": "right"}, False),
    ({"XSRF": "right", "Origin": "ORIGIN"}, False),
    ({"XSRF": "right", "Referer": "ORIGIN/user/mallory/"}, False),
    ({"XSRF": "right", "Referer": "ORIGIN/services/ngshare-not/"}, False),
    ({"XSRF": "right", "Referer": "http://evil.test" + PREFIX}, False),
    ({"XSRF": "right", "Referer": "http://[" + PREFIX}, False),
    ({"XSRF": "right", "Referer": "ORIGIN/services%2fngshare/"}, False),
    ({"XSRF": "right", "Referer": "ORIGIN/user/mallory" + PREFIX}, False),
    ({"XSRF": "right", "Referer": "ORIGIN/user/mallory?" + PREFIX}, False),
    ({"XSRF": "right", "Referer": "ORIGIN" + PREFIX[:-1]}, False),
    ({"XSRF": "right", "Referer": "ORIGIN@evil.test" + PREFIX}, False),
    ({"XSRF": "right", "Referer": "ORIGIN.evil.test" + PREFIX}, False),
    ({"XSRF": "right", "Referer": "ORIGIN0" + PREFIX}, False),
    ({"XSRF": "right", "Referer": PREFIX}, False),
    ({**FROM_WITHIN, "XSRF": "right", "Origin": "ORIGIN@evil.test"}, False),
    ({**FROM_WITHIN, "XSRF": "right", "Origin": "ORIGIN0"}, False),
    ({**FROM_WITHIN, "XSRF": "right", "Origin": "file://"}, False),
    ({**FROM_WITHIN, "XSRF": "right", "Origin": ""}, False),
    ({**FROM_WITHIN, "XSRF": "right", "Sec_Fetch_Site": "none"}, False),
    ({**FROM_WITHIN, "XSRF": "right", "Origin": "http://evil.test"}, False),
    ({**FROM_WITHIN, "XSRF": "right", "Origin": "null"}, False),
    ({**FROM_WITHIN, "XSRF": "right", "Sec_Fetch_Site": "cross-site"}, False),
    ({**FROM_WITHIN, "XSRF": "right", "Sec_Fetch_Site": "same-site"}, False),
    ({**NAVIGATION}, False),
]


@pytest.mark.parametrize(("headers", "believed"), CHANGES)
async def test_with_a_cookie_only_our_own_pages_change_anything(
    service: Service, cookie: str, headers: dict[str, str], believed: bool
) -> None:
    right = xsrf_in(await page_of(service, cookie))
    sent = {name: text.replace("ORIGIN", service.origin) for name, text in headers.items() if name != "XSRF"}
    if "XSRF" in headers:
        sent[XSRF_HEADER] = right if headers["XSRF"] == "right" else headers["XSRF"]
    response = await service.ask("course/c", "POST", Cookie=cookie, **sent)
    assert response.status == (200 if believed else 403)
    assert (service.settings.data / "courses/c").exists() == believed
    if not believed:
        assert "Not sent by a page of this service" in (await response.json())["message"]


@pytest.mark.parametrize(
    ("headers", "believed"),
    [
        ({**NAVIGATION}, True),
        ({**NAVIGATION, "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document", "Sec_Fetch_Site": "none"}, True),
        ({**NAVIGATION, "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"}, False),
        ({"Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty", "Sec_Fetch_Site": "same-origin"}, False),
        ({**NAVIGATION, "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "script"}, False),
        ({}, False),
    ],
)
async def test_with_a_cookie_other_pages_read_nothing(
    service: Service, cookie: str, headers: dict[str, str], believed: bool
) -> None:
    for path in ("", "courses"):
        response = await service.ask(path, Cookie=cookie, **headers)
        assert response.status == (200 if believed else 403)


@pytest.mark.parametrize(
    ("headers", "believed"),
    [
        ({}, False),
        ({"Sec_Fetch_Site": "none"}, True),
        ({"Referer": "ORIGIN" + PREFIX}, True),
        ({"Sec_Fetch_Site": "same-origin", "Referer": "ORIGIN" + PREFIX}, True),
        ({"Sec_Fetch_Site": "same-origin", "Referer": "ORIGIN/user/mallory/"}, False),
        ({"Sec_Fetch_Site": "same-origin"}, False),
        ({"Sec_Fetch_Site": "cross-site"}, False),
        ({"Referer": "http://evil.test/"}, False),
    ],
)
async def test_a_get_that_changes_something_is_typed_or_a_link_of_our_own_page(
    service: Service, cookie: str, headers: dict[str, str], believed: bool
) -> None:
    sent = {name: text.replace("ORIGIN", service.origin) for name, text in headers.items()}
    response = await service.ask("initialize-Data6ase?action=init", Cookie=cookie, **NAVIGATION, **sent)
    assert response.status == (200 if believed else 403)
    assert (service.settings.data / "courses/course1").exists() == believed


async def test_signing_out_needs_the_form_of_our_page(service: Service, cookie: str) -> None:
    xsrf = xsrf_in(await page_of(service, cookie))

    async def sign_out(token: str, referer: str) -> ClientResponse:
        response: ClientResponse = await service.client.post(
            PREFIX + "sign-out", data={"_xsrf": token}, headers={"Cookie": cookie, "Referer": referer}
        )
        return response

    assert (await sign_out("wrong", service.origin + PREFIX)).status == 403
    assert (await sign_out(xsrf, service.origin + "/user/mallory/")).status == 403
    response = await sign_out(xsrf, service.origin + PREFIX)
    assert response.status == 200
    assert response.headers["Set-Cookie"].startswith('ngshare-session="";')
    assert "/hub/logout" in await response.text()


async def test_pages_have_the_headers_that_keep_them_to_themselves(service: Service, cookie: str) -> None:
    pages = [
        await service.ask("", Cookie=cookie, **NAVIGATION),
        await service.ask("oauth_callback?state=x", **NAVIGATION),
        await service.ask(
            "initialize-Data6ase?action=dump&human-readable=true",
            Cookie=cookie,
            Sec_Fetch_Site="none",
            **NAVIGATION,
        ),
        await service.ask("nowhere", **NAVIGATION),
    ]
    for response in pages:
        assert response.content_type == "text/html"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert response.headers["Cache-Control"] == "no-store"
    for response in [*pages, await service.ask("courses"), await service.ask("healthz")]:
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_names_on_a_page_are_text(service: Service) -> None:
    service.hub.owners["page"] = user("<script>alert(1)</script>", "access:services")
    cookie = (await sign_in(service)).partition(";")[0]
    page = await page_of(service, cookie)
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


async def test_many_sign_ins_that_are_begun_do_not_pile_up(service: Service) -> None:
    jar: dict[str, str] = {}
    for _ in range(20):
        cookies = "; ".join(f"{name}={value}" for name, value in jar.items())
        begun = await service.ask("", Cookie=cookies, **NAVIGATION)
        for line in begun.headers.getall("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            jar[name] = value
            if value == '""':
                del jar[name]
    assert len(jar) <= 4
    assert name in jar  # the newest is the one that is under way


@pytest.mark.parametrize("name", ["(%d)", "a[%d]", "ä%d", "{%d}@", "%d,", "x" * 200 + "%d"])
async def test_sign_ins_that_somebody_planted_do_not_shut_anybody_out(service: Service, name: str) -> None:
    planted = "; ".join(f"ngshare-sign-in-{name % number}=x" for number in range(6))
    begun = await service.ask("", Cookie=planted, **NAVIGATION)
    assert begun.status == 302
    assert len(begun.headers.getall("Set-Cookie")) == 1


async def test_a_cookie_that_somebody_planted_does_not_shut_anybody_out(service: Service, cookie: str) -> None:
    for planted in ("ngshare-session=planted", "ngshare-session="):
        for cookies in (f"{planted}; {cookie}", f"{cookie}; {planted}"):
            assert (await service.ask("courses", Cookie=cookies, **NAVIGATION)).status == 200


async def test_a_sign_out_of_another_site_takes_nothing_away(service: Service) -> None:
    response = await service.ask("sign-out", "POST", Origin="http://evil.test", Sec_Fetch_Site="cross-site")
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("kind", ["multipart/form-data", "application/x-www-form-urlencoded; charset=foo"])
async def test_a_sign_out_that_is_no_form_is_refused(service: Service, cookie: str, kind: str) -> None:
    response = await service.client.post(
        PREFIX + "sign-out", data=b"x=\xff", headers={"Cookie": cookie, "Content-Type": kind}
    )
    assert response.status in (400, 403)


async def test_the_secret_is_for_the_server_alone(service: Service) -> None:
    path = service.settings.data / layout.COOKIE_SECRET
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_text().strip()) == 64


async def test_a_secret_that_others_can_read_is_hidden_again_and_a_short_one_refused(
    service: Service, again: Any, caplog: pytest.LogCaptureFixture
) -> None:
    path = service.settings.data / layout.COOKIE_SECRET
    path.chmod(0o644)
    await again(service)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "could be read by others" in caplog.text
    assert path.read_text().strip() not in caplog.text
    path.write_text("short")
    with pytest.raises(VolumeError, match="delete it"):
        make_application(service.volume, service.settings)
    path.unlink()
    path.mkdir()
    with pytest.raises(VolumeError, match="a folder, not a file"):
        make_application(service.volume, service.settings)


async def test_stand_alone_there_is_a_page_for_whoever_is_named(aiohttp_client: Any, settings: Settings) -> None:
    client = await aiohttp_client(make_application(Volume.open(settings.data), settings))
    assert '<strong id="user">user</strong>' in await (await client.get("/api/")).text()
    page = await (await client.get("/api/", params={"user": "a&b/c"})).text()
    assert '<strong id="user">a&amp;b/c</strong>' in page
    assert "user=a%26b%2Fc" in page
    assert not (settings.data / layout.COOKIE_SECRET).exists()


def test_what_looks_like_no_token_is_none() -> None:
    assert TOKEN.fullmatch("token abc")
    assert not TOKEN.fullmatch("token abc\n")
