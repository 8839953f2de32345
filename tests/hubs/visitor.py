"""What somebody does in a browser, by hand, and what the same browser sends where nobody has to see the hub's pages."""

import html
import re
from urllib.parse import urlencode, urljoin

from playwright.async_api import APIResponse, BrowserContext, Page

from tests.hubs.hub import Hub

NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
ANSWER_MILLISECONDS = 60_000
SESSION_COOKIE = "ngshare-session"


async def log_in(page: Page, hub: Hub, user: str) -> None:
    """Log in to the hub; any password will do."""
    # Its home page, for otherwise it would start the user's server.
    await page.goto(f"{hub.origin}{hub.plan.base_url}hub/login?next={hub.plan.base_url}hub/home")
    await _fill_in(page, user)
    await page.wait_for_url("**/hub/home")


async def _fill_in(page: Page, user: str) -> None:
    await page.fill("input[name=username]", user)
    await page.fill("input[name=password]", "any")
    await page.click("form [type=submit]")


async def sign_in(page: Page, hub: Hub, user: str) -> None:
    """Open the service as somebody who has not logged in to the hub yet, and go all the way to its start page."""
    await page.goto(hub.url)
    await _fill_in(page, user)
    await authorize(page)
    await page.wait_for_url(hub.url)
    remember(hub, await session_of(page.context))


async def logged_in(profile: BrowserContext, hub: Hub, user: str) -> None:
    """Log in to the hub without its pages, which take most of a test's time to draw."""
    home = f"{hub.plan.base_url}hub/home"
    asked = await profile.request.get(
        f"{hub.origin}{hub.plan.base_url}hub/login?next={home}", headers=NAVIGATION, timeout=ANSWER_MILLISECONDS
    )
    await _fill_in_what_came(profile, asked, username=user, password="any")


async def signed_in(profile: BrowserContext, hub: Hub, user: str) -> None:
    """Sign in without a page: afterwards, the browser has the session's cookie."""
    callback = await up_to_the_callback(profile, hub, user)
    opened = await profile.request.get(callback, headers=NAVIGATION, timeout=ANSWER_MILLISECONDS)
    assert opened.ok, await opened.text()
    remember(hub, await session_of(profile))


async def up_to_the_callback(profile: BrowserContext, hub: Hub, user: str) -> str:
    """Sign in up to the last step; return the address of that step, which the browser does not open."""
    await logged_in(profile, hub, user)
    asked = await profile.request.get(hub.url, headers=NAVIGATION, timeout=ANSWER_MILLISECONDS)
    assert "Authorize access" in await asked.text()
    agreed = await _fill_in_what_came(profile, asked, max_redirects=0)
    return urljoin(asked.url, agreed.headers["location"])


async def _fill_in_what_came(
    profile: BrowserContext, asked: APIResponse, max_redirects: int = 20, **said: str
) -> APIResponse:
    text = await asked.text()
    form = re.search(r"<form [^>]*>", text)
    assert form, text
    action = re.search(r'action="([^"]*)"', form[0])
    hidden = re.findall(r'<input\s+type="hidden"\s+name="([^"]*)"\s+value="([^"]*)"', text)
    fields = [(name, html.unescape(value)) for name, value in hidden]
    return await profile.request.post(
        urljoin(asked.url, html.unescape(action[1]) if action else ""),
        data=urlencode([*fields, *said.items()]),
        headers={**NAVIGATION, "Content-Type": "application/x-www-form-urlencoded", "Referer": asked.url},
        max_redirects=max_redirects,
        timeout=ANSWER_MILLISECONDS,
    )


async def authorize(page: Page) -> None:
    """Agree that the service learns who one is."""
    await page.wait_for_url(re.compile("/hub/api/oauth2/authorize"))
    assert "Authorize access" in await page.inner_text("body")
    await page.click("form [type=submit]")


async def session_of(profile: BrowserContext) -> str:
    """The session cookie's value; empty where there is none."""
    found = [cookie["value"] for cookie in await profile.cookies() if cookie["name"] == SESSION_COOKIE]
    return found[0] if found else ""


async def xsrf_of(page: Page) -> str:
    """What the pages of this session send along."""
    return await page.get_attribute('meta[name="xsrf-token"]', "content") or ""


def remember(hub: Hub, cookie: str) -> None:
    """A cookie is as good as a password, and must not be seen anywhere, either."""
    assert cookie
    hub.secrets.add(cookie)
