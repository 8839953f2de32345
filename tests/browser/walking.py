"""Finding every page by the links of others, as people do."""

import re
import urllib.request
from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

from ngshare_fs.web.frame.page import Page
from ngshare_fs.web.table import PAGES
from tests.pages.browsing import document, links

_PATTERNS = [(re.compile(re.sub(r"\{\w+\}", "[^/]+", page.path)), page) for page in PAGES]


def declared_at(address: str, base: str) -> Page | None:
    """Which page is at an address; None where none is."""
    path = urlsplit(address).path.removeprefix(urlsplit(base).path)
    return next((page for pattern, page in _PATTERNS if pattern.fullmatch(path)), None)


def pages_reached(base: str, user: str) -> Mapping[Page, str]:
    """Each page that somebody can reach from the first one by links, and the first address that it was found at.

    Args:
        base: the prefix of a stand-alone server.
        user: who follows them.

    Raises:
        AssertionError: a link leads to no page, or to one that is refused.
    """
    found: dict[Page, str] = {}
    left = [(f"{base}?user={user}", "nowhere")]
    while left:
        address, comes_from = left.pop(0)
        page = declared_at(address, base)
        if page is None or page in found:
            continue
        found[page] = address
        try:
            with urllib.request.urlopen(address) as answer:
                text = answer.read().decode()
        except OSError as error:
            raise AssertionError(f"{comes_from} leads {user} to {address}: {error}") from error
        # A form that only asks for another page leads there as well.
        forms = [each for tag, each in document(text).elements if tag == "form"]
        asking = [str(each["action"]) for each in forms if each.get("method") in (None, "get") and "action" in each]
        left += [(urljoin(address, link), address) for link in [*links(text), *asking]]
    return found
