"""Looks whether the hub is there, and knows this service as what it takes itself for."""

from collections.abc import Callable
from urllib.parse import quote, unquote, urlsplit

from ngshare_fs.check_result import CheckResult, look_at_clock
from ngshare_fs.hub.account import Account, scope_for
from ngshare_fs.hub.client import HubClient, HubDown, Rejected
from ngshare_fs.hub.groups import LIST, READ, GroupScopes
from ngshare_fs.settings import Hub

# Students go by the hub's clock, or one like it, when they hand in at the last moment.
CLOCKS_DIFFER_SECONDS = 5.0
CLOCK = "clock"
API_TOKEN, CLIENT_ID = "JUPYTERHUB_API_TOKEN", "JUPYTERHUB_CLIENT_ID"


async def look_at_hub(client: HubClient, hub: Hub, prefix: str, asks_for_client: bool = False) -> list[CheckResult]:
    """Look at the hub, its clock, our token, our prefix and our OAuth client; at no more where the hub is not there.

    Args:
        asks_for_client: ask for the OAuth client even where there is no doubt; the hub logs that as a warning.
    """
    try:
        greeting = await client.greeting()
        found = [CheckResult("hub", True, f"JupyterHub {greeting.version} at {hub.api_url}")]
        if greeting.clock_ahead is not None:
            found.append(look_at_clock(CLOCK, "the hub's", greeting.clock_ahead, CLOCKS_DIFFER_SECONDS))
        account = await client.own_account()
        found.append(_token(account))
        if account is not None and account.kind == "service":
            found.append(_prefix(account.name, prefix, hub))
            # So it is on every hub that is not told otherwise; and one that has started us has told us.
            beyond_doubt = hub.client_id in (f"service-{account.name}", hub.told_client)
            found.append(await _oauth(client, hub, asks=asks_for_client or not beyond_doubt))
    except HubDown as error:
        remedy = "is it running, and is JUPYTERHUB_API_URL right?"
        return [CheckResult("hub", False, str(error), remedy)]
    return found


async def look_at_user(
    client: HubClient, hub: Hub, token: str, refusal_of: Callable[[Account], str | None]
) -> CheckResult:
    """Look whether the owner of a token would be let in.

    Args:
        refusal_of: says why an account is not let in; None where it is.
    """
    try:
        account = await client.account(token)
    except HubDown as error:
        return CheckResult("roles", None, f"nobody could tell: {error}")
    if account is None:
        return CheckResult("roles", False, "the hub does not know that token", "make a new one on the hub's token page")
    scopes = ", ".join(sorted(scope for scope in account.scopes if scope.startswith("access:"))) or "no access: scope"
    detail = f"{account.kind} {account.name!r} with {scopes}"
    refusal = refusal_of(account)
    if account.kind == "service":
        return CheckResult("roles", refusal is None, detail, "--services lets it in; or give the token of a user")
    if account.may_use(hub.service_name):
        return CheckResult("roles", refusal is None, detail, refusal or "")
    if refusal is None:
        return CheckResult(
            "roles", True, f"{detail}: enough for nbgrader; pages need {_role_of_users(hub.service_name)}"
        )
    return CheckResult("roles", False, detail, how_to_get_the_scope(account, hub.service_name))


async def look_at_groups(client: HubClient, hub: Hub, is_synced: bool) -> CheckResult:
    """Look whether the hub tells this service who is in its groups.

    Args:
        is_synced: whether that is needed all the time; otherwise for `ngshare-fs course sync --from-hub` alone.
    """
    try:
        account = await client.own_account()
    except HubDown as error:
        return CheckResult("groups", None, f"nobody could tell: {error}")
    if account is None:
        return CheckResult("groups", None, "nobody could tell: the hub does not know the token of this service")
    scopes = GroupScopes.of(account)
    if scopes.reads and scopes.lists:
        return CheckResult("groups", True, "this service may list them, and read who is in them")
    if scopes.reads:
        detail = f"this service may read who is in them; without {LIST}, the hub's log has a warning for each it misses"
        return CheckResult("groups", True, detail)
    if scopes.readable:
        return CheckResult("groups", True, f"this service may read who is in {', '.join(sorted(scopes.readable))}")
    detail = f"this service has not the scope {READ}: no roster can be brought in step with them"
    return CheckResult("groups", False if is_synced else None, detail, how_to_read_groups(hub.service_name))


def how_to_read_groups(service: str) -> str:
    """What to do where the hub does not let this service read its groups, in one line."""
    role = f'{{"name": "{service}-groups", "services": ["{service}"], "scopes": ["{LIST}", "{READ}"]}}'
    in_chart = f"{service}-groups: {{services: [{service}], scopes: [{LIST}, {READ}]}}"
    return (
        f"it takes in c.JupyterHub.load_roles {role} (in the values of the hub's chart below hub.loadRoles: "
        f"{in_chart}), and a new start of the hub"
    )


def how_to_get_the_scope(account: Account, service: str) -> str:
    """What to do where a user's token has not the scope of the service, in one line."""
    if account.is_of_own_server:
        # A token gets what both its role and its owner have. The other two are what servers have anyway: with "self",
        # every notebook could do all that its owner may do at the hub.
        of_servers = f'the role "server" with "users:activity!user", "access:servers!server", "{scope_for(service)}"'
        return f"it takes {_role_of_users(service)}, {of_servers}, and a new start of the user's server"
    return f"make a token that has {scope_for(service)}; if the hub makes none, it takes {_role_of_users(service)}"


def _role_of_users(service: str) -> str:
    return f'in c.JupyterHub.load_roles the role "user" with "self", "{scope_for(service)}"'


def _token(account: Account | None) -> CheckResult:
    if account is None:
        remedy = f"{API_TOKEN} has to be the api_token of this service in the hub's configuration"
        return CheckResult("token", False, "the hub does not know the token of this service", remedy)
    if account.kind != "service":
        remedy = f"{API_TOKEN} has to be the api_token of a service in the hub's configuration"
        return CheckResult("token", False, f"it belongs to the user {account.name!r}", remedy)
    return CheckResult("token", True, f"the hub knows it as that of the service {account.name!r}")


def _prefix(name: str, prefix: str, hub: Hub) -> CheckResult:
    base = urlsplit(hub.api_url).path.removesuffix("hub/api")
    right = f"{base}services/{quote(name)}/"
    if unquote(prefix) != unquote(right):
        detail = f"it is {prefix}, and the hub's proxy serves this service at {right}"
        return CheckResult("prefix", False, detail, "set JUPYTERHUB_SERVICE_PREFIX, or --prefix, to that")
    if name != hub.service_name:
        detail = f"this takes itself for {hub.service_name!r}, and the hub for {name!r}"
        return CheckResult("prefix", False, detail, "set JUPYTERHUB_SERVICE_NAME to what the hub's configuration says")
    return CheckResult("prefix", True, prefix)


async def _oauth(client: HubClient, hub: Hub, asks: bool) -> CheckResult:
    try:
        if asks:
            # A code that cannot be right: what the hub complains of shows whether it knows the client and its secret.
            await client.token_for("no-code", "no-verifier")
    except Rejected as error:
        if error.code == "invalid_client":
            remedy = f"{CLIENT_ID} has to be the service's oauth_client_id, by default service-NAME"
            return CheckResult("sign-in", False, f"the hub does not know the client {hub.client_id!r}", remedy)
    return CheckResult("sign-in", True, f"as {hub.client_id!r}, by {hub.browser_url}, back to {hub.callback}")
