"""The cookies of those who sign in with a browser: only this server's processes can read or make them.

Sealing is Fernet's (AES-128-CBC with an HMAC and a time). A session holds the token that the hub gave out for its user:
it is good for nothing else than asking the hub who that is, and ends when the hub ends it. aiohttp-session was looked
at: whether its cookies are for https alone is fixed at the start, while here it depends on the proxy before us.
"""

import base64
import contextlib
import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from aiohttp import web

from ngshare_fs.access.cross_site import is_https

COOKIE = "ngshare-session"
# Longer than the hub lets its own tokens live (14 days), in case somebody makes them live longer.
LONGEST_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True)
class Session:
    """Somebody who has signed in with a browser.

    Args:
        token: the hub's, for this user and this service.
        xsrf: what the pages of this session send along, to tell their requests from those of other sites.
    """

    token: str = field(repr=False)
    xsrf: str = field(repr=False)


class Sessions:
    """Seals and opens cookies.

    Args:
        secret: long enough, see `ngshare_fs.formats.cookie_secret`; the same in all processes.
        prefix: where the cookies go.
    """

    def __init__(self, secret: str, prefix: str) -> None:
        # Not at the start: a process that serves stand-alone has no cookies, and saves 7 MiB.
        from cryptography.fernet import Fernet, InvalidToken

        self._not_ours = InvalidToken
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"cookies\0" + secret.encode()).digest()))
        self._prefix = prefix

    def of(self, request: web.Request) -> Session | None:
        """The session of a request's cookie; None where there is none, or not one of ours."""
        content = self.read(request, COOKIE, LONGEST_SECONDS)
        return None if content is None else Session(content["token"], content["xsrf"])

    def begin(self, request: web.Request, response: web.StreamResponse, token: str, seconds: int) -> None:
        """Give the browser a new session for a token that holds for so many seconds."""
        content = {"token": token, "xsrf": secrets.token_urlsafe(32)}
        self.write(request, response, COOKIE, content, min(seconds, LONGEST_SECONDS))

    def end(self, request: web.Request, response: web.StreamResponse, name: str = COOKIE) -> None:
        """Take a cookie away."""
        response.del_cookie(name, path=self._prefix, secure=is_https(request), httponly=True, samesite="Lax")

    def write(
        self, request: web.Request, response: web.StreamResponse, name: str, content: dict[str, str], seconds: int
    ) -> None:
        """Set a sealed cookie for so many seconds."""
        # The name is sealed with the content: one cookie's value does not pass for another's.
        sealed = self._fernet.encrypt(json.dumps({"cookie": name, **content}).encode()).decode()
        # Without the padding, so that no client needs quotes around it.
        sealed = sealed.rstrip("=")
        response.set_cookie(
            name, sealed, max_age=seconds, path=self._prefix, secure=is_https(request), httponly=True, samesite="Lax"
        )

    def read(self, request: web.Request, name: str, seconds: int) -> dict[str, str] | None:
        """The content of a sealed cookie that is at most so many seconds old; None where there is none."""
        # Another page of the same host may have planted a second one of that name: the first of ours counts.
        for sealed in _cookies(request, name):
            with contextlib.suppress(self._not_ours, ValueError):
                padded = sealed + "=" * (-len(sealed) % 4)
                content: dict[str, str] = json.loads(self._fernet.decrypt(padded, ttl=seconds))
                if content.pop("cookie") == name:
                    return content
        return None


def _cookies(request: web.Request, name: str) -> Iterator[str]:
    for header in request.headers.getall("Cookie", ()):
        for cookie in header.split(";"):
            found, _, value = cookie.strip().partition("=")
            if found == name:
                yield value.strip('"')
