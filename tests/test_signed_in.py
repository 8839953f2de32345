"""Browsers: how their users sign in with the hub, how long that holds, and what somebody else's cookies do to it."""

import asyncio
import dataclasses
import re
import stat
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import DummyCookieJar, web

from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.server.application import make_application
from ngshare_fs.settings import Settings
from ngshare_fs.store import Volume, VolumeError
from ngshare_fs.store.format import layout
from tests.signing_in import NAVIGATION, PREFIX, Service, again, cookie, page_of, service, sign_in

__all__ = ["again", "cookie", "service"]


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


async def test_a_token_that_is_replaced_in_its_file_is_taken_from_there(
    service: Service, again: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "token"
    file.write_text("own-token\n")
    of_file = await again(service, hub=dataclasses.replace(service.hub.hub, token_file=str(file)))
    await sign_in(of_file)
    service.hub.own_token = "replaced"
    file.write_text("replaced\n")
    await sign_in(of_file)
    assert "replaced" not in caplog.text
    file.unlink()  # a Secret may be gone for a moment
    await sign_in(of_file)
    taken = f"the token of this service is taken for what it was: {file}"
    assert f"{taken}: No such file" in caplog.text
    file.write_text("a token, half written")
    await sign_in(of_file)
    assert f"{taken} holds characters that no token has" in caplog.text
    assert "half written" not in caplog.text


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
