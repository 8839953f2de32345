"""What somebody does in a browser, by hand."""

import re

from playwright.async_api import BrowserContext, Page

from tests.hubs.hub import Hub

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
