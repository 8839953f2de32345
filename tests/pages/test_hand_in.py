"""Handing in by browser: what is asked before, what is stored, and what a form is told."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientError

from ngshare_fs.formats.civil_time import moment_at
from ngshare_fs.store import dates
from tests.conftest import Exchange, MakeExchange, until
from tests.pages.browsing import WITH_GERMAN, Browser, Seen, browser, document, links, words
from tests.pages.file_forms import BOUNDARY, Sent, form_body, send_files
from tests.trees import contents, tree
from tests.zips import by_a_mac, encrypted, with_link, zipped

__all__ = ["browser"]

PATH = "pages/hand-in/{course}/{assignment}"
NAMES = {"course": "c", "assignment": "w"}
RELEASED = {"p1.ipynb": b"{}", "dä/p2.ipynb": b"{}", "data.csv": b"1"}
ALL: list[Sent] = [("files", "p1.ipynb", b"1"), ("files", "p2.ipynb", b"2"), ("files", "data.csv", b"3")]


@pytest.fixture
async def course(browser: Browser) -> Browser:
    """The course with an assignment `w` of two notebooks, one of them in a folder."""
    assert (await browser.exchange.call("POST", "assignment/c/w", "kevin", files=tree(RELEASED))).status == 200
    return browser


async def set_dates(course: Browser, **days: float) -> None:
    moments = {name: str(moment_at(dates.now() + timedelta(days=many), "UTC")) for name, many in days.items()}
    answer = await course.exchange.call("PATCH", "assignment/c/w", "kevin", **moments)
    assert answer.status == 200, answer


def values_in(page: Seen) -> dict[str, str]:
    """What a page's form sends along."""
    found = {}
    for tag, attributes in document(page.text).elements:
        if tag == "input" and attributes.get("type") in ("hidden", "checkbox") and "name" in attributes:
            found[str(attributes["name"])] = str(attributes["value"])
    return found


async def form_of(course: Browser, user: str = "lawrence") -> dict[str, str]:
    page = await course.look(PATH, user, NAMES)
    assert page.status == 200
    values = values_in(page)
    return {name: values[name] for name in ("_xsrf", "key", "after")}


async def send(
    course: Browser,
    files: Iterable[Sent],
    values: Mapping[str, str] | None = None,
    user: str = "lawrence",
    german: bool = False,
) -> Seen:
    values = await form_of(course, user) if values is None else values
    address = f"/api/pages/hand-in/c/w?user={user}"
    return await send_files(course.exchange, address, values, files, WITH_GERMAN if german else {})


async def submissions(course: Browser, user: str = "lawrence") -> list[str]:
    answer = await course.exchange.call("GET", f"submissions/c/w/{user}", "kevin")
    return [each["timestamp"] for each in answer.body.get("submissions", ())]


async def stored(course: Browser, user: str = "lawrence") -> dict[str, bytes]:
    return contents((await course.exchange.call("GET", f"submission/c/w/{user}", "kevin")).body)


async def test_handing_in_leads_to_the_receipt(course: Browser) -> None:
    to_form = links((await course.look("pages/assignment/{course}/{assignment}", "lawrence", NAMES)).text)
    assert "/api/pages/hand-in/c/w?user=lawrence" in to_form
    seen = await send(course, ALL)
    assert seen.status == 303, words(seen.text)
    address = urlsplit(seen.headers["Location"])
    assert address.path == "/api/pages/receipt/c/w/lawrence"
    (moment,) = await submissions(course)
    assert parse_qs(address.query) == {
        "user": ["lawrence"], "timestamp": [moment], "done": ["handed-in"], "count": ["3"],
    }  # fmt: skip
    assert await stored(course) == {"p1.ipynb": b"1", "dä/p2.ipynb": b"2", "data.csv": b"3"}


async def test_missing_and_extra_notebooks_are_named_and_nothing_is_handed_in(course: Browser) -> None:
    values = await form_of(course)
    chosen: list[Sent] = [("files", "p1.ipynb", b"1"), ("files", "<b>.ipynb", b"")]
    seen = await send(course, chosen, values, german=True)
    assert seen.status == 400
    said = words(seen.text)
    assert "Notebooks der Aufgabe, die fehlen: dä/p2.ipynb Notebooks, die nicht zur Aufgabe gehören: <b>.ipynb" in said
    assert not await submissions(course)
    assert not course.exchange.left_in_staging()
    again = values_in(seen)
    assert again["key"] == values["key"]
    assert json.loads(again["although"]) == ["dä/p2.ipynb", "<b>.ipynb"]
    meant = {**values, "although": again["although"]}
    # What was confirmed is this, and not whatever else is missing.
    other = await send(course, [("files", "p2.ipynb", b"2")], meant)
    assert (other.status, json.loads(values_in(other)["although"])) == (400, ["p1.ipynb"])
    for nothing in ("", "yes", "{", "[1]", "{}", "[" * 3000):
        assert (await send(course, chosen, {**values, "although": nothing})).status == 400
    assert (await send(course, chosen, meant)).status == 303
    assert await stored(course) == {"p1.ipynb": b"1", "<b>.ipynb": b""}


THE_SAME_WORK: list[list[Sent]] = [
    [("folder", f"my work/{name}", content) for name, content in RELEASED.items()],
    [("zip", "w.zip", zipped({f"my work/{name}": content for name, content in RELEASED.items()}))],
    [("zip", "w.zip", zipped({**RELEASED, "__MACOSX/my work/._p1.ipynb": b"", "x/y.pyc": b""}))],
    [("zip", "w", zipped({**{f"w/{name}": content for name, content in RELEASED.items()}, "__MACOSX/x": b"1"}))],
    [("files", "p1.ipynb", b"{}"), ("folder", "dä/p2.ipynb", b"{}"), ("zip", "z", zipped({"data.csv": b"1"}))],
    [
        *(("folder", f"w/{name}".replace("ä", "a\u0308"), content) for name, content in RELEASED.items()),
        ("folder", "w/.ipynb_checkpoints/p1-checkpoint.ipynb", b"0"),
        ("folder", "w/.ngshare-origin.json", b"0"),
        ("folder", "w/.DS_Store", b"0"),
    ],
]


async def test_files_folders_and_zips_are_the_same_work(course: Browser) -> None:
    for files in THE_SAME_WORK:
        seen = await send(course, files)
        assert seen.status == 303, words(seen.text)
        assert await stored(course) == RELEASED


CANNOT_BE_TAKEN: list[tuple[list[Sent], str]] = [
    ([], "Nothing was chosen"),
    ([("files", "", b"")], "Nothing was chosen"),
    ([("folder", "w/.ipynb_checkpoints/p1.ipynb", b"0")], "Nothing was chosen"),
    ([*ALL, ("files", "../../x", b"")], "../../x: this name cannot be stored"),
    ([*ALL, ("files", "a" * 256, b"")], "this name cannot be stored"),
    ([*ALL, ("zip", "z", by_a_mac("nul\0", b""))], "this name cannot be stored"),
    ([*ALL, ("zip", "z", zipped({"../x": b""}))], "../x: this name cannot be stored"),
    ([*ALL, ("files", "\udcff", b"")], "this name cannot be stored"),
    ([*ALL, ("zip", "z", zipped({"/etc/passwd": b""}))], "/etc/passwd: this name cannot be stored"),
    ([*ALL, ("zip", "z", zipped({"data.csv": b""}))], "data.csv was chosen twice"),
    ([*ALL, ("files", "ü", b""), ("files", "u\u0308", b"")], "Two names look alike: \\xfc and u\\u0308"),
    ([("zip", "z", b"no zip")], "This is no zip"),
    ([("zip", "z", zipped({"a": b"1" * 999})[9:])], "The zip is damaged"),
    ([("zip", "z", encrypted("a\nb"))], "The zip is encrypted: a\\nb"),
    ([("zip", "z", with_link("l", "/etc/passwd"))], "In the zip there is a link, or something else"),
    ([("zip", "z", zipped({"bomb": bytes(5_000_000)}))], "What is in the zip takes more than 4.0 MiB"),
    ([("zip", "z", zipped({str(n): b"" for n in range(11)}))], "At most 10 files are taken at once"),
    ([("files", str(n), b"") for n in range(11)], "At most 10 files are taken at once"),
    ([("files", "p1.ipynb", bytes(5_000_000))], "At most 4.0 MiB are taken at once"),
]


async def test_what_cannot_be_taken_is_said_and_leaves_nothing(make_exchange: MakeExchange) -> None:
    exchange = await make_exchange(max_files=10, max_request=4 * 2**20)
    course = await with_assignment(exchange)
    for files, said in CANNOT_BE_TAKEN:
        seen = await send(course, files, {"key": "k"})
        assert seen.status in (400, 413), said
        assert said in words(seen.text)
        assert "Your work was not handed in." in words(seen.text)
        assert not exchange.left_in_staging(), said
        assert not await submissions(course), said


async def with_assignment(exchange: Exchange) -> Browser:
    for path, user, fields in (
        ("course/c", "root", {"instructors": '["kevin"]'}),
        ("student/c/lawrence", "kevin", {"first_name": "", "last_name": "", "email": ""}),
        ("assignment/c/w", "kevin", {"files": tree(RELEASED)}),
    ):
        assert (await exchange.call("POST", path, user, **fields)).status == 200
    return Browser(exchange)


async def test_late_work_is_meant_to_be_late(course: Browser) -> None:
    await set_dates(course, due=-1)
    page = await course.look(PATH, "lawrence", NAMES)
    assert "hidden" not in str(re.search(r'<p id="confirm-late".*?>', page.text))
    seen = await send(course, ALL)
    assert (seen.status, "The due date has passed" in words(seen.text)) == (400, True)
    assert not await submissions(course)
    values = await form_of(course)
    assert (await send(course, ALL, {**values, "late": "yes"})).status == 303


async def test_what_is_closed_takes_nothing_but_from_who_teaches_and_the_same_again(course: Browser) -> None:
    values = await form_of(course)
    assert (await send(course, ALL, values)).status == 303
    await set_dates(course, due=-2, close=-1)
    page = await course.look(PATH, "lawrence", NAMES)
    assert (page.status, "<form" in page.text) == (200, False)
    assert "It is too late for this assignment" in words(page.text)
    seen = await send(course, ALL, {**values, "key": "other"})
    assert (seen.status, "It is too late for this assignment" in words(seen.text)) == (403, True)
    # Whoever had no answer hears that it had arrived in time.
    assert (await send(course, ALL, values)).status == 303
    assert len(await submissions(course)) == 1
    assert (await send(course, ALL, user="kevin")).status == 303


async def test_a_page_hands_in_once(course: Browser) -> None:
    values = await form_of(course)
    answers = await asyncio.gather(*(send(course, ALL, values) for _ in range(5)))
    assert {answer.status for answer in answers} == {303}
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert len(await submissions(course)) == 1
    other = await send(course, [*ALL, ("files", "more", b"")], values)
    assert (other.status, "This page had handed in other files" in words(other.text)) == (409, True)
    fresh = values_in(other)
    assert fresh["key"] != values["key"]
    assert fresh["after"] == (await submissions(course))[0]
    assert (await send(course, [*ALL, ("files", "more", b"")], {"key": fresh["key"]})).status == 303
    assert len(await submissions(course)) == 2


async def test_a_malformed_key_is_refused(course: Browser) -> None:
    for key in ("", " ", "a b", "x" * 65, "x" * 1001, "ü"):
        assert (await send(course, ALL, {"key": key})).status == 400
    assert (await send(course, ALL, {"key": "k", "after": "yesterday"})).status == 400


async def test_plug_in_and_browser_at_the_same_time(course: Browser) -> None:
    values = await form_of(course)
    page, answer = await asyncio.gather(
        send(course, ALL, values),
        course.exchange.call("POST", "submission/c/w", "lawrence", files=tree(RELEASED), key="other"),
    )
    assert (page.status, answer.status) == (303, 200)
    assert len(await submissions(course)) == 2
    # The plug-in's repetition of what the page has handed in is a repetition, too.
    same = {"p1.ipynb": b"1", "dä/p2.ipynb": b"2", "data.csv": b"3"}
    repeated = await course.exchange.call("POST", "submission/c/w", "lawrence", files=tree(same), key=values["key"])
    assert repeated.body["timestamp"] in await submissions(course)
    assert len(await submissions(course)) == 2


async def test_a_quota_is_explained(make_exchange: MakeExchange) -> None:
    course = await with_assignment(await make_exchange(quota_student=10_000))
    meant = {"key": "k", "although": json.dumps(["p1.ipynb", "dä/p2.ipynb"])}
    assert (await send(course, [("files", "f", bytes(8_000))], meant)).status == 303
    for more in (b"x" * 2_001, b"x" * 600_000):
        seen = await send(course, [("files", "f", more)], {**meant, "key": "other"}, german=True)
        assert seen.status == 507
        assert "nimmt 7.8 KiB von 9.8 KiB ein" in words(seen.text)
    assert not course.exchange.left_in_staging()


async def test_whoever_is_removed_meanwhile_hands_in_nothing(course: Browser) -> None:
    values = await form_of(course)
    body = form_body(values, [("files", "p1.ipynb", bytes(3_000_000)), *ALL[1:]])
    began = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield body[:1_000_000]
        began.set()
        await removed.wait()
        yield body[1_000_000:]

    removed = asyncio.Event()
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    posting = asyncio.ensure_future(
        course.exchange.client.post("/api/pages/hand-in/c/w?user=lawrence", data=slowly(), headers=headers)
    )
    await began.wait()
    await until(course.exchange.left_in_staging, "what arrives is staged")
    assert (await course.exchange.call("DELETE", "student/c/lawrence", "kevin")).status == 200
    removed.set()
    answer = await posting
    assert (answer.status, "Permission denied" in await answer.text()) == (403, True)
    assert not course.exchange.left_in_staging()
    assert not await submissions(course)


async def test_whoever_goes_away_leaves_nothing(course: Browser) -> None:
    values = await form_of(course)
    body = form_body(values, [("files", "p1.ipynb", bytes(3_000_000))])

    async def half() -> AsyncIterator[bytes]:
        yield body[:2_000_000]
        await until(course.exchange.left_in_staging, "what arrives is staged")
        raise ConnectionResetError

    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    with pytest.raises(ClientError):
        await course.exchange.client.post("/api/pages/hand-in/c/w?user=lawrence", data=half(), headers=headers)
    await until(lambda: not course.exchange.left_in_staging(), "what had arrived is gone")
    assert not await submissions(course)


async def test_a_broken_file_of_the_assignment_holds_no_work_back(course: Browser) -> None:
    (course.exchange.data / "courses/c/assignments/w/assignment.yaml").write_text("due: [1]\n", "utf-8")
    page = await course.look(PATH, "lawrence", NAMES)
    assert page.status == 200
    assert "p2.ipynb" not in page.text  # nobody can say whether it is released
    assert (await send(course, [("files", "p1.ipynb", b"1")])).status == 303


async def test_what_is_not_released_is_not_there(course: Browser) -> None:
    await set_dates(course, release=1)
    assert (await course.look(PATH, "lawrence", NAMES)).status == 404
    assert (await send(course, ALL, {"key": "k"})).status == 404
    assert (await send(course, ALL, {"key": "k"}, "kevin")).status == 303
    assert (await course.exchange.call("PUT", "assignment/c/a/withdrawn", "kevin")).status == 200
    assert (await course.look(PATH, "lawrence", {**NAMES, "assignment": "a"})).status == 404
