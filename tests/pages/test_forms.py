"""What forms send: only our own pages', only what is declared, once; where they lead, and what they say."""

import io
from collections.abc import Mapping
from urllib.parse import urlencode

import pytest

from ngshare_fs.access.permission import Who
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import journal
from ngshare_fs.store.journal import search
from ngshare_fs.store.journal.events import Entry
from ngshare_fs.web import routes
from ngshare_fs.web.frame.page import Done, Field, Form, Page, Wrong
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.home import HOME
from ngshare_fs.web.student import course
from ngshare_fs.web.table import PAGES
from ngshare_fs.web.texts.catalogue import catalogue
from tests.conftest import Exchange
from tests.fallible_hub import user
from tests.pages.browsing import WITH_GERMAN, words
from tests.signing_in import PREFIX, Service, cookie, page_of, service, sign_in, xsrf_in

__all__ = ["cookie", "service"]

PATH = "pages/trial/{course}"


def act(visit: Visit, values: Mapping[str, str]) -> Done:
    """Do what the trial's form says."""
    if values["text"] == "bad":
        raise Wrong({"text": "wrong.missing"})
    if values["text"] == "refuse":
        raise Refused(refusals.STUDENT_NOT_FOUND)
    if values["text"] == "fail":
        raise RuntimeError(values["text"])
    visit.last_check()
    visit.note("trial", values["text"])
    return Done("pages/course/{course}", {"course": visit.course}, "trial", 2)


@pytest.fixture(autouse=True)
def trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page with two forms, of which one is for instructors."""
    forms = (Form("try", act, (Field("text", 10),)), Form("teach", act, (Field("text", 10),), Who.INSTRUCTOR))
    page = Page(PATH, Who.MEMBER, "course", course.read, under=HOME, forms=forms)
    monkeypatch.setattr(routes, "PAGES", (*PAGES, page))
    for language in ("en", "de"):
        texts = {"done.trial.one": "{count} trial", "done.trial.other": f"{{count}} trials, {language}"}
        monkeypatch.setattr(catalogue(language), "texts", {**catalogue(language).texts, **texts})


async def send(exchange: Exchange, asking: str, **fields: str) -> tuple[int, str, str]:
    answer = await exchange.client.post(
        f"/api/pages/trial/c?user={asking}",
        data=io.BytesIO(urlencode(fields).encode()),
        headers={**WITH_GERMAN, "Content-Type": "application/x-www-form-urlencoded"},
        allow_redirects=False,
    )
    return answer.status, answer.headers.get("Location", ""), await answer.text()


async def test_what_was_done_is_said_on_the_page_that_it_leads_to(taught: Exchange) -> None:
    status, location, _ = await send(taught, "lawrence", form="try", text="x")
    assert (status, location) == (303, "/api/pages/course/c?user=lawrence&done=trial&count=2")
    shown = await taught.client.get(location, headers=WITH_GERMAN)
    assert "2 trials, de" in words(await shown.text())
    (entry,) = [each for each in journal_of(taught) if each.what == "trial"]
    assert (entry.by, entry.via, entry.course, entry.detail) == ("lawrence", "page", "c", "x")


def journal_of(exchange: Exchange) -> list[journal.Event]:
    return [each.event for each in search.found(exchange.volume, search.Wanted(course="c")) if isinstance(each, Entry)]


@pytest.mark.parametrize(
    ("done", "count"), [("no-such", "1"), ("<b>you won</b>", "1"), ("trial", "99999999999"), ("trial", "\u0661")]
)
async def test_nobody_puts_words_on_a_page_by_its_address(taught: Exchange, done: str, count: str) -> None:
    shown = await taught.client.get("/api/pages/course/c", params={"user": "kevin", "done": done, "count": count})
    text = words(await shown.text())
    assert shown.status == 200
    assert "you won" not in text
    assert ("0 trials" in text) == (done == "trial")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"form": "try", "text": "bad"}, 400),
        ({"form": "try", "text": " "}, 400),
        ({"form": "try"}, 400),
        ({"form": "try", "text": "x" * 11}, 400),
        ({"form": "try", "text": "refuse"}, 404),
        ({"form": "try", "text": "fail"}, 500),
        ({"form": "no such", "text": "x"}, 400),
        ({"text": "x"}, 400),
        ({"form": "teach", "text": "x"}, 403),
        ({"form": "try", "text": "x" * 2**21}, 413),
    ],
)
async def test_what_cannot_be_done_is_a_page_that_says_so(
    taught: Exchange, fields: dict[str, str], status: int
) -> None:
    found, _, text = await send(taught, "lawrence", **fields)
    assert found == status
    assert '<html lang="de">' in text
    assert not [each for each in journal_of(taught) if each.what == "trial"]


async def test_a_form_of_a_higher_role_is_theirs(taught: Exchange) -> None:
    assert (await send(taught, "kevin", form="teach", text="x"))[0] == 303
    assert (await send(taught, "stranger", form="try", text="x"))[0] == 403


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "application/json", "application/x-www-form-urlencoded; charset=foo"]
)
async def test_what_is_no_form_is_refused(taught: Exchange, kind: str) -> None:
    answer = await taught.client.post(
        "/api/pages/trial/c?user=kevin", data=b"form=try\xff", headers={"Content-Type": kind}
    )
    assert answer.status == 400


async def test_on_a_hub_a_form_needs_what_our_own_page_sends_along(service: Service) -> None:
    service.hub.owners["page"] = user("root", "access:services")
    cookie = (await sign_in(service)).partition(";")[0]
    xsrf = xsrf_in(await page_of(service, cookie))
    (await service.ask("course/c", "POST", Cookie=cookie, Referer=service.origin + PREFIX, X_XSRF_Token=xsrf))

    async def sent(token: str, referer: str, cookie: str = cookie) -> tuple[int, str]:
        answer = await service.client.post(
            PREFIX + "pages/trial/c",
            data={"_xsrf": token, "form": "try", "text": "x"},
            headers={"Cookie": cookie, "Referer": referer},
            allow_redirects=False,
        )
        return answer.status, answer.content_type

    assert await sent("wrong", service.origin + PREFIX) == (403, "text/html")
    assert await sent("", service.origin + PREFIX) == (403, "text/html")
    assert await sent(xsrf, service.origin + "/user/mallory/") == (403, "text/html")
    assert await sent(xsrf, service.origin + PREFIX, "other=1") == (403, "text/html")
    assert (await sent(xsrf, service.origin + PREFIX + "pages/trial/c"))[0] == 303
