"""A course with somebody of each kind, and looking at its pages."""

import io
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest
from yarl import URL

from ngshare_fs.web.frame.addresses import Addresses
from tests.conftest import Exchange
from tests.trees import tree

ROLES = ("root", "kevin", "tara", "lawrence", "other student", "gone", "stranger")
WITH_GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.1"}


@dataclass
class Seen:
    """A page, as it came."""

    status: int
    text: str
    headers: Any


@dataclass
class Browser:
    """Looks at pages of a stand-alone server."""

    exchange: Exchange

    async def look(
        self, path: str, user: str, names: dict[str, str] | None = None, /, german: bool = False, **query: object
    ) -> Seen:
        """Open the page of a declared path."""
        return await self.follow(Addresses("/api/", user)(path, names, **query), german)

    async def follow(self, address: str, german: bool = False) -> Seen:
        """Open an address as a page has it."""
        answer = await self.exchange.client.get(
            URL(address, encoded=True), headers=WITH_GERMAN if german else {}, allow_redirects=False
        )
        return Seen(answer.status, (await answer.read()).decode("utf-8", "replace"), answer.headers)


class _Document(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "link", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def document(text: str) -> _Document:
    """A page's elements and words; each element is closed where it has to be."""
    parsed = _Document()
    parsed.feed(text)
    parsed.close()
    assert not parsed.open, parsed.open
    return parsed


def words(text: str) -> str:
    """What of a page is read, in one line."""
    return " ".join("".join(document(text).words).split())


def foreign_scripts(text: str) -> list[dict[str, str | None]]:
    """The scripts of a page that are none of our files."""
    scripts = [each for tag, each in document(text).elements if tag == "script"]
    return [each for each in scripts if "/static/" not in str(each.get("src"))]


def links(text: str) -> list[str]:
    """Where a page leads."""
    return [str(attributes["href"]) for tag, attributes in document(text).elements if tag == "a"]


async def feedback_on_the_newest(browser: Browser, files: dict[str, bytes] | None = None) -> str:
    """Give feedback on what lawrence has handed in last: on which, as its timestamp."""
    call = browser.exchange.call
    moment = str((await call("GET", "submissions/c/a/lawrence", "kevin")).body["submissions"][-1]["timestamp"])
    remarks = tree(files or {"p.ipynb": b"{}"})
    answer = await call("POST", "feedback/c/a/lawrence", "kevin", timestamp=moment, files=remarks)
    assert answer.status == 200
    return moment


async def send(
    exchange: Exchange, path: str, user: str, names: dict[str, str] | None = None, /, query: str = "", **fields: str
) -> tuple[int, str, str]:
    """Send a form of the page of a declared path: status, where it leads, the page.

    Args:
        query: what else is in the address, from `&` on.
    """
    answer = await exchange.client.post(
        URL(Addresses("/api/", user)(path, names) + query, encoded=True),
        data=io.BytesIO(urlencode(fields).encode()),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        allow_redirects=False,
    )
    return answer.status, answer.headers.get("Location", ""), await answer.text()


async def something_deleted(browser: Browser) -> str:
    """Delete an assignment of the course: the name of its entry in the trash."""
    files = tree({"p.ipynb": b"{}"})
    assert (await browser.exchange.call("POST", "assignment/c/old", "kevin", files=files)).status == 200
    assert (await browser.exchange.call("DELETE", "assignment/c/old", "kevin")).status == 200
    return max(each.name for each in (browser.exchange.data / "trash").iterdir())


@pytest.fixture
async def browser(taught: Exchange) -> Browser:
    """The course `c` with an instructor, a grader, students, and somebody who has handed in and left."""
    names = {"first_name": "", "last_name": "", "email": ""}
    for path in ("student/c/other student", "student/c/gone", "grader/c/tara"):
        assert (await taught.call("POST", path, "kevin", **names)).status == 200
    for user in ("lawrence", "gone"):
        assert (await taught.call("POST", "submission/c/a", user, files=tree({"p.ipynb": b"{}"}))).status == 200
    assert (await taught.call("DELETE", "student/c/gone", "kevin")).status == 200
    return Browser(taught)
