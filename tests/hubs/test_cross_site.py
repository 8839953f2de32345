"""Pages of others that make a browser send requests with its cookie: from elsewhere, and from the same origin."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.hubs.client import Answer, call
from tests.hubs.conftest import new_profile, with_a_browser
from tests.hubs.exchange import ask, must
from tests.hubs.hub import SERVICE_SCOPE, Hub
from tests.hubs.user_server import PAGES
from tests.hubs.visitor import SESSION_COOKIE, session_of, signed_in, xsrf_of

pytestmark = [pytest.mark.hubs, with_a_browser]

ADMIN = "admin"
MALLORY = "mallory"
# Whoever may make courses is the victim: the attack has worked where there is a new one.
_numbers = count()


class BlankPage(BaseHTTPRequestHandler):
    """A page of the attacker, who fills it later; asked for `/quiet`, it says nothing of where its links are."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        if self.path.startswith("/quiet"):
            self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nobody wants to know."""


@contextmanager
def site(address: str) -> Iterator[int]:
    """Serve the attacker's page, and give the port."""
    with ThreadingHTTPServer((address, 0), BlankPage) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


# Where the attacker's page is, and what the browser makes of it.
PLACES = [
    "another site",
    pytest.param("another port", marks=pytest.mark.long),
    "another user's server",
    pytest.param("the same without a referrer", marks=pytest.mark.long),
    pytest.param("the same posing as ours", marks=pytest.mark.long),
]
POSING = "#posing"


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, granting_hub: Hub) -> Iterator[str]:
    """The address of the attacker's page."""
    hub = granting_hub
    if request.param == "another site":
        with site("127.0.0.1") as port:
            yield f"http://localhost:{port}/"
    elif request.param == "another port":
        # The cookie goes along: sites are told apart by their hosts, not by their ports.
        with site(hub.address) as port:
            yield f"http://{hub.address}:{port}/"
    else:
        hub.add_users(MALLORY)
        if not hub.home(MALLORY).is_dir():
            hub.start_server(MALLORY)
        pages = hub.home(MALLORY) / PAGES
        pages.mkdir(exist_ok=True)
        policy = '<meta name="referrer" content="no-referrer">' if "without" in request.param else ""
        (pages / "attack.html").write_text(f"<!doctype html>{policy}<p>Funny pictures</p>")
        yield f"{hub.origin}/user/{MALLORY}/attack.html" + (POSING if "posing" in request.param else "")


async def visit(victim: Page, hub: Hub, place: str) -> None:
    """Open the attacker's page. It may pose as ours: a page may take any address of its own origin unloaded."""
    await victim.goto(place)
    if place.endswith(POSING):
        await victim.evaluate('prefix => history.replaceState(null, "", prefix)', hub.prefix)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page_of_admin(granting_hub: Hub, chromium: Browser) -> AsyncIterator[Page]:
    """Of an admin who has signed in: one for all tests, each of which goes elsewhere."""
    profile = await new_profile(chromium)
    await signed_in(profile, granting_hub, ADMIN)
    yield await profile.new_page()
    await profile.close()


@pytest_asyncio.fixture(loop_scope="session")
async def victim(granting_hub: Hub, page_of_admin: Page) -> Page:
    """The same, about to look at something else."""
    await page_of_admin.goto(granting_hub.url)
    assert await page_of_admin.inner_text("#user") == ADMIN
    return page_of_admin


def courses(hub: Hub) -> list[str]:
    found: list[str] = must(ask(hub, "GET", "courses", hub.token(ADMIN, SERVICE_SCOPE).text))["courses"]
    return found


FETCH = """async ([url, options]) => {
    try {
        const answer = await fetch(url, {credentials: "include", ...options});
        return [answer.status, await answer.text()];
    } catch (error) {
        return [0, String(error)];
    }
}"""
SEND_FORM = """url => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = url;
    document.body.append(form);
    form.submit();
}"""


async def test_a_form_of_another_page_changes_nothing(granting_hub: Hub, victim: Page, place: str) -> None:
    course = f"evil-{next(_numbers)}"
    url = f"{granting_hub.url}course/{course}"
    await visit(victim, granting_hub, place)
    async with victim.expect_response(url) as answering:
        await victim.evaluate(SEND_FORM, url)
    answer = await answering.value
    assert answer.status == 403
    assert course not in courses(granting_hub)


@pytest.mark.parametrize("mode", ["cors", "no-cors"])
@pytest.mark.long
async def test_a_script_of_another_page_changes_nothing(granting_hub: Hub, victim: Page, place: str, mode: str) -> None:
    course = f"evil-{next(_numbers)}"
    url = f"{granting_hub.url}course/{course}"
    await visit(victim, granting_hub, place)
    status, _ = await victim.evaluate(FETCH, [url, {"method": "POST", "mode": mode, "body": ""}])
    assert status in (0, 403)  # 0: the browser does not let the script see it
    # The line is written when the answer has gone.
    refused = f"POST {granting_hub.prefix}course/{course} 403"
    granting_hub.wait_until(lambda: refused in granting_hub.service_log, "the request is refused")
    assert course not in courses(granting_hub)


@pytest.mark.long
async def test_a_script_of_another_page_reads_nothing(granting_hub: Hub, victim: Page, place: str) -> None:
    xsrf = await xsrf_of(victim)
    assert xsrf
    await visit(victim, granting_hub, place)
    for path in ("", "courses", "initialize-Data6ase?action=dump"):
        for headers in ({}, {"Accept": "text/html"}):
            status, text = await victim.evaluate(FETCH, [granting_hub.url + path, {"headers": headers}])
            assert status in (0, 403), (path, text)
            assert xsrf not in text
            assert "success" not in text or '"success": false' in text


@pytest.mark.long
async def test_another_page_does_not_frame_ours(granting_hub: Hub, victim: Page, place: str) -> None:
    await visit(victim, granting_hub, place)
    await victim.evaluate(
        """url => new Promise(done => {
            const frame = document.createElement("iframe");
            frame.onload = done;
            frame.src = url;
            document.body.append(frame);
        })""",
        granting_hub.url,
    )
    frames = [frame for frame in victim.frames if frame != victim.main_frame]
    assert len(frames) == 1
    assert await frames[0].query_selector("#user") is None


@pytest.mark.long
async def test_a_link_of_another_page_clears_nothing(granting_hub: Hub, victim: Page, place: str) -> None:
    """In debug mode, opening an address is enough to clear the server: it has to be typed, or on our own page."""
    if place.endswith(POSING):
        pytest.skip("a page of the same origin can do that, see docs/security.md")
    before = courses(granting_hub)
    await visit(victim, granting_hub, place)
    url = granting_hub.url + "initialize-Data6ase?action=clear"
    async with victim.expect_response(url) as answering:
        await victim.evaluate("url => { location.href = url }", url)
    answer = await answering.value
    assert answer.status == 403
    assert courses(granting_hub) == before


async def test_our_own_page_can_do_what_its_user_may(granting_hub: Hub, victim: Page) -> None:
    """So that the refusals are not for another reason. The page has no scripts: this one says what one would."""
    course = f"good-{next(_numbers)}"
    cookie, xsrf = await session_of(victim.context), await xsrf_of(victim)
    inside = granting_hub.url
    sent = {"Origin": granting_hub.origin, "Sec-Fetch-Site": "same-origin", "Referer": inside, "X-XSRF-Token": xsrf}
    assert _post(granting_hub, course, cookie, sent).status == 200
    assert course in courses(granting_hub)

    outside = f"{granting_hub.origin}/user/mallory/x.html"
    departures: dict[str, dict[str, str | None]] = {
        "another site": {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.test"},
        "says cross-site alone": {"Sec-Fetch-Site": "cross-site"},
        "another port": {"Sec-Fetch-Site": "same-site"},
        "another origin": {"Origin": "http://evil.test", "Sec-Fetch-Site": None},
        "an opaque origin": {"Origin": "null"},
        "an origin that begins like ours": {"Origin": granting_hub.origin + ".evil.test", "Sec-Fetch-Site": None},
        "another user's server": {"Referer": outside},
        "a path that begins like ours": {"Referer": granting_hub.url.rstrip("/") + "-evil/x"},
        "ours in the query": {"Referer": f"{outside}?{granting_hub.prefix}"},
        "no referrer": {"Referer": None},
        "no XSRF token": {"X-XSRF-Token": None},
        "an empty XSRF token": {"X-XSRF-Token": ""},
        "another XSRF token": {"X-XSRF-Token": xsrf[:-1]},
        "a wish to be a navigation": {"X-XSRF-Token": None, "Sec-Fetch-Mode": "navigate", "Accept": "text/html"},
        "another cookie": {"Cookie": f"{SESSION_COOKIE}={cookie[:-6]}AAAAAA"},
    }
    evil = {f"evil-{next(_numbers)}": what for what in departures}
    for course, what in evil.items():
        changed = {name: value for name, value in {**sent, **departures[what]}.items() if value is not None}
        answer = _post(granting_hub, course, cookie, changed)
        assert answer.status == 403, (what, answer)
        assert answer.body["success"] is False, what
    assert [evil[course] for course in courses(granting_hub) if course in evil] == []


async def test_nor_does_another_method_help(granting_hub: Hub, victim: Page) -> None:
    cookie, xsrf = await session_of(victim.context), await xsrf_of(victim)
    assert xsrf
    sent = {"Origin": granting_hub.origin, "Sec-Fetch-Site": "same-origin", "Referer": granting_hub.url}
    for method in ("PATCH", "PUT", "DELETE"):
        for token, status in ((xsrf, 404), ("", 403)):
            headers = {"Cookie": f"{SESSION_COOKIE}={cookie}", **sent, "X-XSRF-Token": token}
            answer = call(
                method, f"{granting_hub.url}assignment/none/none", headers=headers, fields={"due": "2090-01-01"}
            )
            assert answer.status == status, (method, answer)


async def test_a_cookie_and_a_token_together(granting_hub: Hub, victim: Page) -> None:
    """What the header says counts: no page of another can make a browser send it."""
    granting_hub.add_users("stranger")
    stranger = granting_hub.token("stranger", SERVICE_SCOPE).text
    cookie = await session_of(victim.context)
    for token in (stranger, "0" * 32):
        sent = {"Authorization": f"token {token}"}
        assert _post(granting_hub, f"evil-{next(_numbers)}", cookie, sent).status == 403


@pytest.mark.long
async def test_signing_out_takes_the_token_of_the_page(granting_hub: Hub, victim: Page, place: str) -> None:
    await visit(victim, granting_hub, place)
    url = granting_hub.url + "sign-out"
    async with victim.expect_navigation(url=url):
        await victim.evaluate(SEND_FORM, url)
    assert await session_of(victim.context)
    await victim.goto(granting_hub.url)
    assert await victim.inner_text("#user") == ADMIN


def _post(hub: Hub, course: str, cookie: str, headers: dict[str, str]) -> Answer:
    sent = {"Cookie": f"{SESSION_COOKIE}={cookie}", **headers}
    return call("POST", f"{hub.url}course/{course}", headers=sent, fields={})
