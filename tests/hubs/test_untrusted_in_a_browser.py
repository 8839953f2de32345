"""What others wrote, in a real browser: nothing of it runs, and nobody hears that it is looked at."""

import asyncio
import base64
import json
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, BrowserContext, Page

from ngshare_fs.store import Volume
from ngshare_fs.web.untrusted.headers import SANDBOX
from tests.conftest import until
from tests.hubs.conftest import launched, with_a_browser
from tests.stores import volume
from tests.untrusted.handing_out import PREFIX, give_feedback, hand_in, make_application
from tests.untrusted.hostile_page import (
    AUTO_SUBMIT,
    CLICKED,
    FRAME,
    OF_MARKUP,
    OF_SCRIPTS,
    REFRESH,
    TITLE,
    Site,
    hostile_page,
    noting_site,
)

__all__ = ["volume"]

pytestmark = [pytest.mark.hubs, with_a_browser]

COOKIE = "secret-of-the-session"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """As people have it: for a window, it fetches icons and the like, too."""
    async with launched("chromium") as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def evil() -> AsyncIterator[Site]:
    """The attacker's site."""
    async with noting_site() as site:
        yield site


@pytest_asyncio.fixture(loop_scope="session")
async def ours(volume: Volume, evil: Site) -> AsyncIterator[str]:
    """The address of the application, with hostile work and feedback, and a page without our headers."""
    application = make_application(volume)

    async def unprotected(request: web.Request) -> web.Response:
        more = {"refresh": REFRESH, "submit": AUTO_SUBMIT}.get(request.query_string, "")
        body = hostile_page(evil.address, FRAME + more)
        return web.Response(body=body, headers={"Content-Security-Policy": "upgrade"}, content_type="text/html")

    async def framing(request: web.Request) -> web.Response:
        text = f'<iframe src="{PREFIX}view/feedback/p.html"></iframe>'
        return web.Response(text=text, headers={"Content-Security-Policy": "upgrade"}, content_type="text/html")

    application.router.add_get("/unprotected", unprotected)
    application.router.add_get("/framing", framing)
    server = TestServer(application)
    await server.start_server()
    moment = hand_in(
        volume,
        {
            "p.ipynb": _notebook(evil.address),
            "p.png": _png(70, 60),
            "p.txt": hostile_page(evil.address),
            "p.svg": b"<svg/>",
        },
    )
    give_feedback(
        volume,
        moment,
        {
            "p.html": hostile_page(evil.address),
            "frame.html": hostile_page(evil.address, FRAME),
            "refresh.html": hostile_page(evil.address, REFRESH),
            "submit.html": hostile_page(evil.address, AUTO_SUBMIT),
        },
    )
    yield f"http://127.0.0.1:{server.port}"
    await server.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(profile: BrowserContext, ours: str) -> Page:
    """Somebody who is signed in."""
    await profile.add_cookies([{"name": "session", "value": COOKIE, "url": ours}])
    return await profile.new_page()


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress(b"".join(b"\0" + b"\x80\0\0" * width for _ in range(height)))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _notebook(evil: str) -> bytes:
    markup = hostile_page(evil).decode()
    picture = base64.b64encode(_png(70, 60)).decode()
    outputs: list[dict[str, Any]] = [
        {"output_type": "display_data", "data": {"text/html": markup}},
        {"output_type": "display_data", "data": {"text/plain": markup, "image/png": picture}},
        {"output_type": "display_data", "data": {"image/svg+xml": markup, "text/plain": markup}},
        {"output_type": "error", "traceback": ["</pre>" + markup]},
    ]
    cells = [
        {"cell_type": "markdown", "source": f"![x]({evil}/markdown) </pre>{markup}"},
        {"cell_type": "code", "source": f"</pre>{markup}", "outputs": outputs},
    ]
    return json.dumps({"nbformat": 4, "cells": cells}).encode()


async def settled(page: Page) -> None:
    """Wait until the page has nothing more to do, as far as anybody can tell."""
    await page.wait_for_load_state("load")
    await page.wait_for_load_state("networkidle")


async def test_without_the_sandbox_all_of_it_happens(visitor: Page, ours: str, evil: Site) -> None:
    """So that what the other tests do not see is not missing for another reason."""
    visitor.on("dialog", lambda dialog: asyncio.ensure_future(dialog.dismiss()))
    await visitor.goto(f"{ours}/unprotected", wait_until="commit")
    wanted = {*OF_MARKUP, *OF_SCRIPTS}
    await until(lambda: wanted <= evil.paths, "everything is asked for")
    assert await visitor.title() == "ran"
    sent = [path for path, _ in evil.requests if path.startswith("/fetch")]
    assert COOKIE in sent[0]
    await visitor.goto(f"{ours}/unprotected?refresh", wait_until="commit")
    await visitor.wait_for_url(f"{evil.address}/refresh")
    await visitor.goto(f"{ours}/unprotected?submit", wait_until="commit")
    await visitor.wait_for_url(f"{evil.address}/form")


@pytest.mark.parametrize(
    "name",
    ["p.html", "refresh.html", *(pytest.param(name, marks=pytest.mark.long) for name in ("frame.html", "submit.html"))],
)
async def test_hostile_feedback_does_nothing(visitor: Page, ours: str, evil: Site, name: str) -> None:
    visitor.on("dialog", lambda dialog: pytest.fail("a script has run"))
    visitor.on("download", lambda download: pytest.fail("something is saved"))
    address = f"{ours}{PREFIX}view/feedback/{name}"
    response = await visitor.goto(address)
    assert response is not None
    assert (await response.all_headers())["content-security-policy"] == SANDBOX
    await settled(visitor)
    # For a frame, Chromium connects before it looks whether there may be one. It asks for nothing then.
    connections = 1 if name == "frame.html" else 0
    assert evil.requests == []
    assert evil.connections <= connections
    assert await visitor.title() == TITLE
    # It looks as it should.
    box = await visitor.locator("#styled").bounding_box()
    assert box is not None
    assert box["width"] == 123
    picture = await visitor.locator("#picture").bounding_box()
    assert picture is not None
    assert picture["width"] == 50
    for each in CLICKED:
        await visitor.locator(f"#{each}").click(no_wait_after=True)
        await settled(visitor)
    assert evil.requests == []
    assert evil.connections <= connections
    assert visitor.url.removesuffix("#there") == address
    assert visitor.context.pages == [visitor]
    assert await visitor.title() == TITLE


async def test_a_link_that_somebody_follows_takes_no_cookie_along(visitor: Page, ours: str, evil: Site) -> None:
    await visitor.goto(f"{ours}{PREFIX}view/feedback/p.html")
    await visitor.locator("#leave").click()
    await until(lambda: "leave" in evil.paths, "the link is followed")
    for _, headers in evil.requests:
        assert "cookie" not in headers


async def test_a_hostile_notebook_does_nothing(visitor: Page, ours: str, evil: Site) -> None:
    visitor.on("dialog", lambda dialog: pytest.fail("a script has run"))
    await visitor.goto(f"{ours}{PREFIX}view/submission/p.ipynb")
    await settled(visitor)
    assert (evil.requests, evil.connections) == ([], 0)
    assert await visitor.title() == "p.ipynb"
    assert await visitor.locator("script, iframe, form, a, link, object, svg").count() == 0
    assert await visitor.locator("img").count() == 1
    box = await visitor.locator("img").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (70, 60)
    assert "<script>" in await visitor.locator("pre.markdown").inner_text()


async def test_texts_and_pictures_are_shown(visitor: Page, ours: str, evil: Site) -> None:
    await visitor.goto(f"{ours}{PREFIX}view/submission/p.png")
    box = await visitor.locator("img").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (70, 60)
    await visitor.goto(f"{ours}{PREFIX}view/submission/p.txt")
    assert "<script" in await visitor.locator("body").inner_text()
    await settled(visitor)
    assert (evil.requests, evil.connections) == ([], 0)


@pytest.mark.parametrize(
    "path",
    [
        "file/feedback/p.html",
        pytest.param("file/submission/p.svg", marks=pytest.mark.long),
        pytest.param("file/submission/p.ipynb", marks=pytest.mark.long),
        pytest.param("zip", marks=pytest.mark.long),
    ],
)
async def test_a_file_is_saved_and_not_opened(visitor: Page, ours: str, evil: Site, path: str) -> None:
    async with visitor.expect_download() as saving:
        await visitor.evaluate("address => { location.href = address }", f"{ours}{PREFIX}{path}")
    saved = await saving.value
    assert saved.suggested_filename == {"zip": "work.zip"}.get(path, path.rpartition("/")[2])
    assert visitor.url == "about:blank"
    assert evil.requests == []


async def test_it_cannot_be_framed(visitor: Page, ours: str) -> None:
    await visitor.goto(f"{ours}/framing")
    await settled(visitor)
    (frame,) = [frame for frame in visitor.frames if frame != visitor.main_frame]
    assert await frame.locator("#styled").count() == 0
