"""Sending the forms of pages as a browser does: with the hidden fields that the page has."""

import io
from collections.abc import Mapping
from urllib.parse import urlencode

from yarl import URL

from ngshare_fs.store import journal
from ngshare_fs.store.journal import search
from ngshare_fs.store.journal.events import Entry
from ngshare_fs.web.frame.addresses import Addresses
from tests.conftest import Exchange
from tests.pages.browsing import WITH_GERMAN, Browser, Seen, document

NAMES = {"course": "c", "assignment": "a"}


async def send(
    exchange: Exchange,
    path: str,
    user: str,
    names: Mapping[str, str] | None = None,
    german: bool = False,
    /,
    **fields: str,
) -> Seen:
    """Send a form of the page of a declared path; redirects are not followed."""
    used = {key: name for key, name in {**NAMES, **(names or {})}.items() if "{" + key + "}" in path}
    answer = await exchange.client.post(
        URL(Addresses("/api/", user)(path, used), encoded=True),
        data=io.BytesIO(urlencode(fields).encode()),
        headers={"Content-Type": "application/x-www-form-urlencoded", **(WITH_GERMAN if german else {})},
        allow_redirects=False,
    )
    return Seen(answer.status, await answer.text(), answer.headers)


def fields_of(text: str, form: str) -> dict[str, str]:
    """The hidden fields of the form of a name on a page."""
    found: dict[str, str] = {}
    is_it = False
    for tag, attributes in document(text).elements:
        if tag == "form":
            is_it = False
        if tag == "input" and attributes.get("type") == "hidden":
            if attributes["name"] == "form":
                is_it = attributes["value"] == form
            if is_it:
                found[str(attributes["name"])] = str(attributes["value"] or "")
    return found


async def followed(exchange: Exchange, seen: Seen, german: bool = False) -> Seen:
    """The page to which a form has led."""
    assert seen.status == 303, seen.text
    return await Browser(exchange).follow(seen.headers["Location"], german)


def journal_of(exchange: Exchange) -> list[journal.Event]:
    """What was done by pages, in its order."""
    events = [each.event for each in search.found(exchange.volume, search.Wanted()) if isinstance(each, Entry)]
    return [event for event in events if event.via == "page"]
