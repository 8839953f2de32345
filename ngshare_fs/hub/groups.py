"""Who is in the hub's groups, as far as the hub lets this service know."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ngshare_fs.hub.account import Account
from ngshare_fs.hub.client import HubClient, HubDown

LIST, READ = "list:groups", "read:groups"
# Groups come and go while their pages are read; then what was read is not what the hub has.
ATTEMPTS = 3


class UnknownService(Exception):
    """The hub does not know the token of this service. The text is one line for the operator."""


@dataclass(frozen=True)
class Members:
    """What the hub says of the groups that it was asked about.

    Args:
        of: the names of their users, by the group's name.
        gone: those that the hub does not have.
        hidden: those that it does not let this service read.
    """

    of: Mapping[str, frozenset[str]]
    gone: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True)
class GroupScopes:
    """What a service may learn of groups.

    Args:
        lists: whether it may see which groups there are: of one that it does not see, it then knows that it is gone.
        reads: whether it may see the members of each.
        readable: of which groups it may, where not of each.
    """

    lists: bool
    reads: bool
    readable: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, account: Account) -> "GroupScopes":
        """Those of a service's account."""
        only = f"{READ}!group="
        readable = (scope.removeprefix(only) for scope in account.scopes if scope.startswith(only))
        return cls(LIST in account.scopes, READ in account.scopes, frozenset(readable))

    def may_read(self, group: str) -> bool:
        """Whether it may see the members of a group."""
        return self.reads or group in self.readable


async def members_of(client: HubClient, groups: Collection[str]) -> Members:
    """Ask who is in these groups.

    Where this service may list groups, that is asked page by page. Where it may not, each is asked by its name; the hub
    then logs a warning for each that it does not have.

    Raises:
        UnknownService: the hub does not know us.
        HubDown: it did not answer, or not as a hub does.
    """
    account = await client.own_account()
    if account is None:
        raise UnknownService("the hub does not know the token of this service: nobody can ask it about its groups")
    scopes = GroupScopes.of(account)
    found = await (_all_groups(client) if scopes.lists else _by_name(client, scopes, groups))
    # Of a group that we could not read if it were there, the list alone tells that it is not.
    hidden = {
        group for group in groups
        if (group in found and "users" not in found[group])
        or (group not in found and not scopes.lists and not scopes.may_read(group))
    }  # fmt: skip
    known = {group: _users(found[group]) for group in groups if group in found and group not in hidden}
    return Members(known, frozenset(set(groups) - hidden - known.keys()), frozenset(hidden))


async def _all_groups(client: HubClient) -> dict[str, Mapping[str, Any]]:
    for _ in range(ATTEMPTS):
        found: dict[str, Mapping[str, Any]] = {}
        totals: set[int] = set()
        offset: int | None = 0
        while offset is not None:
            page = await client.groups_from(offset)
            found.update((_name(item), item) for item in page.items)
            totals.add(page.total)
            offset = page.following
        if totals == {len(found)}:
            return found
    raise HubDown("the hub's groups change faster than they can be read")


async def _by_name(client: HubClient, scopes: GroupScopes, groups: Collection[str]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for group in sorted(groups):  # one after the other: the hub has others to answer
        if scopes.may_read(group):
            item = await client.group(group)
            if item is not None:
                if _name(item) != group:
                    raise HubDown(f"asked for the group {group!r}, the hub answers with another one")
                found[group] = item
    return found


def _name(item: Any) -> str:
    if not isinstance(item, Mapping) or not isinstance(name := item.get("name"), str):
        raise HubDown("the hub's groups are not what a hub has: one has no name")
    return name


def _users(item: Mapping[str, Any]) -> frozenset[str]:
    users = item["users"]
    if not isinstance(users, list) or not all(isinstance(user, str) and user for user in users):
        raise HubDown(f"what the hub says of the group {item['name']!r} is not what a hub says: its users are no names")
    # JSON can write half a letter, which nobody can write elsewhere: nobody comes in by such a name either.
    return frozenset(user for user in users if not any("\ud800" <= letter <= "\udfff" for letter in user))
