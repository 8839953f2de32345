"""The example of a hub starts with one command, and the first steps of its demo do what they say."""

import asyncio
import base64
import json
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

import aiohttp
import pytest
from playwright.async_api import Browser, Page, expect
from yarl import URL

from examples.environments import REPOSITORY
from examples.jupyterhub.environment import installed
from tests.hubs.client import call
from tests.hubs.conftest import new_profile
from tests.hubs.running import free_address, kept

pytestmark = pytest.mark.hubs

START_SECONDS = 90
# As "Create Assignment" makes it: a cell to be filled in, and one that tests it.
EXERCISE = {
    "cells": [
        {
            "cell_type": "code",
            "id": "answer",
            "execution_count": None,
            "outputs": [],
            "source": "def answer():\n    ### BEGIN SOLUTION\n    return 42\n    ### END SOLUTION",
            "metadata": {
                "nbgrader": {
                    "schema_version": 3, "cell_type": "code", "grade_id": "answer",
                    "solution": True, "grade": False, "locked": False, "task": False,
                }
            },
        },
        {
            "cell_type": "code",
            "id": "tests",
            "execution_count": None,
            "outputs": [],
            "source": "assert answer() == 42",
            "metadata": {
                "nbgrader": {
                    "schema_version": 3, "cell_type": "code", "grade_id": "tests", "points": 3,
                    "solution": False, "grade": True, "locked": True, "task": False,
                }
            },
        },
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}  # fmt: skip
NOTEBOOK = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
# As the example has it: the port that is named, and three more.
PORTS, FIRST_PORT = 4, 18000


def tree(path: str, content: str) -> str:
    """A tree of one file, as the API takes it."""
    return json.dumps([{"path": path, "content": base64.b64encode(content.encode()).decode()}])


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

    async def sends(self, path: str, **fields: str) -> None:
        """Send a form to the service as its own page would."""
        page = await self.opens("services/ngshare/")
        token = re.search(r'<meta name="xsrf-token" content="([^"]+)">', page)
        assert token
        headers = {"X-XSRF-Token": token[1], "Referer": self.hub + "services/ngshare/"}
        async with self.session.post(f"{self.hub}services/ngshare/{path}", data=fields, headers=headers) as answer:
            assert answer.status == 200, await answer.text()

    async def presses(self, method: str, address: str, **sent: str) -> Any:
        """Press a button of one of nbgrader's pages in one's own server, and return what it answers."""
        url = urljoin(self.hub, address)
        cookie = self.session.cookie_jar.filter_cookies(URL(url))["_xsrf"]
        headers = {"X-XSRFToken": cookie.value}
        async with self.session.request(method, url, json=sent, headers=headers) as answer:
            text = await answer.text()
            assert answer.status == 200, (address, text)
            found = json.loads(text)
            assert not isinstance(found, dict) or found.get("success", True) is True, (address, found)
            return found

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
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the example keeps everything."""
    return tmp_path_factory.mktemp("example")


@pytest.fixture(scope="module")
def example(with_proxy: None, folder: Path) -> Iterator[str]:
    """The address of the example's hub."""
    installed()  # beforehand: the first time, it takes minutes
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
    # The hub itself may stumble over the service's end while it looks after it.
    assert not re.search(r'Traceback .*(\n\s.*)*/ngshare_fs/[a-z_/]+\.py"', log_file.read_text())


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


async def test_the_whole_demo(example: str, folder: Path) -> None:
    """Its buttons in their order, by what they send; the steps are those of the README."""
    homes = folder / "homes"
    async with (
        logged_in(example, "user") as user,
        logged_in(example, "kevin") as kevin,
        logged_in(example, "lawrence") as lawrence,
    ):
        await user.follows(await user.opens("services/ngshare/"), "init with test data")  # 1 to 4
        (homes / "kevin").mkdir(parents=True, exist_ok=True)
        config = 'c = get_config()\nc.CourseDirectory.course_id = "course1"\n'
        (homes / "kevin/nbgrader_config.py").write_text(config)  # 5 to 8
        await _from_server(kevin, "kevin", "courses")
        grader = "user/kevin/formgrader/api/"
        await kevin.opens("user/kevin/formgrader/")  # 9
        await kevin.presses("PUT", f"{grader}assignment/demo", name="demo")  # 10, 11
        source = homes / "kevin/source/demo"
        source.mkdir(parents=True, exist_ok=True)
        (source / "problem1.ipynb").write_text(json.dumps(EXERCISE))  # 12
        await kevin.presses("POST", f"{grader}assignment/demo/assign")  # 13
        await kevin.presses("POST", f"{grader}assignment/demo/release")  # 14

        await _from_server(lawrence, "lawrence", "courses")  # 15, 16
        of_demo = "?course_id=course1&assignment_id=demo"
        await lawrence.presses("POST", f"user/lawrence/assignments/fetch{of_demo}")  # 17
        homework = homes / "lawrence/demo/problem1.ipynb"
        assert "SOLUTION" not in homework.read_text()
        homework.write_text(homework.read_text().replace("raise NotImplementedError()", "return 42"))  # 18
        await lawrence.presses("POST", f"user/lawrence/assignments/submit{of_demo}")  # 19

        await kevin.presses("POST", f"{grader}assignment/demo/collect")  # 20, 21
        (submission,) = json.loads(await kevin.opens(f"{grader}submissions/demo"))
        assert submission["student"] == "lawrence"  # 22
        await kevin.presses("POST", f"{grader}submission/demo/lawrence/autograde")  # 23
        (graded,) = json.loads(await kevin.opens(f"{grader}submissions/demo"))
        assert (graded["score"], graded["max_score"]) == (3.0, 3.0)
        (notebook,) = json.loads(await kevin.opens(f"{grader}submitted_notebooks/demo/problem1"))
        comments = json.loads(await kevin.opens(f"{grader}comments?submission_id={notebook['id']}"))
        for comment in comments:
            await kevin.presses("PUT", f"{grader}comment/{comment['id']}", manual_comment="Well done, Lawrence")  # 24
        await kevin.presses("POST", f"{grader}assignment/demo/generate_feedback")  # 25, 26
        await kevin.presses("POST", f"{grader}assignment/demo/release_feedback")

        await lawrence.presses("POST", f"user/lawrence/assignments/fetch_feedback{of_demo}")  # 27, 28
        listed = await _from_server(lawrence, "lawrence", "assignments?course_id=course1")
        (found,) = [each for each in listed if each["assignment_id"] == "demo" and each["status"] == "submitted"]
        assert found["submissions"][0]["has_local_feedback"] is True  # 29
        (page,) = (homes / "lawrence/demo/feedback").glob("*/problem1.html")
        assert "lawrence" in found["student_id"]
        assert "3.0" in page.read_text()  # 30


async def test_an_assignment_goes_its_way_in_jupyterlab(example: str, browser: Browser) -> None:
    async with logged_in(example, "user") as user, logged_in(example, "kevin") as kevin:
        await user.follows(await user.opens("services/ngshare/"), "init with test data")
        await kevin.sends("assignment/course1/ps1", files=tree("problem1.ipynb", NOTEBOOK))

        page = await _in_jupyterlab(browser, example, "lawrence", "Assignment List")
        released, fetched, submitted = (
            page.locator(f"#{state}_assignments_list > .list_item").filter(has_text="ps1")
            for state in ("released", "fetched", "submitted")
        )
        await released.get_by_role("button", name="Fetch").click()
        await fetched.get_by_role("button", name="Submit").click()
        await expect(submitted.locator(".nested_list_item")).to_contain_text("UTC")

        listed = json.loads(await kevin.opens("services/ngshare/submissions/course1/ps1/lawrence"))
        (handed_in,) = listed["submissions"]
        feedback = {"timestamp": handed_in["timestamp"], "files": tree("problem1.html", "<p>Well done")}
        await kevin.sends("feedback/course1/ps1/lawrence", **feedback)

        await page.locator("#refresh_assignments_list").click()
        await expect(submitted).to_contain_text("feedback available to fetch")
        await submitted.get_by_role("button", name="Fetch Feedback").click()
        await expect(submitted).to_contain_text("view feedback")


async def test_formgrader_opens_within_jupyterlab(example: str, browser: Browser) -> None:
    page = await _in_jupyterlab(browser, example, "kevin", "Formgrader")
    formgrader = page.frame_locator("iframe[src*=formgrader]")
    await expect(formgrader.get_by_role("link", name="Add new assignment...")).to_be_visible()


async def test_formgrader_goes_from_one_course_to_another(example: str, folder: Path) -> None:
    """What "Formgrader (local)" asks for, of the folder that is open; each course has its own gradebook."""
    for name in ("one", "two"):
        course = folder / "homes/kevin" / name
        (course / "source" / f"ps-{name}").mkdir(parents=True)
        config = f'c = get_config()\nc.CourseDirectory.course_id = "course-{name}"\n'
        (course / "nbgrader_config.py").write_text(config)
    formgrader = f"{example}user/kevin/formgrader/"
    async with logged_in(example, "kevin") as kevin:
        await _from_server(kevin, "kevin", "courses")
        for name in ("one", "two", "one"):
            page = await kevin.opens(f"{formgrader}?path={quote(str(folder / 'homes/kevin' / name))}")
            assert f"course-{name}" in page
            assignments = json.loads(await kevin.opens(f"{formgrader}api/assignments"))
            assert [assignment["name"] for assignment in assignments] == [f"ps-{name}"]
            await kevin.presses("PUT", f"{formgrader}api/student/of-{name}", first_name="", last_name="", email="")
            students = json.loads(await kevin.opens(f"{formgrader}api/students"))
            assert [student["id"] for student in students] == [f"of-{name}"]


async def _in_jupyterlab(browser: Browser, hub: str, user: str, entry: str) -> Page:
    """Log in, have the server started, and choose an entry of nbgrader's menu."""
    page = await (await new_profile(browser)).new_page()
    page.set_default_timeout(START_SECONDS * 1000)
    expect.set_options(timeout=START_SECONDS * 1000)
    await page.goto(f"{hub}hub/login?next=%2Fhub%2Fspawn")
    await page.fill("input[name=username]", user)
    await page.fill("input[name=password]", "any")
    await page.click("form [type=submit]")
    await page.locator("#jp-MainMenu").get_by_text("Nbgrader").click()
    await page.locator(".lm-Menu").get_by_text(entry, exact=True).click()
    return page


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
