"""The example of a hub starts with one command, and the first steps of its demo do what they say."""

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urljoin

import aiohttp
import pytest

from examples.environments import REPOSITORY
from examples.jupyterhub.environment import installed
from tests.hubs.client import call
from tests.hubs.running import free_address, kept

pytestmark = pytest.mark.hubs

START_SECONDS = 90
# As the example has it: the port that is named, and three more.
PORTS, FIRST_PORT = 4, 18000


@dataclass
class Visitor:
    """Somebody who has logged in to the hub, with the cookies of their browser."""

    session: aiohttp.ClientSession
    hub: str

    async def opens(self, address: str) -> str:
        """Open an address, go where it leads, and return what is there."""
        headers = {"Accept": "text/html", "Referer": self.hub + "services/ngshare/"}
        async with self.session.get(urljoin(self.hub, address), headers=headers) as answer:
            assert answer.status == 200, (address, answer, await answer.text())
            return await answer.text()

    async def follows(self, page: str, words: str) -> str:
        """Follow the link with these words."""
        found = re.search(rf'<a href="([^"]+)">{re.escape(words)}</a>', page)
        assert found, page
        return await self.opens(unescape(found[1]))


@asynccontextmanager
async def logged_in(hub: str, user: str) -> AsyncIterator[Visitor]:
    jar = aiohttp.CookieJar(unsafe=True)  # that is: hosts may be numbers
    async with aiohttp.ClientSession(cookie_jar=jar, timeout=aiohttp.ClientTimeout(60)) as session:
        visitor = Visitor(session, hub)
        found = re.search(r'name="_xsrf" value="([^"]+)"', await visitor.opens("hub/login"))
        assert found
        form = {"username": user, "password": "any", "_xsrf": found[1]}
        async with session.post(hub + "hub/login?next=%2Fhub%2Fhome", data=form) as answer:
            assert str(answer.url) == hub + "hub/home"
        yield visitor


@pytest.fixture(scope="module")
def example(with_proxy: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the example's hub."""
    installed()  # beforehand: the first time, it takes minutes
    folder = tmp_path_factory.mktemp("example")
    log_file = folder.with_suffix(".log")
    address, ports = free_address(PORTS, FIRST_PORT)
    where = ["--address", address, "--port", str(ports[0]), "--folder", str(folder)]
    hub = f"http://{address}:{ports[0]}/"
    command = [str(REPOSITORY / "examples/jupyterhub/start"), *where]
    # With another Python, it would make another environment.
    with kept(command, log_file, environment={**os.environ, "PYTHON": sys.executable}) as process:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(hub + "services/ngshare/healthz"):
            assert process.poll() is None, log_file.read_text()
            assert time.monotonic() < deadline, log_file.read_text()
            time.sleep(0.1)
        yield hub
    assert "Traceback" not in log_file.read_text()


def _answers(url: str) -> bool:
    try:
        return call("GET", url).status == 200
    except OSError:
        return False


async def test_the_first_steps_of_the_demo(example: str) -> None:
    async with logged_in(example, "user") as user:
        start = await user.opens("services/ngshare/")
        assert '"message": "done"' in await user.follows(start, "init with test data")
        dump = await user.follows(start, "dump")
        for word in ("course1", "course2", "kevin", "lawrence", "challenge"):
            assert f"<td>{word}</td>" in dump
    async with logged_in(example, "kevin") as kevin:
        assert "course1" in await kevin.opens("services/ngshare/")
        # nbgrader, in a server of his own, asks with the token of that server.
        assert await _from_server(kevin, "kevin", "courses") == ["course1"]
    async with logged_in(example, "lawrence") as lawrence:
        assert await _from_server(lawrence, "lawrence", "courses") == ["course1"]
        assignments = await _from_server(lawrence, "lawrence", "assignments?course_id=course1")
        assert [found["assignment_id"] for found in assignments if found["status"] == "released"] == ["challenge"]


async def _from_server(visitor: Visitor, user: str, path: str) -> Any:
    """Ask nbgrader's Assignment List in a user's server, which is started for that."""
    await visitor.opens("hub/spawn")
    deadline = time.monotonic() + START_SECONDS
    while True:
        async with visitor.session.get(f"{visitor.hub}user/{user}/{path}") as answer:
            text = await answer.text()
        if text.startswith("{"):  # until it runs, the hub answers with a page
            found = json.loads(text)
            break
        assert time.monotonic() < deadline, text
        await asyncio.sleep(0.1)
    assert found["success"] is True, found
    return found["value"]


def test_its_page_has_the_steps() -> None:
    page = (REPOSITORY / "examples/jupyterhub/README.md").read_text(encoding="utf-8")
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", page, re.MULTILINE)]
    assert numbers == list(range(1, 31))
