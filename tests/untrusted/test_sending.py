"""Files on their way to a browser: headers, views, parts, large ones, damaged ones."""

import asyncio
import json
import os
import re
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientPayloadError, ClientResponse
from aiohttp.test_utils import TestClient

from ngshare_fs.store import Volume
from ngshare_fs.web.frame.rendering import PAGE_HEADERS
from ngshare_fs.web.untrusted import notebook
from ngshare_fs.web.untrusted.headers import SANDBOX
from ngshare_fs.web.untrusted.views import JPEG_START, PNG_START
from tests.stores import volume
from tests.untrusted.handing_out import PREFIX, give_feedback, hand_in, make_application

__all__ = ["volume"]

SCRIPT = b"<script>alert(1)</script>"
MIB = 2**20
Client = TestClient[Any, Any]


@pytest.fixture
async def client(volume: Volume, aiohttp_client: Callable[..., Awaitable[Client]]) -> Client:
    return await aiohttp_client(make_application(volume))


async def get(client: Client, path: str, **headers: str) -> tuple[ClientResponse, bytes]:
    response = await client.get(PREFIX + path, headers=headers)
    return response, await response.read()


def assert_harmless(response: ClientResponse) -> None:
    """Whatever it is: no script of it runs, nothing is taken for something else, nothing is kept."""
    headers = response.headers
    assert headers.getall("Content-Security-Policy") == [SANDBOX]
    assert "allow" not in SANDBOX
    assert headers.getall("X-Content-Type-Options") == ["nosniff"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Resource-Policy"] == headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"


SHOWN = {
    "a.txt": (SCRIPT, "text/plain"),
    "a.md": ("# Ä".encode(), "text/plain"),
    "a.py": (b"", "text/plain"),
    "a.png": (PNG_START + SCRIPT, "image/png"),
    "a.JPG": (JPEG_START + SCRIPT, "image/jpeg"),
}
SAVED = {
    "a.html": SCRIPT,
    "a.htm": SCRIPT,
    "a.svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "a.xml": b"<?xml version='1.0'?><x xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script></x>",
    "a.xhtml": SCRIPT,
    "a.mht": SCRIPT,
    "a.pdf": b"%PDF-1.4",
    "a.swf": b"FWS",
    "a.js": b"\0alert(1)",
    "a.txt": b"\xff\xfeh\0t\0m\0l\0",
    "a.png": SCRIPT,
    "a.jpg": PNG_START,
    "a.gif": b"GIF89a" + SCRIPT,
    "txt": SCRIPT,
    "a.ipynb.html": SCRIPT,
    "a": SCRIPT,
}


@pytest.mark.parametrize("path", SHOWN)
async def test_what_is_shown(volume: Volume, client: Client, path: str) -> None:
    content, content_type = SHOWN[path]
    hand_in(volume, {f"x/{path}": content})
    response, body = await get(client, f"view/submission/x/{path}")
    assert (response.status, response.content_type, body) == (200, content_type, content)
    assert response.headers["Content-Disposition"] == "inline"
    assert_harmless(response)


@pytest.mark.parametrize("path", SAVED)
async def test_what_is_not_shown_is_saved(volume: Volume, client: Client, path: str) -> None:
    hand_in(volume, {path: SAVED[path]})
    response, body = await get(client, f"view/submission/{path}")
    assert b"Files of this kind are not shown here." in body
    assert f'href="{PREFIX}file/submission/{path}"'.encode() in body
    assert SAVED[path] not in body
    assert response.headers["Content-Security-Policy"] == PAGE_HEADERS["Content-Security-Policy"]
    response, body = await get(client, f"file/submission/{path}")
    assert (response.status, body) == (200, SAVED[path])
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{path}"'
    assert_harmless(response)


async def test_html_is_shown_of_feedback_alone_and_as_it_is(volume: Volume, client: Client) -> None:
    moment = hand_in(volume, {"p.ipynb": b"{}"})
    give_feedback(volume, moment, {"p.html": SCRIPT})
    response, body = await get(client, "view/feedback/p.html")
    assert (response.headers["Content-Type"], body) == ("text/html; charset=utf-8", SCRIPT)
    assert_harmless(response)


NOTEBOOK = {
    "nbformat": 4,
    "cells": [
        {"cell_type": "markdown", "source": "<img src=x onerror=alert(1)>"},
        {
            "cell_type": "code",
            "source": "</pre><script>alert(1)</script>",
            "execution_count": 1,
            "outputs": [
                {"output_type": "display_data", "data": {"text/html": "<script>alert(2)</script>"}},
                {"output_type": "display_data", "data": {"<script>/x": "y"}},
                {"output_type": "error", "traceback": ["\x1b[31m</pre><iframe src=x>"]},
                {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo=", "text/plain": '" onload="x()'}},
            ],
        },
    ],
}


async def test_of_a_notebook_no_markup_is_left(volume: Volume, client: Client) -> None:
    name = "<script>alert(0)</script>\"'.ipynb".replace("/", "")
    hand_in(volume, {name: json.dumps(NOTEBOOK).encode()})
    response, body = await get(client, f"view/submission/{name}")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert_harmless(response)
    text = body.decode()
    found = set(re.findall(r"<([a-z0-9]+)", text))
    ours = {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "section", "pre", "img"}
    assert found <= ours
    assert re.findall("<img [^>]*>", text) == [
        '<img src="data:image/png;base64,iVBORw0KGgo=" alt="&#34; onload=&#34;x()">'
    ]
    assert "&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "text/html" in text
    assert "alert(2)" not in text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "it is no whole notebook"),
        (b"<html>", "it is no whole notebook"),
        (b" " * (notebook.LARGEST + 1), "too large to be shown"),
    ],
    ids=["cut off", "a page", "too large"],
)
async def test_a_notebook_that_cannot_be_shown_can_be_saved(
    volume: Volume, client: Client, content: bytes, said: str
) -> None:
    hand_in(volume, {"p.ipynb": content})
    response, body = await get(client, "view/submission/p.ipynb")
    assert response.status == 200
    assert said in body.decode()
    assert f'href="{PREFIX}file/submission/p.ipynb"' in body.decode()
    response, body = await get(client, "file/submission/p.ipynb")
    assert body == content


async def test_a_part_of_a_file(volume: Volume, client: Client) -> None:
    content = os.urandom(524_288)  # more than one slice
    hand_in(volume, {"a.bin": content})
    whole, _ = await get(client, "file/submission/a.bin")
    tag = whole.headers["ETag"]
    assert whole.headers["Accept-Ranges"] == "bytes"
    for asked, part in {
        "bytes=0-9": content[:10],
        "bytes=5-300000": content[5:300_001],
        "bytes=500000-": content[500_000:],
        "bytes=-7": content[-7:],
        f"bytes=10-{10**30}": content[10:],
    }.items():
        response, body = await get(client, "file/submission/a.bin", Range=asked)
        assert (response.status, body == part) == (206, True), asked
        start = len(content) - len(part) if content.endswith(part) else content.index(part[:300])
        assert response.headers["Content-Range"] == f"bytes {start}-{start + len(part) - 1}/{len(content)}"
        assert_harmless(response)
    response, body = await get(client, "file/submission/a.bin", Range="bytes=5-", **{"If-Range": tag})
    assert (response.status, body == content[5:]) == (206, True)
    response, body = await get(client, "file/submission/a.bin", Range="bytes=5-", **{"If-Range": '"other"'})
    assert (response.status, body == content) == (200, True)
    for asked in ("bytes=0-1,5-6", "lines=1-2", "bytes=9-3", "bytes=-", f"bytes={'9' * 5000}-"):
        response, body = await get(client, "file/submission/a.bin", Range=asked)
        assert (response.status, body == content) == (200, True), asked
    response, body = await get(client, "file/submission/a.bin", Range=f"bytes={len(content)}-")
    assert (response.status, body) == (416, b"")
    assert response.headers["Content-Range"] == f"bytes */{len(content)}"


async def test_head_and_an_empty_file(volume: Volume, client: Client) -> None:
    hand_in(volume, {"a.bin": b"x" * 1000, "empty": b""})
    response = await client.head(PREFIX + "file/submission/a.bin")
    assert (response.status, response.headers["Content-Length"], await response.read()) == (200, "1000", b"")
    empty, body = await get(client, "file/submission/empty")
    assert (empty.status, empty.headers["Content-Length"], body) == (200, "0", b"")


async def test_fifty_megabytes_take_no_memory(volume: Volume, client: Client) -> None:
    """Also where the client is slow: what it does not take stays on the disk."""
    piece = os.urandom(MIB)
    hand_in(volume, {"large.txt": piece * 50})
    response, body = await get(client, "view/submission/large.txt")
    assert b"Files of this kind are not shown here." in body
    del body
    tracemalloc.start()
    try:
        async with client.get(PREFIX + "file/submission/large.txt") as response:
            assert response.content_length == 50 * MIB
            for number in range(50):
                if number == 10:
                    await asyncio.sleep(0.1)  # the server goes on as far as it can
                assert await response.content.readexactly(MIB) == piece
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 8 * MIB


async def test_a_missing_file_is_refused(volume: Volume, client: Client, tmp_path: Path) -> None:
    hand_in(volume, {"a.bin": b"x" * 10, "a.ipynb": b"{}"})
    for stored in tmp_path.glob("volume/courses/c/**/ada/**/files/*"):
        stored.unlink()
    for path in ("file/submission/a.bin", "view/submission/a.bin", "view/submission/a.ipynb", "zip"):
        response, body = await get(client, path)
        assert response.status == 500, path
        assert json.loads(body)["message"] == "Stored files are damaged"


async def test_a_file_that_shrinks_while_it_is_sent_is_cut_off(volume: Volume, client: Client, tmp_path: Path) -> None:
    hand_in(volume, {"a.bin": os.urandom(30 * MIB)})
    (stored,) = tmp_path.glob("volume/courses/c/**/ada/**/files/a.bin")
    async with client.get(PREFIX + "file/submission/a.bin") as response:
        assert len(await response.content.readexactly(1000)) == 1000
        os.truncate(stored, 2000)
        with pytest.raises(ClientPayloadError):
            await response.read()
