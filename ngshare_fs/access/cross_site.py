"""Requests that a browser makes with its cookies, but not on behalf of its user.

A page on another site can make a browser send requests here. So can one on the same site: with one address for the
whole hub, the notebook servers of other users have the same origin as we have, and only the path tells them from our
own pages. Requests that say by a header who they are from do not need any of this.

What a page of the same origin can do beyond that, no server can prevent: see docs/security.md.
"""

import hmac
from urllib.parse import urlsplit

from aiohttp import web

from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
XSRF_HEADER = "X-XSRF-Token"


def is_navigation(request: web.Request) -> bool:
    """Whether somebody opens an address in a browser: follows a link, or types it."""
    if request.method not in SAFE_METHODS or "Authorization" in request.headers:
        return False
    mode = request.headers.get("Sec-Fetch-Mode")
    if mode is not None:
        return mode == "navigate" and request.headers.get("Sec-Fetch-Dest", "document") == "document"
    return "text/html" in request.headers.get("Accept", "")


def is_https(request: web.Request) -> bool:
    """Whether the browser came by https: proxies append to the header, so that its first value is the outermost's."""
    return request.headers.get("X-Forwarded-Proto", request.scheme).partition(",")[0].strip().lower() == "https"


def check(request: web.Request, prefix: str, xsrf: str, writes: bool, sent: str | None = None) -> None:
    """Check a request whose user is known by a cookie.

    Args:
        prefix: where our own pages are.
        xsrf: what they send along.
        writes: whether it changes anything, even by GET.
        sent: what was sent along in a form; otherwise the header counts.

    Raises:
        Refused: it may have been made by somebody else's page.
    """
    if is_navigation(request):
        # Where a GET changes something, it has to come from our own page, or to be typed. By plain http browsers do not
        # say what was typed: there only a link counts. A page that others wrote may lie below the prefix, and say so in
        # its links; in its sandbox it is of another site all the same.
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        if not writes or site == "none" or (site == "same-origin" and _comes_from_within(request, prefix)):
            return
        raise Refused(refusals.CROSS_SITE, "a link on another page")
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise Refused(refusals.CROSS_SITE, "Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if origin is not None and _host_of(origin) != request.host:
        raise Refused(refusals.CROSS_SITE, "Origin")
    if not _comes_from_within(request, prefix):
        raise Refused(refusals.CROSS_SITE, "Referer")
    if sent is None:
        sent = request.headers.get(XSRF_HEADER, "")
    if not hmac.compare_digest(sent.encode("utf-8", "replace"), xsrf.encode()):
        raise Refused(refusals.CROSS_SITE, XSRF_HEADER)


def _comes_from_within(request: web.Request, prefix: str) -> bool:
    referer = request.headers.get("Referer", "")
    try:
        return _host_of(referer) == request.host and urlsplit(referer).path.startswith(prefix)
    except ValueError:
        return False


def _host_of(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.netloc if parts.scheme in ("http", "https") else None
