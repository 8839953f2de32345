"""Style and scripts: kept by their content, and that nothing else of this address ever runs on a page."""

import re
from pathlib import Path

import ngshare_fs.web
from ngshare_fs.web.table import PAGES
from tests.conftest import Exchange
from tests.pages.browsing import Browser, browser, document
from tests.trees import tree

__all__ = ["browser"]

NAMES = {"course": "c", "assignment": "a", "user": "lawrence"}
FILES = sorted((Path(ngshare_fs.web.__file__).parent / "static").iterdir())


def of_static_files(text: str) -> list[str]:
    """The addresses of a page's style and scripts."""
    return [
        str(attributes.get("src") or attributes["href"])
        for tag, attributes in document(text).elements
        if tag == "script" or (tag == "link" and attributes["rel"] == "stylesheet")
    ]


async def test_each_file_has_an_address_by_its_content_and_is_kept_for_long(browser: Browser) -> None:
    found = set()
    for page in PAGES:
        found |= set(of_static_files((await browser.look(page.path, "kevin", NAMES)).text))
    assert {re.sub(r"\?.*", "", address).rpartition("/")[2] for address in found} == {file.name for file in FILES}
    for address in found:
        answer = await browser.exchange.client.get(address)
        content = await answer.read()
        assert content == next(file for file in FILES if f"/{file.name}?" in address).read_bytes()
        assert answer.content_type == ("text/css" if ".css" in address else "text/javascript")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        for query in ("", "?", "?other", address.partition("?")[2].join("?x")):
            other = await browser.exchange.client.get(address.partition("?")[0] + query)
            assert (other.status, other.headers["Cache-Control"]) == (200, "no-cache")


async def test_there_is_nothing_else(taught: Exchange) -> None:
    for name in ("none.js", "", "..%2Frouting.py", "%2Fetc%2Fpasswd", "nul%00.js", "a" * 300 + ".js", "style.css%2F"):
        answer = await taught.client.get(f"/api/static/{name}")
        assert answer.status == 404, name


def scripts_in(policy: str) -> list[str]:
    """What may run by a policy."""
    found = re.search(r"script-src ([^;]*)", policy)
    return [] if found is None else found[1].split()


async def test_a_page_lets_its_own_scripts_run_and_no_other_of_its_address(browser: Browser) -> None:
    for page in PAGES:
        seen = await browser.look(page.path, "kevin", NAMES)
        policy = seen.headers["Content-Security-Policy"]
        host = f"{browser.exchange.client.host}:{browser.exchange.client.port}"
        assert scripts_in(policy) == [
            f"{host}{address.partition('?')[0]}" for address in of_static_files(seen.text) if ".js" in address
        ]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert ("connect-src" in policy) == (page.upload is not None)
    refused = await browser.look("pages/course/{course}", "stranger", NAMES)
    assert not scripts_in(refused.headers["Content-Security-Policy"])
    assert "<script" not in refused.text


async def test_an_odd_host_lets_no_script_run(taught: Exchange) -> None:
    for host in ("x; script-src *", "x y", "'unsafe-inline'", "[::1]", "x,y", "*", "x:*", "data:", "x/y", "%00"):
        answer = await taught.client.get("/api/?user=kevin", headers={"Host": host})
        if answer.status == 200:  # otherwise aiohttp has refused it
            assert not scripts_in(answer.headers["Content-Security-Policy"]), host


async def test_what_others_wrote_is_no_script(browser: Browser) -> None:
    files = tree({"x.js": b"alert(1)", "x.mjs": b"alert(1)", "times.js": b"alert(1)"})
    assert (await browser.exchange.call("POST", "assignment/c/scripts", "kevin", files=files)).status == 200
    for name in ("x.js", "x.mjs", "times.js"):
        path = "pages/release-file/{course}/{assignment}"
        seen = await browser.look(path, "lawrence", {**NAMES, "assignment": "scripts"}, file=name)
        assert seen.status == 200
        assert seen.headers["Content-Disposition"].startswith("attachment")
        assert "javascript" not in seen.headers["Content-Type"]
        assert seen.headers["X-Content-Type-Options"] == "nosniff"
        assert seen.headers["Content-Security-Policy"].startswith("sandbox;")
        assert seen.headers["Cross-Origin-Resource-Policy"] == "same-origin"
