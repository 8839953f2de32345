"""Whether an address leads to this service and to this volume, as `doctor` sees it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from ngshare_fs.command.main import main
from ngshare_fs.command.own_address import look_at_address
from ngshare_fs.store import Volume
from ngshare_fs.store.reading.volume_identity import identity_of
from tests import servers


def test_another_volume_is_not_this_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor is a copy, and where there is no volume yet, whoever answers has another one."""
    data, copy, other = tmp_path / "volume", tmp_path / "copy", tmp_path / "other"
    Volume.open(other).close()
    with servers.running(data) as server:
        shutil.copytree(data, copy)  # with the times of its files, as `cp -a` does
        port = server.url.rpartition(":")[2].partition("/")[0]

        def said(folder: Path) -> str:
            code = main(["doctor", "--standalone", "--data", str(folder), "--port", port])
            (line,) = [line for line in capsys.readouterr().out.splitlines() if "service URL" in line]
            assert (code == 0) == line.startswith("ok")
            return line

        assert "answers, from this volume" in said(data)
        for folder in (copy, other, tmp_path / "none"):
            assert "WRONG" in said(folder)
            assert "answers from another volume" in said(folder)
        # Whatever is done in it, a volume stays the same.
        (data / "courses/c").mkdir()
        assert "answers, from this volume" in said(data)


def test_the_identity_tells_nothing(tmp_path: Path) -> None:
    Volume.open(tmp_path / "volume").close()
    found = identity_of(str(tmp_path / "volume"))
    assert (len(found), int(found, 16) > 0) == (16, True)


@pytest.mark.parametrize(
    ("status", "body", "fine", "said"),
    [
        (200, {"success": True, "volume": "ours"}, True, "from this volume"),
        (200, {"success": True, "volume": "theirs"}, False, "from another volume"),
        (200, {"success": True, "volume": 7}, False, "from another volume"),
        (200, {"success": True}, None, "nobody can tell"),
        (503, {"success": False, "message": "Storage is not usable: No space left"}, False, "No space left"),
        (200, {"success": 1}, False, "not as this service does"),
        (200, ["success"], False, "not as this service does"),
        (302, {"success": True, "volume": "ours"}, False, "answers 302"),
        (404, {}, False, "answers 404"),
    ],
)
async def test_what_answers_is_judged(
    aiohttp_server: Any, status: int, body: object, fine: bool | None, said: str
) -> None:
    found = await look_at_address("x", await _answering(aiohttp_server, status, json.dumps(body)), "ours", "look there")
    assert (found.ok, said in found.detail) == (fine, True)


async def test_what_is_no_json_is_not_this_service(aiohttp_server: Any) -> None:
    for text in ("<html>", "[" * 100_000, '"' + "x" * 10_000):
        found = await look_at_address("x", await _answering(aiohttp_server, 200, text), "ours", "look there")
        assert (found.ok, found.remedy) == (False, "look there")
    assert len(found.detail) < 200


async def test_where_our_own_volume_cannot_be_looked_at(aiohttp_server: Any) -> None:
    base = await _answering(aiohttp_server, 200, '{"success": true, "volume": "ours"}')
    assert (await look_at_address("x", base, None, "")).ok is None


async def _answering(aiohttp_server: Callable[..., Any], status: int, text: str) -> str:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text, content_type="application/json")

    application = web.Application()
    application.router.add_get("/api/readyz", answer)
    return str((await aiohttp_server(application)).make_url("/api/"))
