"""What JupyterHub tells its services by their environment."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from ngshare_fs.settings.options import BY_NAME, DEFAULT_HOST, DEFAULT_PORT
from ngshare_fs.settings.settings import Hub, SettingsError
from ngshare_fs.settings.values import (
    HubToken,
    parse_callback,
    parse_hub_url,
    parse_prefix,
    parse_token,
    parse_url,
    understand,
)

# What the hub has to say, by variable or by option.
HUB_VARIABLES = {
    "hub-token-file": "JUPYTERHUB_API_TOKEN",
    "hub-api-url": "JUPYTERHUB_API_URL",
    "prefix": "JUPYTERHUB_SERVICE_PREFIX",
    "hub-client-id": "JUPYTERHUB_CLIENT_ID",
}
SERVICE_URL_VARIABLE = "JUPYTERHUB_SERVICE_URL"


def read_hub(values: dict[str, Any], environment: Mapping[str, str]) -> Hub:
    """The hub, and the prefix that it gave, from its variables and the options that count before them."""
    missing = [
        f"{variable} (or {BY_NAME[name].flag})"
        for name, variable in HUB_VARIABLES.items()
        if name not in values and not environment.get(variable)
    ]
    if missing:
        raise SettingsError(
            f"not started by JupyterHub: {', '.join(missing)} not set "
            "(--standalone serves without JupyterHub, for trying it out)"
        )
    for name, variable in HUB_VARIABLES.items():
        if name not in values:
            parse = BY_NAME[name].parse if name != "hub-token-file" else parse_token
            values[name] = understand(parse, environment[variable], variable)
    given: HubToken = values["hub-token-file"]
    prefix, client_id = values["prefix"], values["hub-client-id"]
    found = re.fullmatch(r"(.*/)services/([^/]+)/", prefix)
    # The client's name says least: the hub's configuration may give it any.
    service_name = environment.get("JUPYTERHUB_SERVICE_NAME") or (
        unquote(found[2]) if found else client_id.removeprefix("service-")
    )
    base_url = found[1] if found else "/"
    if environment.get("JUPYTERHUB_BASE_URL"):
        base_url = understand(parse_prefix, environment["JUPYTERHUB_BASE_URL"], "JUPYTERHUB_BASE_URL")
    host = ""
    if environment.get("JUPYTERHUB_HOST"):
        host = understand(parse_url, environment["JUPYTERHUB_HOST"], "JUPYTERHUB_HOST")
    browser_url = values.get("hub-url")
    public = "JUPYTERHUB_PUBLIC_HUB_URL"
    if browser_url is None and environment.get(public):
        browser_url = understand(parse_hub_url, environment[public], public)
    if browser_url is None:
        browser_url = host + base_url + "hub/"
    callback, variable = values.get("oauth-callback"), "JUPYTERHUB_OAUTH_CALLBACK_URL"
    told_callback = understand(parse_callback, environment[variable], variable) if environment.get(variable) else ""
    # Only what the hub starts has this second name of the token.
    managed = bool(environment.get("JPY_API_TOKEN"))
    return Hub(
        api_url=values["hub-api-url"], api_token=given.token, client_id=client_id, service_name=service_name,
        browser_url=browser_url, callback=callback or told_callback or prefix + "oauth_callback",
        token_file=given.path, managed=managed, told_callback=told_callback,
        told_client=environment.get(HUB_VARIABLES["hub-client-id"], "") if managed else "",
    )  # fmt: skip


def listen_where_the_hub_looks(environment: Mapping[str, str]) -> tuple[str, int]:
    """The host and the port of the service's URL, for there the proxy will look for it."""
    url = environment.get(SERVICE_URL_VARIABLE)
    if not url:
        return DEFAULT_HOST, DEFAULT_PORT
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SettingsError(f"{SERVICE_URL_VARIABLE}: {error}") from None
    if parts.scheme != "http" or not host:
        raise SettingsError(
            f"{SERVICE_URL_VARIABLE}: {url!r} is not like http://127.0.0.1:{DEFAULT_PORT}; https is for the proxy to do"
        )
    return host, 80 if port is None else port
