"""Signing in with a real browser, and out again."""

import time
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext

from tests.hubs.conftest import new_profile, with_a_browser
from tests.hubs.exchange import ask
from tests.hubs.hub import INSIDER, SERVICE_SCOPE, Hub
from tests.hubs.visitor import (
    SESSION_COOKIE,
    authorize,
    log_in,
    logged_in,
    session_of,
    sign_in,
    signed_in,
    up_to_the_callback,
    xsrf_of,
)

pytestmark = [pytest.mark.hubs, with_a_browser]

ENDS_SECONDS = 60


@pytest.fixture
def course(granting_hub: Hub) -> str:
    """A course that `teacher` teaches."""
    granting_hub.add_users("admin", "teacher")
    admin = granting_hub.token("admin", SERVICE_SCOPE).text
    ask(granting_hub, "POST", "course/Größen & <i>Maße", admin, instructors='["teacher"]')
    return "Größen & <i>Maße"


async def test_from_the_login_to_the_start_page(granting_hub: Hub, profile: BrowserContext, course: str) -> None:
    page = await profile.new_page()
    await log_in(page, granting_hub, "teacher")
    await page.goto(granting_hub.url)
    await authorize(page)
    await page.wait_for_url(granting_hub.url)
    assert await page.inner_text("#user") == "teacher"
    assert course in await page.inner_text("#courses")
    assert "instructor" in await page.inner_text("#courses")


@pytest.mark.long
async def test_the_cookie_is_for_this_service_alone(granting_hub: Hub, profile: BrowserContext) -> None:
    await signed_in(profile, granting_hub, "cookie")
    ours = [cookie for cookie in await profile.cookies() if cookie["name"].startswith("ngshare")]
    assert [cookie["name"] for cookie in ours] == [SESSION_COOKIE]  # what signing in needed is gone
    assert ours[0]["httpOnly"] is True
    assert ours[0]["sameSite"] == "Lax"
    assert ours[0]["path"] == granting_hub.prefix
    assert ours[0]["secure"] is False  # this hub is reached by http
    assert ours[0]["domain"] == urlsplit(granting_hub.origin).hostname


@pytest.mark.long
async def test_below_a_base_url(plain_hub: Hub, profile: BrowserContext) -> None:
    page = await profile.new_page()
    await sign_in(page, plain_hub, INSIDER)
    assert urlsplit(page.url).path == "/jh/services/ngshare/"
    assert await page.inner_text("#user") == INSIDER
    cookies = {cookie["name"]: cookie["path"] for cookie in await profile.cookies()}
    assert cookies[SESSION_COOKIE] == "/jh/services/ngshare/"


@pytest.mark.long
async def test_one_comes_back_to_the_address_that_one_wanted(granting_hub: Hub, profile: BrowserContext) -> None:
    await logged_in(profile, granting_hub, "wanderer")
    page = await profile.new_page()
    wanted = granting_hub.url + "assignments/a%2Fb%20%C3%A4?list_only=true"
    await page.goto(wanted)
    await authorize(page)
    await page.wait_for_url(wanted)


@pytest.mark.long
async def test_without_the_scope_the_hub_refuses(plain_hub: Hub, profile: BrowserContext) -> None:
    plain_hub.add_users("outsider")
    await logged_in(profile, plain_hub, "outsider")
    page = await profile.new_page()
    answer = await page.goto(plain_hub.url)
    assert answer is not None
    assert answer.status == 403
    assert urlsplit(answer.url).path == "/jh/hub/api/oauth2/authorize"
    assert "do not have permission to access" in await page.inner_text("body")
    assert not await session_of(profile)


async def test_out_and_in_again(granting_hub: Hub, profile: BrowserContext) -> None:
    await signed_in(profile, granting_hub, "returning")
    page = await profile.new_page()
    await page.goto(granting_hub.url)
    await page.click('form[action$="sign-out"] button')
    await page.wait_for_url(granting_hub.url + "sign-out")
    assert "Signed out" in await page.inner_text("h1")
    assert not await session_of(profile)
    await page.goto(granting_hub.url)  # the hub still knows this browser; some of its versions ask once more
    if "/hub/" in page.url:
        await authorize(page)
        await page.wait_for_url(granting_hub.url)
    assert await page.inner_text("#user") == "returning"


@pytest.mark.long
async def test_the_hubs_own_logout_ends_it(granting_hub: Hub, profile: BrowserContext) -> None:
    await signed_in(profile, granting_hub, "leaving")
    page = await profile.new_page()
    await page.goto(f"{granting_hub.origin}/hub/logout")
    assert await session_of(profile)  # the browser has it still
    deadline = time.monotonic() + ENDS_SECONDS
    while True:
        await page.goto(granting_hub.url)
        if urlsplit(page.url).path == "/hub/login":
            break
        assert time.monotonic() < deadline


@pytest.mark.long
async def test_an_opened_address_of_the_api_is_answered(granting_hub: Hub, profile: BrowserContext) -> None:
    await signed_in(profile, granting_hub, "reader")
    page = await profile.new_page()
    answer = await page.goto(granting_hub.url + "courses")
    assert answer is not None
    assert (await answer.json())["success"] is True


async def opened(profile: BrowserContext, url: str) -> tuple[int, str]:
    """Open an address; its status, and what the page says."""
    page = await profile.new_page()
    answer = await page.goto(url)
    assert answer is not None
    return answer.status, await page.inner_text("body")


@pytest.mark.long
async def test_a_callback_works_in_the_browser_that_began(granting_hub: Hub, profile: BrowserContext) -> None:
    """So that the refusals below are not for another reason."""
    callback = await up_to_the_callback(profile, granting_hub, "patient")
    status, text = await opened(profile, callback)
    assert status == 200
    assert "patient" in text


async def test_a_stolen_callback_signs_nobody_in(granting_hub: Hub, browser: Browser, profile: BrowserContext) -> None:
    """Otherwise mallory could have others hand in their work in mallory's name."""
    callback = await up_to_the_callback(profile, granting_hub, "mallory")
    victim = await new_profile(browser)
    status, _ = await opened(victim, callback)
    assert status == 403
    assert not await session_of(victim)
    # Nor does it while the victim is just signing in.
    await up_to_the_callback(victim, granting_hub, "victim")
    status, _ = await opened(victim, callback)
    assert status == 403
    assert not await session_of(victim)


@pytest.mark.parametrize("changed", ["code", "state", "no code", "no state", "error"])
@pytest.mark.long
async def test_a_callback_that_was_tampered_with(granting_hub: Hub, profile: BrowserContext, changed: str) -> None:
    callback = await up_to_the_callback(profile, granting_hub, f"tampering with {changed}")
    arguments = {name: values[0] for name, values in parse_qs(urlsplit(callback).query).items()}
    assert arguments.keys() == {"code", "state"}
    if changed == "error":
        arguments = {"error": "access_denied", "error_description": "<script>", "state": arguments["state"]}
    elif changed.startswith("no "):
        del arguments[changed.removeprefix("no ")]
    else:
        arguments[changed] = arguments[changed][:-3] + "xyz"
    status, text = await opened(profile, f"{granting_hub.url}oauth_callback?{urlencode(arguments)}")
    assert status == 403
    assert "Open this service again" in text
    assert not await session_of(profile)


@pytest.mark.long
async def test_a_callback_counts_once(granting_hub: Hub, profile: BrowserContext) -> None:
    callback = await up_to_the_callback(profile, granting_hub, "twice")
    assert (await opened(profile, callback))[0] == 200
    assert (await opened(profile, callback))[0] == 403


async def test_sessions_are_not_in_the_log(granting_hub: Hub, profile: BrowserContext) -> None:
    await signed_in(profile, granting_hub, "quiet")
    page = await profile.new_page()
    await page.goto(granting_hub.url)
    xsrf = await xsrf_of(page)
    assert len(xsrf) > 20
    await page.click('form[action$="sign-out"] button')
    await page.wait_for_url(granting_hub.url + "sign-out")
    for secret in (*granting_hub.secrets, xsrf):
        assert secret not in granting_hub.log
