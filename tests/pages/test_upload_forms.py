"""Forms with files: they arrive as the API's requests do, and what they do is the API's."""

import io
import random
from collections.abc import Mapping
from typing import Any

import pytest

from ngshare_fs.access.permission import Who
from ngshare_fs.api.request import file_form
from ngshare_fs.api.request.spill import LARGE_FILE
from ngshare_fs.store.journal import search
from ngshare_fs.store.journal.events import Entry
from ngshare_fs.web import routes
from ngshare_fs.web.frame.page import Chosen, Done, Field, Page, Prepared, UploadForm, Wrong
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.home import HOME
from ngshare_fs.web.student import assignment
from ngshare_fs.web.table import PAGES
from tests.conftest import Exchange
from tests.fallible_hub import user
from tests.pages.browsing import words
from tests.pages.file_forms import BOUNDARY, Sent, form_body, send_files
from tests.rounds import rounds
from tests.signing_in import PREFIX, Service, cookie, page_of, service, sign_in, xsrf_in
from tests.trees import contents
from tests.zips import zipped

__all__ = ["cookie", "service"]

PATH = "pages/trial-files/{course}/{assignment}"
ADDRESS = "/api/pages/trial-files/c/a?user=lawrence"
LARGE = b"x" * (LARGE_FILE * 3)


def prepare(visit: Visit, values: Mapping[str, str], chosen: Chosen) -> Prepared:
    """Take what was chosen as it is."""
    if values["text"] == "bad":
        raise Wrong({"text": "wrong.missing"})
    return Prepared({"key": values["text"]}, [file for _, file in chosen])


def done(visit: Visit, answer: Mapping[str, Any]) -> Done:
    """Lead to the assignment."""
    return Done("pages/assignment/{course}/{assignment}", visit.asking.names, "", query={"at": answer["timestamp"]})


@pytest.fixture(autouse=True)
def trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page with a form that hands in."""
    action = ("POST", "submission/{course}/{assignment}")
    form = UploadForm(action, prepare, done, (Field("text", 64),), frozenset({"zip"}))
    page = Page(PATH, Who.MEMBER, "assignment", assignment.read, under=HOME, only_open=True, upload=form)
    monkeypatch.setattr(routes, "PAGES", (*PAGES, page))


async def stored(exchange: Exchange) -> dict[str, bytes]:
    return contents((await exchange.call("GET", "submission/c/a/lawrence", "lawrence")).body)


async def count(exchange: Exchange) -> int:
    return len((await exchange.call("GET", "submissions/c/a/lawrence", "lawrence")).body["submissions"])


async def test_what_is_chosen_is_stored_as_the_api_stores_it(taught: Exchange) -> None:
    files: list[Sent] = [
        ("files", "p.ipynb", b"{}"),
        ("files", "empty", b""),
        ("folder", "d/ä 'n\"\\.txt", b"\r\n--\r\n"),
        ("files", "large", LARGE),
        ("files", "", b""),
        ("zip", "z.zip", zipped({"e/": b"", "e/f": LARGE, "e/g": b"g"})),
    ]
    seen = await send_files(taught, ADDRESS, {"text": "key", "other": "passed over"}, files)
    assert seen.status == 303, words(seen.text)
    assert seen.headers["Location"].startswith("/api/pages/assignment/c/a?user=lawrence&at=")
    expected = {name: content for field, name, content in files if name and field != "zip"}
    assert await stored(taught) == {**expected, "e/f": LARGE, "e/g": b"g"}
    assert not taught.left_in_staging()
    (event,) = [each.event for each in search.found(taught.volume, search.Wanted()) if isinstance(each, Entry)][-1:]
    assert (event.what, event.by, event.via, event.student) == ("submit", "lawrence", "page", "lawrence")


async def test_the_same_key_is_one_submission(taught: Exchange) -> None:
    files: list[Sent] = [("files", "p.ipynb", b"{}")]
    first = await send_files(taught, ADDRESS, {"text": "key"}, files)
    second = await send_files(taught, ADDRESS, {"text": "key"}, files)
    assert first.headers["Location"] == second.headers["Location"]
    assert await count(taught) == 1
    other = await send_files(taught, ADDRESS, {"text": "key"}, [("files", "p.ipynb", b"other")])
    assert other.status == 409


@pytest.mark.parametrize(
    ("texts", "files", "status"),
    [
        ({"text": "bad"}, [("files", "large", LARGE)], 400),
        ({"text": " "}, [("files", "large", LARGE)], 400),
        ({"text": "x" * 65}, [("files", "large", LARGE)], 400),
        ({"text": "x" * 300}, [("files", "large", LARGE)], 413),
        ({"text": "key"}, [("files", "../x", LARGE)], 400),
        ({"text": "key"}, [("files", "/x", b"")], 400),
        ({"text": "key"}, [("files", "a\nb/../c", b"")], 400),
        ({"text": "key"}, [("files", "\udcff", b"")], 400),
        ({"text": "key"}, [("zip", "z.zip", zipped({"../x": LARGE}))], 400),
        ({"text": "key"}, [("files", "a", b""), ("files", "a/b", b"")], 400),
    ],
)
async def test_what_is_refused_leaves_nothing(
    taught: Exchange, texts: dict[str, str], files: list[Sent], status: int
) -> None:
    seen = await send_files(taught, ADDRESS, texts, files)
    assert (seen.status, seen.headers["Content-Type"]) == (status, "text/html; charset=utf-8"), words(seen.text)
    assert not taught.left_in_staging()
    assert await count(taught) == 0


async def test_whoever_may_not_is_told_before_the_files_arrive(
    taught: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def rest(*_: object) -> None:
        raise AssertionError("read")

    monkeypatch.setattr(file_form.FileForm, "rest", rest)
    address = ADDRESS.replace("lawrence", "stranger")
    assert (await send_files(taught, address, {"text": "key"}, [("files", "a", b"")])).status == 403
    address = ADDRESS.replace("/a?", "/none?")
    assert (await send_files(taught, address, {"text": "key"}, [("files", "a", b"")])).status == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--" + BOUNDARY.encode(),
        form_body({"text": "key"}, [("files", "a", b"1234")])[:-30],
        form_body({"text": "key"}, []).replace(b'name="text"', b"name=text"),
        form_body({"text": "key"}, []).replace(b"Content-Disposition", b"Content-Transfer-Encoding: base64\r\nX"),
        form_body({"text": "key"}, []).replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"),
    ],
)
async def test_what_is_no_form_is_refused(taught: Exchange, body: bytes) -> None:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = await taught.client.post(ADDRESS, data=body, headers=headers)
    assert answer.status == 400, await answer.text()
    assert not taught.left_in_staging()


async def test_on_a_hub_the_first_field_or_the_header_says_that_it_is_our_own_page(service: Service) -> None:
    service.hub.owners["page"] = user("root", "access:services")
    cookie = (await sign_in(service)).partition(";")[0]
    xsrf = xsrf_in(await page_of(service, cookie))
    sent = {"Cookie": cookie, "Referer": service.origin + PREFIX}
    await service.ask("course/c", "POST", **sent, X_XSRF_Token=xsrf)
    answer = await service.client.post(
        PREFIX + "assignment/c/a", data={"files": "[]"}, headers={**sent, "X-XSRF-Token": xsrf}
    )
    assert answer.status == 200

    async def send(texts: dict[str, str], **headers: str) -> int:
        answer = await service.client.post(
            PREFIX + "pages/trial-files/c/a",
            data=form_body(texts, [("files", "p", b"")]),
            headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", **sent, **headers},
            allow_redirects=False,
        )
        return answer.status

    assert await send({"text": "k"}) == 403
    assert await send({"text": "k", "_xsrf": xsrf}) == 403  # it has to come before anything is read
    assert await send({"_xsrf": "wrong", "text": "k"}) == 403
    assert await send({"_xsrf": xsrf, "text": "k"}, Referer=service.origin + "/user/mallory/") == 403
    assert await send({"_xsrf": xsrf, "text": "k"}, **{"Sec-Fetch-Site": "same-site"}) == 403
    assert await send({"_xsrf": xsrf, "text": "k"}) == 303
    assert await send({"text": "k"}, **{"X-XSRF-Token": xsrf}) == 303


INSERTED = (
    b"\r\n--" + BOUNDARY.encode() + b"\r\n", b"--" + BOUNDARY.encode() + b"--", b"\r\n\r\n", b"\0", b"\xff", b'"', b";",
    b"Content-Length: 3\r\n", b"Content-Encoding: gzip\r\n", b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Type: multipart/mixed; boundary=C\r\n",
    b'Content-Disposition: form-data; name="_charset_"\r\n\r\nnone\r\n',
)  # fmt: skip


# aiohttp warns of heads that it does not understand; what they say is read here.
@pytest.mark.filterwarnings("ignore::aiohttp.multipart.BadContentDispositionHeader")
@pytest.mark.filterwarnings("ignore::aiohttp.multipart.BadContentDispositionParam")
async def test_whatever_is_sent_has_an_answer_and_leaves_nothing(taught: Exchange) -> None:
    chance = random.Random(7)
    whole = form_body(
        {"text": "key", "_xsrf": ""}, [("files", "a/b.txt", b"1234" * 9), ("zip", "z", zipped({"c": b"5"}))]
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    statuses = set()
    for _ in range(rounds(400)):
        body = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(body) + 1)
            match chance.randrange(3):
                case 0:
                    body[at:at] = chance.choice(INSERTED)
                case 1:
                    del body[at : at + chance.choice((1, 2, 30))]
                case 2:
                    body[at:at] = body[: chance.randrange(len(body))]
        answer = await taught.client.post(ADDRESS, data=io.BytesIO(bytes(body)), headers=headers, allow_redirects=False)
        await answer.read()
        statuses.add(answer.status)
        assert not taught.left_in_staging()
    assert statuses <= {303, 400, 409, 413}, statuses
    assert {303, 400} <= statuses
