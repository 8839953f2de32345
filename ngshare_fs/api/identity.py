"""Who is asking."""

from typing import Protocol

from aiohttp import web

from ngshare_fs.api import refusals
from ngshare_fs.api.form import Form
from ngshare_fs.api.refusals import Refused

# Stand-alone, a client that can only send a token (ngshare_exchange sends no `user` with a GET) names its user in it.
# The mark keeps a real token, sent here by mistake, from being taken for a name and written into the log.
USER_TOKEN = "user:"  # noqa: S105


class Identity(Protocol):
    """Knows the user of a request."""

    async def from_headers(self, request: web.Request) -> str | None:
        """The user, where the headers alone decide; None where the arguments have a say.

        Raises:
            Refused: nobody is signed in.
        """

    def from_form(self, request: web.Request, form: Form, is_page: bool) -> str:
        """The user that the arguments name.

        Args:
            is_page: somebody opens this by hand in a browser.

        Raises:
            Refused: they name nobody.
        """


class StandAlone:
    """Whoever the parameter `user` names. For trials on one machine: everybody can be anybody."""

    async def from_headers(self, request: web.Request) -> str | None:
        """None: the arguments decide."""
        return None

    def from_form(self, request: web.Request, form: Form, is_page: bool) -> str:
        """The argument `user`, or the user in `Authorization: token user:NAME`; on pages `user` by default."""
        user = form.optional("user")
        if user is None:
            _, _, token = request.headers.get("Authorization", "").partition(" ")
            user = token.strip().removeprefix(USER_TOKEN) if token.strip().startswith(USER_TOKEN) else None
        if user is None and is_page:
            return "user"
        if not user:
            raise Refused(refusals.NOBODY_NAMED)
        return user


class HubIsMissing:
    """Nobody: signing in through JupyterHub is not part of this version."""

    async def from_headers(self, request: web.Request) -> str | None:
        """Refuse everybody."""
        raise Refused(refusals.NOT_SIGNED_IN)

    def from_form(self, request: web.Request, form: Form, is_page: bool) -> str:
        """Refuse everybody."""
        raise Refused(refusals.NOT_SIGNED_IN)
