"""What others wrote, in a real browser: nothing of it runs, and nobody hears that it is looked at."""

import asyncio
import base64
import io
import json
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import pytest_asyncio
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, BrowserContext, Page

from ngshare_fs.web.frame.addresses import Addresses
from tests import servers
from tests.conftest import until
from tests.hubs.conftest import launched, with_a_browser
from tests.trees import tree
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

# In one worker: the browser is another one than elsewhere.
pytestmark = [pytest.mark.hubs, with_a_browser, pytest.mark.xdist_group("hostile")]

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


@dataclass(frozen=True)
class Ours:
    """A stand-alone server with hostile work of `ada` and hostile feedback on it, and a site without our headers.

    Args:
        url: of the server, with its prefix.
        control: of the other one.
        moment: the timestamp of the submission.
    """

    url: str
    control: str
    moment: str

    def address(self, kind: str, file: str, user: str = "ada") -> str:
        """Where a file is looked at or saved: `feedback-view` and so on."""
        names = {"course": "c", "assignment": "a", "user": "ada"}
        path = f"pages/{kind}/{{course}}/{{assignment}}/{{user}}"
        return Addresses(self.url, user)(path, names, timestamp=self.moment, file=file)

    def submissions(self, user: str) -> str:
        """Where all that she has handed in is seen, by whom."""
        return f"{self.url}pages/submissions/c/a/ada?user={user}"


@asynccontextmanager
async def _control(evil: Site) -> AsyncIterator[str]:
    async def unprotected(request: web.Request) -> web.Response:
        more = {"refresh": REFRESH, "submit": AUTO_SUBMIT}.get(request.query_string, "")
        return web.Response(body=hostile_page(evil.address, FRAME + more), content_type="text/html")

    async def framing(request: web.Request) -> web.Response:
        return web.Response(text=f'<iframe src="{request.query["of"]}"></iframe>', content_type="text/html")

    application = web.Application()
    application.router.add_get("/unprotected", unprotected)
    application.router.add_get("/framing", framing)
    server = TestServer(application)
    await server.start_server()
    yield f"http://127.0.0.1:{server.port}"
    await server.close()


@pytest_asyncio.fixture(loop_scope="session")
async def ours(tmp_path: Path, evil: Site) -> AsyncIterator[Ours]:
    """Such a server; all of it came by the API, as students and instructors send it."""
    submitted = {
        "p.ipynb": _notebook(evil.address),
        "p.png": _png(70, 60),
        "p.txt": hostile_page(evil.address),
        "p.svg": b"<svg/>",
    }
    returned = {
        "p.html": hostile_page(evil.address),
        "frame.html": hostile_page(evil.address, FRAME),
        "refresh.html": hostile_page(evil.address, REFRESH),
        "submit.html": hostile_page(evil.address, AUTO_SUBMIT),
    }
    with servers.running(tmp_path / "volume") as server:
        call = partial(_call, server.url)
        person = {"first_name": "", "last_name": "", "email": ""}
        await call("root", "course/c", instructors='["kevin"]')
        for student in ("ada", "eve"):
            await call("kevin", f"student/c/{student}", **person)
        await call("kevin", "assignment/c/a", files=tree({"p.ipynb": submitted["p.ipynb"]}))
        moment = (await call("ada", "submission/c/a", files=tree(submitted)))["timestamp"]
        await call("kevin", "feedback/c/a/ada", timestamp=moment, files=tree(returned))
        async with _control(evil) as control:
            yield Ours(server.url, control, moment)


async def _call(url: str, user: str, path: str, **fields: str) -> dict[str, Any]:
    form = io.BytesIO(urlencode({"user": user, **fields}).encode())
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with ClientSession() as session, session.post(url + path, data=form, headers=headers) as response:
        answer: dict[str, Any] = await response.json()
    assert answer["success"], answer
    return answer


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(profile: BrowserContext, ours: Ours) -> Page:
    """Somebody whose browser has a cookie of the server's."""
    await profile.add_cookies([{"name": "session", "value": COOKIE, "url": each} for each in (ours.url, ours.control)])
    return await profile.new_page()


async def looked_at(visitor: Page, ours: Ours, kind: str, file: str, user: str) -> Page:
    """What opens where somebody follows the link to a view, in a tab of its own."""
    pages: list[Page] = []

    def opened(page: Page) -> None:
        pages.append(page)
        page.on("dialog", lambda dialog: pytest.fail("a script has run"))
        page.on("download", lambda download: pytest.fail("something is saved"))

    visitor.context.once("page", opened)
    await visitor.goto(ours.submissions(user))
    link = ours.address(f"{kind}-view", file, user).removeprefix(ours.url)
    await visitor.locator(f'a[href$="{link}"]').click()
    await until(lambda: bool(pages), "a tab opens")
    await pages[0].wait_for_load_state("load")
    assert await pages[0].evaluate("window.opener") is None
    return pages[0]


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


async def test_without_the_sandbox_all_of_it_happens(visitor: Page, ours: Ours, evil: Site) -> None:
    """So that what the other tests do not see is not missing for another reason."""
    visitor.on("dialog", lambda dialog: asyncio.ensure_future(dialog.dismiss()))
    await visitor.goto(f"{ours.control}/unprotected", wait_until="commit")
    wanted = {*OF_MARKUP, *OF_SCRIPTS}
    await until(lambda: wanted <= evil.paths, "everything is asked for")
    assert await visitor.title() == "ran"
    sent = [path for path, _ in evil.requests if path.startswith("/fetch")]
    assert COOKIE in sent[0]
    await visitor.goto(f"{ours.control}/unprotected?refresh", wait_until="commit")
    await visitor.wait_for_url(f"{evil.address}/refresh")
    await visitor.goto(f"{ours.control}/unprotected?submit", wait_until="commit")
    await visitor.wait_for_url(f"{evil.address}/form")


@pytest.mark.parametrize(
    ("name", "users"),
    [
        ("p.html", ("ada",)),
        ("refresh.html", ("kevin",)),
        *(
            pytest.param(name, users, marks=pytest.mark.long)
            for name, users in (
                ("frame.html", ("ada",)),
                ("submit.html", ("ada", "kevin")),
                ("refresh.html", ("ada",)),
                ("p.html", ("kevin", "root")),
            )
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else " and ".join(value),
)
async def test_hostile_feedback_does_nothing(
    visitor: Page, ours: Ours, evil: Site, name: str, users: tuple[str, ...]
) -> None:
    for user in users:
        await _look_and_click(visitor, ours, evil, name, user)


async def _look_and_click(visitor: Page, ours: Ours, evil: Site, name: str, user: str) -> None:
    seen = await looked_at(visitor, ours, "feedback", name, user)
    address = ours.address("feedback-view", name, user)
    assert seen.url == address
    await settled(seen)
    # For a frame, Chromium connects before it looks whether there may be one. It asks for nothing then.
    connections = 1 if name == "frame.html" else 0
    assert evil.requests == []
    assert evil.connections <= connections
    assert await seen.title() == TITLE
    # It looks as it should.
    box = await seen.locator("#styled").bounding_box()
    assert box is not None
    assert box["width"] == 123
    picture = await seen.locator("#picture").bounding_box()
    assert picture is not None
    assert picture["width"] == 50
    for each in CLICKED:
        await seen.locator(f"#{each}").click(no_wait_after=True)
        await settled(seen)
    assert evil.requests == []
    assert evil.connections <= connections
    assert seen.url.removesuffix("#there") == address
    assert visitor.context.pages == [visitor, seen]
    assert visitor.url == ours.submissions(user)
    assert await seen.title() == TITLE
    await seen.close()


@pytest.mark.long
async def test_another_student_sees_nothing_of_it(visitor: Page, ours: Ours, evil: Site) -> None:
    for kind, file in (("feedback-view", "p.html"), ("submission-view", "p.ipynb"), ("feedback-file", "p.html")):
        response = await visitor.goto(ours.address(kind, file, "eve"))
        assert response is not None
        assert response.status == 403
        assert await visitor.locator("#message").inner_text() == "Permission denied"
        assert await visitor.locator("#styled").count() == 0
    assert (evil.requests, evil.connections) == ([], 0)


@pytest.mark.long
async def test_a_link_that_somebody_follows_takes_no_cookie_along(visitor: Page, ours: Ours, evil: Site) -> None:
    await visitor.goto(ours.address("feedback-view", "p.html"))
    await visitor.locator("#leave").click()
    await until(lambda: "leave" in evil.paths, "the link is followed")
    for _, headers in evil.requests:
        assert "cookie" not in headers


@pytest.mark.parametrize("user", ["ada", pytest.param("kevin", marks=pytest.mark.long)])
async def test_a_hostile_notebook_does_nothing(visitor: Page, ours: Ours, evil: Site, user: str) -> None:
    seen = await looked_at(visitor, ours, "submission", "p.ipynb", user)
    await settled(seen)
    assert (evil.requests, evil.connections) == ([], 0)
    assert await seen.title() == "p.ipynb"
    assert await seen.locator("script, iframe, form, a, link, object, svg").count() == 0
    assert await seen.locator("img").count() == 1
    box = await seen.locator("img").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (70, 60)
    assert "<script>" in await seen.locator("pre.markdown").inner_text()


@pytest.mark.long
async def test_texts_and_pictures_are_shown(visitor: Page, ours: Ours, evil: Site) -> None:
    await visitor.goto(ours.address("submission-view", "p.png"))
    box = await visitor.locator("img").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (70, 60)
    await visitor.goto(ours.address("submission-view", "p.txt"))
    assert "<script" in await visitor.locator("body").inner_text()
    await settled(visitor)
    assert (evil.requests, evil.connections) == ([], 0)


@pytest.mark.parametrize(
    "files",
    [
        (("feedback-file", "p.html"),),
        pytest.param(
            (
                ("submission-file", "p.svg"),
                ("submission-file", "p.ipynb"),
                ("submission-zip", ""),
                ("feedback-zip", ""),
                ("receipt-json", ""),
            ),
            marks=pytest.mark.long,
        ),
    ],
    ids=["feedback", "all else"],
)
async def test_a_file_is_saved_and_not_opened(
    visitor: Page, ours: Ours, evil: Site, files: tuple[tuple[str, str], ...]
) -> None:
    for kind, file in files:
        async with visitor.expect_download() as saving:
            await visitor.evaluate("address => { location.href = address }", ours.address(kind, file))
        saved = await saving.value
        name = file or {"receipt-json": "ngshare_receipt.json"}.get(kind, ".zip")
        assert saved.suggested_filename.endswith(name)
        assert visitor.url == "about:blank"
    assert evil.requests == []


async def test_it_cannot_be_framed(visitor: Page, ours: Ours) -> None:
    control = f"{ours.control}/unprotected"
    for address in (control, ours.address("feedback-view", "p.html"), ours.submissions("ada")):
        await visitor.goto(f"{ours.control}/framing?of={quote(address)}")
        await settled(visitor)
        (frame,) = visitor.main_frame.child_frames
        assert await frame.locator("#styled, main").count() == (1 if address == control else 0)


@pytest.mark.long
async def test_ten_megabytes_do_nothing_either(visitor: Page, ours: Ours, evil: Site) -> None:
    padding = b"x" * 10_000_000
    large = {
        "large.html": hostile_page(evil.address, f"<!--{padding.decode()}-->{REFRESH}"),
        "large.ipynb": _notebook(evil.address)[:-1] + b', "metadata": {"x": "' + padding + b'"}}',
    }
    await _call(ours.url, "kevin", "feedback/c/a/ada", timestamp=ours.moment, files=tree(large))
    seen = await looked_at(visitor, ours, "feedback", "large.html", "ada")
    assert await seen.title() == TITLE
    for each in ("send", "javascript"):
        await seen.locator(f"#{each}").click(no_wait_after=True)
    await seen.close()
    await visitor.goto(ours.address("feedback-view", "large.ipynb", "kevin"))
    assert "too large to be shown here" in await visitor.locator("main").inner_text()
    async with visitor.expect_download() as saving:
        await visitor.get_by_role("link", name="Download it").click()
    assert (await saving.value).suggested_filename == "large.ipynb"
    assert (evil.requests, evil.connections) == ([], 0)
