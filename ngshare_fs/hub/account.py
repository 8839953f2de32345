"""Whose a token is, as the hub says, and what it may be used for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ACCESS_SERVICES = "access:services"


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
    """

    kind: str
    name: str
    admin: bool
    scopes: frozenset[str]

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
        if any("\ud800" <= letter <= "\udfff" for letter in name):
            raise ValueError("a name that is no text")  # JSON can write half a letter, which nobody can write elsewhere
        return cls(kind, name, model.get("admin") is True, frozenset(_texts(scopes)))

    def may_use(self, service: str) -> bool:
        """Whether the token was given out for this service."""
        return bool(self.scopes & {ACCESS_SERVICES, scope_for(service)})

    @property
    def is_of_own_server(self) -> bool:
        """Whether it is the token of the user's own server: on a hub as it comes, such a token has no other scope."""
        return f"access:servers!user={self.name}" in self.scopes or any(
            scope.startswith(f"access:servers!server={self.name}/") for scope in self.scopes
        )


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
