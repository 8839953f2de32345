"""The receipt of a submission: the same as the plug-in's, and of the submission that is meant."""

import json
from pathlib import Path

from ngshare_fs.exchange.folders.submission_cache import SubmissionCache
from ngshare_fs.formats.receipt import Receipt
from tests.pages.browsing import Browser, browser, links, words
from tests.trees import tree

__all__ = ["browser"]

NAMES = {"course": "c", "assignment": "a", "user": "lawrence"}
RECEIPT = "pages/receipt/{course}/{assignment}/{user}"
FILES = {"p.ipynb": b"{}\n", "data/käse <b>.csv": b"1" * 3000}


async def test_it_is_what_the_plug_in_keeps(browser: Browser, tmp_path: Path) -> None:
    call = browser.exchange.call
    due = "2030-01-31 23:59:59 Europe/Vienna"
    assert (await call("PATCH", "assignment/c/a", "kevin", due=due)).status == 200
    answer = (await call("POST", "submission/c/a", "lawrence", files=tree(FILES), key="k" * 32)).body
    assert (await call("POST", "submission/c/a", "lawrence", files=tree({"f": b"1"}))).status == 200
    seen = await browser.look(RECEIPT, "lawrence", NAMES, timestamp=answer["timestamp"])
    text = words(seen.text)
    for said in (
        answer["timestamp"],
        f"Key{'k' * 32}",
        "Work oflawrence",
        "Handed in bylawrence",
        "in time (Due: 31 January 2030, 22:59:59 UTC)",
        "2 files, 2.9 KiB",
        *(f"{file['path']}{file['size']}{file['checksum']}" for file in answer["files"]),
    ):
        assert said in text, said
    (link,) = [link for link in links(seen.text) if "receipt-json" in link]
    file = await browser.follow(link)
    assert file.headers["Content-Type"] == "application/json; charset=utf-8"
    assert file.headers["Content-Disposition"] == 'attachment; filename="ngshare_receipt.json"'
    server = str(browser.exchange.client.make_url("/api/"))
    receipt = Receipt(
        "c", "a", "lawrence", answer["timestamp"], server, True, answer["files"], answer["due"], answer["late_seconds"]
    )
    work = tmp_path / "work"
    work.mkdir()
    kept = Path(SubmissionCache(str(tmp_path / "cache")).keep(str(work), receipt))
    assert file.text == kept.read_text("utf-8")
    assert kept.name == "ngshare_receipt.json"


async def test_without_a_timestamp_it_is_that_of_the_newest_and_says_what_was_done(browser: Browser) -> None:
    answer = (await browser.exchange.call("POST", "submission/c/a", "lawrence", files=tree(FILES))).body
    for path in (RECEIPT, "pages/receipt-json/{course}/{assignment}/{user}"):
        assert answer["timestamp"] in (await browser.look(path, "lawrence", NAMES)).text
    assert "There is no due date." in words((await browser.look(RECEIPT, "lawrence", NAMES)).text)


async def test_who_handed_it_in_for_somebody_is_named(browser: Browser) -> None:
    sent = {"files": tree(FILES), "student": "lawrence"}
    assert (await browser.exchange.call("POST", "submission/c/a", "kevin", **sent)).status == 200
    text = words((await browser.look(RECEIPT, "lawrence", NAMES)).text)
    assert "Work oflawrence Handed in bykevin" in text
    assert "Keynone" in text


async def test_by_https_the_address_of_the_server_is_so(browser: Browser) -> None:
    answer = await browser.exchange.client.get(
        "/api/pages/receipt-json/c/a/lawrence?user=lawrence",
        headers={"X-Forwarded-Proto": "https, http", "Host": "hub.example.org"},
    )
    assert json.loads(await answer.read())["server"] == "https://hub.example.org/api/"


NO_SUCH = [
    "",
    "x",
    "../../../x",
    "2020-01-30 10:30:47.524219 UTC",
    "2020-01-30",
    "9" * 5000,
    "\0",
    "2020-02-30 00:00:00.0",
]


async def test_a_submission_that_there_is_not(browser: Browser) -> None:
    for kind in ("receipt", "receipt-json", "submission-file", "submission-view", "submission-zip", "feedback-zip"):
        path = f"pages/{kind}/{{course}}/{{assignment}}/{{user}}"
        for timestamp in NO_SUCH:
            for user in ("lawrence", "kevin"):
                seen = await browser.look(path, user, NAMES, timestamp=timestamp, file="p.ipynb")
                assert (seen.status, "Submission not found" in words(seen.text)) == (404, True), (timestamp, seen)
            # Who may not see it does not hear which there are.
            seen = await browser.look(path, "other student", NAMES, timestamp=timestamp, file="p.ipynb")
            assert (seen.status, "Permission denied" in words(seen.text)) == (403, True), (timestamp, seen)


async def test_a_list_of_files_that_was_made_anew_says_so(browser: Browser) -> None:
    (manifest,) = browser.exchange.data.glob("courses/c/assignments/a/submissions/lawrence/*/manifest.yaml")
    manifest.write_text(manifest.read_text("utf-8") + "rebuilt: 2026-01-30 10:30:47.524219 UTC\n", "utf-8")
    text = words((await browser.look(RECEIPT, "lawrence", NAMES)).text)
    assert "made anew 30 January 2026, 10:30:47 UTC" in text


async def test_a_broken_manifest_gives_no_receipt(browser: Browser) -> None:
    (manifest,) = browser.exchange.data.glob("courses/c/assignments/a/submissions/lawrence/*/manifest.yaml")
    manifest.write_text("kind: [\n", "utf-8")
    for path in (RECEIPT, "pages/receipt-json/{course}/{assignment}/{user}"):
        seen = await browser.look(path, "lawrence", NAMES, german=True)
        assert seen.status == 503
        assert '<html lang="de">' in seen.text
        assert "manifest.yaml" not in seen.text
