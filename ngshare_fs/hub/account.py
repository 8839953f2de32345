"""Whose a token is, as the hub says, and what it may be used for."""

import functools
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

logger = logging.getLogger(__name__)

ACCESS_SERVICES = "access:services"
# Whoever is in more groups is in no course by them: which to leave out would be a guess. In a hub's database, the name
# of a group has at most 255 characters.
MOST_GROUPS = 2000
LONGEST_GROUP = 255
# Of somebody's name and address, as the hub has them; longer texts are left out.
LONGEST_NAME = 255


def scope_for(service: str) -> str:
    """The scope of a token that was given out for a service."""
    return f"{ACCESS_SERVICES}!service={service}"


@dataclass(frozen=True)
class Account:
    """The owner of a token.

    Args:
        kind: `user` or `service`.
        name: the user's or the service's; a service may be named like a user.
        admin: whether the hub calls it an admin.
        scopes: what the token may be used for, such as `access:services!service=ngshare`.
        groups: names of the groups that the user is in.
        names: what the hub's authenticator has left of the user's names (JupyterHub 6 and later), by the words of
            OpenID Connect: `given_name`, `family_name`, `email`.
    """

    kind: str
    name: str
    admin: bool
    scopes: frozenset[str]
    groups: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def understand(cls, model: object) -> "Account":
        """Understand the answer to `GET /user`, see JupyterHub's REST API.

        Raises:
            ValueError: it is nothing of that kind.
        """
        if not isinstance(model, Mapping):
            raise ValueError("not an object")
        kind, name, scopes = model.get("kind"), model.get("name"), model.get("scopes")
        if kind not in ("user", "service") or not isinstance(name, str) or not name:
            raise ValueError("neither a user nor a service")
        if not _is_text(name):
            raise ValueError("a name that is no text")
        groups = _groups(model.get("groups"), name) if kind == "user" else frozenset()
        return cls(
            kind, name, model.get("admin") is True, frozenset(_texts(scopes)), groups, _names(model.get("user_info"))
        )

    def may_use(self, service: str) -> bool:
        """Whether the token was given out for this service."""
        return bool(self.scopes & {ACCESS_SERVICES, scope_for(service)})

    @property
    def is_of_own_server(self) -> bool:
        """Whether it is the token of the user's own server: on a hub as it comes, such a token has no other scope."""
        return f"access:servers!user={self.name}" in self.scopes or any(
            scope.startswith(f"access:servers!server={self.name}/") for scope in self.scopes
        )


def _groups(value: Any, user: str) -> frozenset[str]:
    names = [name for name in _texts(value) if name and len(name) <= LONGEST_GROUP and _is_text(name)]
    if len(names) > MOST_GROUPS:
        logger.warning("the user %r is in %d groups: from %d on, they give no role", user, len(names), MOST_GROUPS + 1)
        return frozenset()
    return _shared(frozenset(names))


@functools.lru_cache(1024)
def _shared(groups: frozenset[str]) -> frozenset[str]:
    """The same set for all who are in the same groups: a class of hundreds is kept once, and not with each token."""
    return groups


def _names(info: Any) -> dict[str, str]:
    # A whole name is left alone: which of its words is which differs from country to country.
    if not isinstance(info, Mapping):
        return {}
    return {key: info[key] for key in ("given_name", "family_name", "email") if _is_name(info.get(key))}


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable() and _is_text(value)


def _is_text(text: str) -> bool:
    """Whether it can be written: JSON can hold half a letter, which nobody can write elsewhere."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
