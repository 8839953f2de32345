"""What pages hand out of somebody's work: to whom, of which file, as what, and that the journal says who fetched."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
from yarl import URL

from ngshare_fs.store.journal import search
from ngshare_fs.store.journal.events import Entry
from ngshare_fs.web.frame.addresses import Addresses
from ngshare_fs.web.untrusted.headers import SANDBOX
from tests.conftest import until
from tests.pages.browsing import Browser, browser, feedback_on_the_newest, words
from tests.trees import tree

__all__ = ["browser"]

NAMES = {"course": "c", "assignment": "a", "user": "lawrence"}
OF_USER = "{course}/{assignment}/{user}"
FILES = {
    "p.ipynb": b'{"nbformat": 4, "cells": []}',
    "data/x.csv": b"a,b\n",
    "page.html": b"<script>1</script>",
    "p.svg": b"<svg/>",
}


async def hand_in(browser: Browser, user: str = "lawrence", files: dict[str, bytes] | None = None) -> str:
    answer = await browser.exchange.call("POST", "submission/c/a", user, files=tree(files or FILES))
    return str(answer.body["timestamp"])


async def fetch(
    browser: Browser, path: str, user: str, method: str = "GET", headers: Any = None, **query: str
) -> tuple[int, bytes, Mapping[str, str]]:
    """The answer with its bytes."""
    address = Addresses("/api/", user)(path, NAMES, **query)
    answer = await browser.exchange.client.request(method, URL(address, encoded=True), headers=headers)
    return answer.status, await answer.read(), answer.headers


async def test_files_are_saved_or_shown_in_the_sandbox(browser: Browser) -> None:
    moment = await hand_in(browser)
    await feedback_on_the_newest(browser, {"p.html": b"<h1>Good"})
    for kind, file, content, shown_as in (
        ("submission", "p.ipynb", FILES["p.ipynb"], "text/html"),
        ("submission", "data/x.csv", b"a,b\n", "text/plain"),
        ("submission", "page.html", FILES["page.html"], None),
        ("submission", "p.svg", b"<svg/>", None),
        ("feedback", "p.html", b"<h1>Good", "text/html"),
    ):
        status, body, headers = await fetch(
            browser, f"pages/{kind}-file/{OF_USER}", "lawrence", timestamp=moment, file=file
        )
        assert (status, body, headers["Content-Type"]) == (200, content, "application/octet-stream")
        assert headers["Content-Disposition"].startswith("attachment")
        status, body, headers = await fetch(
            browser, f"pages/{kind}-view/{OF_USER}", "lawrence", timestamp=moment, file=file
        )
        assert status == 200
        if shown_as is not None:
            assert headers["Content-Security-Policy"] == SANDBOX
            assert headers["Content-Type"].partition(";")[0] == shown_as
        else:
            assert b"are not shown here" in body
            assert b"<script>1" not in body
            assert f"{kind}-file/c/a/lawrence?user=lawrence&amp;timestamp=".encode() in body


async def test_a_whole_tree_is_a_zip(browser: Browser) -> None:
    moment = await hand_in(browser)
    await hand_in(browser, files={"other": b"1"})
    stamp = moment.replace(":", ".")
    for path, query, name, expected in (
        (f"pages/submission-zip/{OF_USER}", {"timestamp": moment}, f"a lawrence {stamp}.zip", FILES),
        (f"pages/submission-zip/{OF_USER}", {}, None, {"other": b"1"}),
        ("pages/release-zip/{course}/{assignment}", {}, "a.zip", {"p.ipynb": b"{}\n"}),
    ):
        status, body, headers = await fetch(browser, path, "lawrence", **query)
        assert (status, headers["Content-Type"]) == (200, "application/zip")
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            assert archive.testzip() is None
            assert {each: archive.read(each) for each in archive.namelist()} == expected
        if name is not None:
            assert headers["Content-Disposition"] == f'attachment; filename="{name}"'


NO_SUCH = (
    "", "no such", "../manifest.yaml", "../../manifest.yaml", "./p.ipynb", "data", "data/", "/p.ipynb", "P.IPYNB",
    "data/../p.ipynb", "..\\manifest.yaml", "p.ipynb\0", "%2e%2e/manifest.yaml", "/etc/passwd", "p.ipynb/",
)  # fmt: skip


async def test_no_other_file_is_reached(browser: Browser) -> None:
    moment = await hand_in(browser)
    await feedback_on_the_newest(browser, {"p.html": b"1"})
    for file in NO_SUCH:
        for kind in ("submission-file", "submission-view", "feedback-file", "feedback-view"):
            seen = await browser.look(f"pages/{kind}/{OF_USER}", "lawrence", NAMES, timestamp=moment, file=file)
            assert seen.status == 404, (kind, file, seen)
        for kind in ("release-file", "release-view"):
            seen = await browser.look(f"pages/{kind}/{{course}}/{{assignment}}", "lawrence", NAMES, file=file)
            assert seen.status == 404, (kind, file, seen)


@pytest.mark.parametrize("kind", ["feedback-file", "feedback-view", "feedback-zip", "submission-file"])
async def test_nobody_reaches_the_work_of_another_student(browser: Browser, kind: str) -> None:
    moment = await feedback_on_the_newest(browser, {"p.ipynb": b"secret"})
    await hand_in(browser, "other student")
    path = f"pages/{kind}/{OF_USER}"
    for user in ("other student", "gone", "stranger"):
        seen = await browser.look(path, user, NAMES, timestamp=moment, file="p.ipynb")
        assert (seen.status, "secret" in seen.text) == (403, False)
        # Nor with the timestamp of somebody else's in one's own name.
        own = await browser.look(path, user, {**NAMES, "user": user}, timestamp=moment, file="p.ipynb")
        assert (own.status, "secret" in own.text) == (403 if user == "stranger" else 404, False)


async def test_feedback_that_there_is_not_yet(browser: Browser) -> None:
    moment = await hand_in(browser)
    for kind in ("file", "view", "zip"):
        seen = await browser.look(f"pages/feedback-{kind}/{OF_USER}", "lawrence", NAMES, timestamp=moment, file="f")
        assert seen.status == 404


async def test_head_and_range_are_answered_as_for_any_file(browser: Browser) -> None:
    moment = await hand_in(browser, files={"big.bin": bytes(range(256)) * 8})
    path, query = f"pages/submission-file/{OF_USER}", {"timestamp": moment, "file": "big.bin"}
    status, body, headers = await fetch(browser, path, "lawrence", "HEAD", **query)
    assert (status, body, headers["Content-Length"]) == (200, b"", "2048")
    status, body, headers = await fetch(browser, path, "lawrence", headers={"Range": "bytes=250-259"}, **query)
    assert (status, body) == (206, bytes([250, 251, 252, 253, 254, 255, 0, 1, 2, 3]))
    assert headers["Content-Range"] == "bytes 250-259/2048"
    status, body, _ = await fetch(browser, path, "lawrence", headers={"Range": "bytes=4000-"}, **query)
    assert (status, body) == (416, b"")
    for page in ("submissions", "receipt", "receipt-json", "submission-zip", "submission-view"):
        status, body, headers = await fetch(
            browser, f"pages/{page}/{OF_USER}", "lawrence", "HEAD", timestamp=moment, file="big.bin"
        )
        assert (status, body) == (200, b""), page
    # Nobody else hears from it how large somebody's work is.
    status, _, headers = await fetch(browser, path, "other student", "HEAD", **query)
    assert (status, "Content-Range" in headers, headers.get("ETag")) == (403, False, None)


async def test_who_fetches_feedback_is_in_the_journal_as_with_the_api(browser: Browser) -> None:
    moment = await feedback_on_the_newest(browser, {"p.html": b"1"})
    query = {"timestamp": moment, "file": "p.html"}
    assert (await browser.exchange.call("GET", "feedback/c/a/lawrence", "lawrence", timestamp=moment)).status == 200
    for kind, user in (("view", "lawrence"), ("file", "tara"), ("zip", "lawrence")):
        assert (await fetch(browser, f"pages/feedback-{kind}/{OF_USER}", user, **query))[0] == 200
    # What only says that there is feedback, and what is refused, is not noted; nor is a look at what was handed in.
    assert (await fetch(browser, f"pages/submissions/{OF_USER}", "lawrence"))[0] == 200
    assert (await fetch(browser, "pages/feedback/{course}", "lawrence"))[0] == 200
    assert (await fetch(browser, f"pages/submission-zip/{OF_USER}", "tara"))[0] == 200
    assert (await fetch(browser, f"pages/feedback-file/{OF_USER}", "other student", **query))[0] == 403
    assert (await fetch(browser, f"pages/feedback-file/{OF_USER}", "lawrence", **{**query, "file": "x"}))[0] == 404
    noted = [("lawrence", "api"), ("lawrence", "page"), ("tara", "page"), ("lawrence", "page")]
    # Nobody waits for such a line: it is written a little later.
    await until(lambda: len(fetched(browser)) >= len(noted), "the lines in the journal")
    assert fetched(browser) == [(user, via, "lawrence", moment) for user, via in noted]


def fetched(browser: Browser) -> list[tuple[str, str, str, str]]:
    """Who has fetched feedback, as the journal has it."""
    return [
        (each.event.by, each.event.via, each.event.student, each.event.detail)
        for each in search.found(browser.exchange.volume, search.Wanted(course="c"))
        if isinstance(each, Entry) and each.event.what == "fetch-feedback"
    ]


async def test_a_damaged_tree_is_refused_before_anything_is_sent(browser: Browser) -> None:
    moment = await hand_in(browser)
    below = browser.exchange.data / "courses/c/assignments/a/submissions/lawrence"
    newest = max(below.iterdir())
    (newest / "files/p.ipynb").write_bytes(b"short")
    for kind in ("file", "view", "zip"):
        seen = await browser.look(
            f"pages/submission-{kind}/{OF_USER}", "lawrence", NAMES, german=True, timestamp=moment, file="p.ipynb"
        )
        assert (seen.status, "beschädigt" in words(seen.text)) == (500, True), kind
    # The other files are as they were.
    assert (await fetch(browser, f"pages/submission-file/{OF_USER}", "lawrence", file="p.svg"))[1] == b"<svg/>"
    (newest / "manifest.yaml").unlink()
    for kind in ("file", "view", "zip"):
        seen = await browser.look(f"pages/submission-{kind}/{OF_USER}", "lawrence", NAMES, file="p.ipynb")
        assert seen.status == 503, kind
