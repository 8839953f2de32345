"""Signing in with the hub: the authorization code flow of OAuth 2 (RFC 6749, 4.1), with PKCE (RFC 7636, S256).

No library does it for us: oauthlib refuses a hub that is reached by http, as inside a cluster, and the clients of
authlib are made for other HTTP libraries than aiohttp.
"""

import base64
import hashlib
import hmac
import logging
import re
import secrets
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from ngshare_fs.access import cross_site
from ngshare_fs.access.sessions import Sessions
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refusal, Refused
from ngshare_fs.hub import HubClient, HubDown, Rejected
from ngshare_fs.settings import Hub, Settings
from ngshare_fs.web.frame.forms import XSRF_FIELD, read_form
from ngshare_fs.web.frame.rendering import bare_frame, page, refusal_page

logger = logging.getLogger(__name__)

CALLBACK = "oauth_callback"
SIGN_OUT = "sign-out"
# How long somebody may take to type a password.
SECONDS = 600
LONGEST_NEXT = 1024
COOKIE_START = "ngshare-sign-in-"
OUR_COOKIE = re.compile(COOKIE_START + r"[A-Za-z0-9_-]{0,8}")
MOST_AT_ONCE = 4

BEGUN_ELSEWHERE = Refusal(403, "This sign-in was not begun in this browser, or longer than ten minutes ago.")
NOT_GRANTED = Refusal(403, "JupyterHub did not sign you in here.")
NOT_KNOWN = Refusal(503, "JupyterHub does not know this service any more.", retry_after=60)
# The keys of texts that say what to do.
TRY_AGAIN, TELL_OPERATOR = "more.try-again", "more.tell-operator"


class SignIn:
    """The way to the hub and back.

    Args:
        hub: where browsers find it, and who we are there.
        client: exchanges codes for tokens.
        sessions: makes cookies.
        prefix: where the service is.
    """

    def __init__(self, hub: Hub, client: HubClient, sessions: Sessions, prefix: str) -> None:
        self._hub = hub
        self._client = client
        self._sessions = sessions
        self._prefix = prefix

    def begin(self, request: web.Request) -> web.Response:
        """Send a browser to the hub, to come back to the page that it asked for."""
        state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = urlencode(
            {
                "client_id": self._hub.client_id,
                "redirect_uri": self._hub.callback,
                "response_type": "code",
                "state": state,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            }
        )
        response = web.Response(status=302)
        response.headers["Location"] = f"{self._hub.browser_url}api/oauth2/authorize?{query}"
        response.headers["Cache-Control"] = "no-store"
        content = {"state": state, "verifier": verifier, "next": self._next(request)}
        # Whoever reloads again and again would in the end send more cookies than fit into a request.
        # Browsers send the oldest first. Other names are not ours: a page beside us may plant one that nobody can take
        # away, because it cannot be written into an answer.
        begun = [name for name in request.cookies if OUR_COOKIE.fullmatch(name)]
        for left_over in begun[: -(MOST_AT_ONCE - 1)]:
            self._sessions.end(request, response, left_over)
        self._sessions.write(request, response, _cookie(state), content, SECONDS)
        return response

    async def callback(self, request: web.Request) -> web.Response:
        """A browser comes back from the hub."""
        state, code = request.query.get("state", ""), request.query.get("code", "")
        # Only who began it has the cookie: otherwise somebody could be made to work in another one's name.
        begun = self._sessions.read(request, _cookie(state), SECONDS)
        if begun is None or not hmac.compare_digest(begun["state"].encode(), state.encode("utf-8", "replace")):
            return await refusal_page(request, self._prefix, BEGUN_ELSEWHERE, TRY_AGAIN)
        if not code:
            logger.warning("the hub sent somebody back without a code: %r", request.query.get("error", "")[:100])
            return await refusal_page(request, self._prefix, NOT_GRANTED, TRY_AGAIN)
        try:
            token, seconds = await self._client.token_for(code, begun["verifier"])
        except Rejected as error:
            if error.code == "invalid_client":
                logger.error("nobody can sign in: the hub does not know this service's client or token any more")
                return await refusal_page(request, self._prefix, NOT_KNOWN, TELL_OPERATOR)
            logger.warning("the hub did not take the code that it gave out: %s", error)
            return await refusal_page(request, self._prefix, NOT_GRANTED, TRY_AGAIN)
        except HubDown as error:
            logger.warning("somebody could not sign in: %s", error)
            return await refusal_page(request, self._prefix, refusals.HUB_DOWN)
        response = web.Response(status=302, headers={"Location": begun["next"], "Cache-Control": "no-store"})
        self._sessions.begin(request, response, token, seconds)
        self._sessions.end(request, response, _cookie(state))
        return response

    async def sign_out(self, request: web.Request) -> web.Response:
        """End the session, here only: the hub's own goes on."""
        session = self._sessions.of(request)
        response = await page(
            "signed_out",
            bare_frame(request, self._prefix, "title.signed-out"),
            hub_logout=self._hub.browser_url + "logout",
        )
        if session is not None:
            cross_site.check(request, self._prefix, session.xsrf, True, await _sent_along(request))
            # Never without: a form on another site comes without the cookie, and would take it away.
            self._sessions.end(request, response)
        return response

    def _next(self, request: web.Request) -> str:
        """The address that was asked for: of this service, so that nobody is sent elsewhere."""
        wanted = request.rel_url.raw_path_qs
        # A browser takes what begins with two slashes for the name of another host.
        is_path = re.fullmatch(r"/(?![/\\])[\x21-\x7e]*", wanted)
        return wanted if is_path and wanted.startswith(self._prefix) and len(wanted) <= LONGEST_NEXT else self._prefix


def add_routes(application: web.Application, settings: Settings, client: HubClient, sessions: Sessions) -> None:
    """Let people sign in, and send those to the hub who open an address without having done so."""
    assert settings.hub is not None
    sign_in = SignIn(settings.hub, client, sessions, settings.prefix)
    application.router.add_get(settings.prefix + CALLBACK, sign_in.callback, allow_head=False)
    application.router.add_post(settings.prefix + SIGN_OUT, sign_in.sign_out)
    application.middlewares.append(_sending_to_the_hub(sign_in))


def _sending_to_the_hub(sign_in: SignIn) -> Middleware:
    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as error:
            if error.refusal is refusals.NOT_SIGNED_IN and cross_site.is_navigation(request):
                return sign_in.begin(request)
            raise

    return middleware


async def _sent_along(request: web.Request) -> str:
    return (await read_form(request)).get(XSRF_FIELD, "")


def _cookie(state: str) -> str:
    """One for each attempt: people open several pages at once."""
    return COOKIE_START + re.sub("[^A-Za-z0-9_-]", "", state)[:8]
