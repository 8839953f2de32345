"""Who is asking."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from ngshare_fs.access import cross_site
from ngshare_fs.access.groups import NO_GROUPS, NO_PATTERNS, GroupPatterns, UserGroups
from ngshare_fs.access.sessions import Session, Sessions
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refusal, Refused
from ngshare_fs.hub import Account, HubDown, Tokens
from ngshare_fs.hub.account import scope_for
from ngshare_fs.hub.checkup import how_to_get_the_scope
from ngshare_fs.settings import CourseCreators, Settings
from ngshare_fs.store import Person

# Not `ngshare_fs.access`, nor below it: that is the log of requests.
logger = logging.getLogger("ngshare_fs.identity")

# Stand-alone, a client that can only send a token (ngshare_exchange sends no `user` with a GET) names its user in it.
# The mark keeps a real token, sent here by mistake, from being taken for a name and written into the log.
USER_TOKEN = "user:"  # noqa: S105
TOKEN = re.compile(r"(?:token|bearer) +([\x21-\x7e]{1,1024})", re.IGNORECASE)
# Under this key a request carries its user, for the log.
USER = web.RequestKey("ngshare_fs.user", str)
# A service is known by this and its name, in rosters, manifests and the log: it may be named like a user.
SERVICE_MARK = "service:"
# How many bytes of a user's name are taken where an argument names one.
LONGEST_NAME = 64 * 1024
# The hub ends a session at once when somebody signs out; a page is asked for by hand, so it can afford to look.
SESSION_SECONDS = 2.0


NOTHING_KNOWN = Person()
NO_CREATORS = CourseCreators()


@dataclass(frozen=True)
class Caller:
    """Who is asking.

    Args:
        name: as in rosters.
        is_admin: whether they may do everything.
        session: of a browser, where that is how they signed in.
        groups: that the hub says they are in.
        person: what the hub knows of their names.
        creates_courses: whether they may make courses.
    """

    name: str
    is_admin: bool
    session: Session | None = None
    groups: UserGroups = NO_GROUPS
    person: Person = NOTHING_KNOWN
    creates_courses: bool = False


class MissesScope(Refused):
    """A user's token that is not for this service."""


class Identity(Protocol):
    """Knows the user of a request.

    Attributes:
        arguments: those that have a say, and how many bytes each may have.
    """

    arguments: Mapping[str, int]

    async def from_headers(self, request: web.Request, writes: bool, sent: str | None = None) -> Caller | None:
        """The user, where the headers alone decide; None where the arguments have a say.

        Args:
            writes: whether the request changes anything.
            sent: what a form sent along, see `cross_site.check`.

        Raises:
            Refused: nobody is signed in, or somebody who may not be here.
        """

    def from_arguments(self, request: web.Request, user: str | None, is_page: bool) -> Caller:
        """The user that the arguments name.

        Args:
            user: the argument `user`.
            is_page: somebody opens this by hand in a browser.

        Raises:
            Refused: they name nobody.
        """


class StandAlone:
    """Whoever the parameter `user` names. For trials on one machine: everybody can be anybody.

    Args:
        admins: user names.
        creators: those who may make courses.
    """

    arguments: Mapping[str, int] = {"user": LONGEST_NAME}

    def __init__(self, admins: frozenset[str], creators: CourseCreators = NO_CREATORS) -> None:
        self._admins = admins
        self._creators = creators

    async def from_headers(self, request: web.Request, writes: bool, sent: str | None = None) -> Caller | None:
        """None: the arguments decide."""
        return None

    def from_arguments(self, request: web.Request, user: str | None, is_page: bool) -> Caller:
        """The argument `user`, or the user in `Authorization: token user:NAME`; on pages `user` by default."""
        if user is None:
            _, _, token = request.headers.get("Authorization", "").partition(" ")
            user = token.strip().removeprefix(USER_TOKEN) if token.strip().startswith(USER_TOKEN) else None
        if user is None and is_page:
            user = "user"
        if not user:
            raise Refused(refusals.NOBODY_NAMED)
        is_admin = user in self._admins
        return Caller(user, is_admin, creates_courses=is_admin or user in self._creators.users)


@dataclass(frozen=True)
class Admission:
    """Who of the hub's users and services is let in, and as whom.

    Args:
        service: our name at the hub.
        admins: user names.
        hub_admins: whether the hub's admins are ours.
        require_service_scope: whether the token of a user's own server is not enough.
        services: those that may call, and whether as an admin.
        patterns: what the hub's groups mean.
        creators: those who may make courses.
    """

    service: str
    admins: frozenset[str]
    hub_admins: bool
    require_service_scope: bool
    services: Mapping[str, bool]
    patterns: GroupPatterns = NO_PATTERNS
    creators: CourseCreators = NO_CREATORS

    @classmethod
    def configured(cls, settings: Settings) -> "Admission":
        """Those that the settings let in, where there is a hub."""
        assert settings.hub is not None
        return cls(
            settings.hub.service_name,
            settings.admins,
            settings.hub_admins,
            settings.require_service_scope,
            settings.services,
            GroupPatterns.configured(settings),
            settings.course_creators,
        )

    def refusal_of(self, account: Account) -> str | None:
        """Why somebody is not let in; None where they are."""
        try:
            self.caller(account)
        except Refused as error:
            return error.refusal.message
        return None

    def caller(self, account: Account, session: Session | None = None) -> Caller:
        """Who is asking, as far as the rosters are concerned.

        Raises:
            Refused: they may not.
        """
        if account.kind == "service":
            if account.name not in self.services:
                raise Refused(refusals.UNKNOWN_SERVICE)
            return self._caller(SERVICE_MARK + account.name, self.services[account.name], account)
        if account.name.startswith(SERVICE_MARK):
            raise Refused(refusals.NAMED_LIKE_A_SERVICE)
        if not account.may_use(self.service) and (self.require_service_scope or not account.is_of_own_server):
            raise MissesScope(self._no_scope())
        is_admin = account.name in self.admins or (self.hub_admins and account.admin)
        return self._caller(account.name, is_admin, account, session)

    def _caller(self, name: str, is_admin: bool, account: Account, session: Session | None = None) -> Caller:
        names = account.names
        known = (
            Person(names.get("given_name"), names.get("family_name"), names.get("email")) if names else NOTHING_KNOWN
        )
        is_creator = name in self.creators.users or not self.creators.groups.isdisjoint(account.groups)
        return Caller(name, is_admin, session, self.patterns.understand(account.groups), known, is_admin or is_creator)

    def _no_scope(self) -> Refusal:
        said = refusals.NO_SCOPE
        return Refusal(said.status, f"{said.message}: it needs the scope {scope_for(self.service)}")


class SignedIn:
    """Users of a JupyterHub: by a token in `Authorization`, or by the session of a browser.

    Args:
        tokens: knows their owners.
        sessions: opens cookies.
        admission: who is let in.
        prefix: where our own pages are.
    """

    arguments: Mapping[str, int] = {}

    def __init__(self, tokens: Tokens, sessions: Sessions, admission: Admission, prefix: str) -> None:
        self._tokens = tokens
        self._sessions = sessions
        self._admission = admission
        self._prefix = prefix
        self._told_of_the_scope = False

    async def from_headers(self, request: web.Request, writes: bool, sent: str | None = None) -> Caller | None:
        """The owner of the token, or of the session where there is no token."""
        if "Authorization" in request.headers:
            # What no token looks like is not sent to the hub.
            found = TOKEN.fullmatch(request.headers["Authorization"])
            if not found:
                raise Refused(refusals.UNKNOWN_TOKEN)
            return self._let_in(await self._owner(found[1], refusals.UNKNOWN_TOKEN))
        session = self._sessions.of(request)
        if session is None:
            raise Refused(refusals.NOT_SIGNED_IN)
        cross_site.check(request, self._prefix, session.xsrf, writes, sent)
        account = await self._owner(session.token, refusals.NOT_SIGNED_IN, SESSION_SECONDS)
        return self._let_in(account, session)

    def from_arguments(self, request: web.Request, user: str | None, is_page: bool) -> Caller:
        """Nobody: on a hub, arguments do not say who is asking."""
        raise Refused(refusals.NOT_SIGNED_IN)

    def _let_in(self, account: Account, session: Session | None = None) -> Caller:
        try:
            return self._admission.caller(account, session)
        except MissesScope:
            # No check at the start can tell: the hub shows what its roles give to users by their tokens only. Once is
            # enough: where the hub's configuration is the cause, every request would say so.
            if not self._told_of_the_scope:
                self._told_of_the_scope = True
                service = self._admission.service
                logger.warning(
                    "missing scope: the token of user %r is refused, it has no %s; %s",
                    account.name,
                    scope_for(service),
                    how_to_get_the_scope(account, service),
                )
            raise

    async def _owner(self, token: str, unknown: Refusal, at_most: float | None = None) -> Account:
        try:
            account = await self._tokens.owner(token, at_most)
        except HubDown as error:
            logger.warning("somebody could not be let in: %s", error)
            raise Refused(refusals.HUB_DOWN) from None
        if account is None:
            raise Refused(unknown)
        return account
