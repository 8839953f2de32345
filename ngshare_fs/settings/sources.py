"""Where values come from: flags over the environment over a YAML file."""

import re
from collections.abc import Mapping
from typing import Any

from ngshare_fs.formats.cookie_secret import problem_with
from ngshare_fs.settings.file import options_in, read_file
from ngshare_fs.settings.hub_environment import HUB_VARIABLES, listen_where_the_hub_looks, read_hub
from ngshare_fs.settings.options import (
    BY_NAME,
    CONFIG_VARIABLE,
    DEFAULT_HOST,
    DEFAULT_PORT,
    DEFAULT_PREFIX,
    HUB_DATA,
    OPTIONS,
    STANDALONE_DATA,
    Option,
)
from ngshare_fs.settings.settings import Settings, SettingsError
from ngshare_fs.settings.values import Raw, parse_folder, understand

COOKIE_SECRET_VARIABLE = "NGSHARE_FS_COOKIE_SECRET"  # noqa: S105


def read_settings(flags: Mapping[str, Raw], environment: Mapping[str, str], file: bytes | None = None) -> Settings:
    """Put the settings together: a flag counts before the environment, the environment before the file.

    Args:
        flags: the flags that were given, by option name (`max-request`); `config` names the YAML file.
        environment: the variables of the process.
        file: what to take for the content of the YAML file, whatever it holds by now.

    Raises:
        SettingsError: an option, a value or the file is wrong, or one of JupyterHub's variables is missing.
    """
    config = flags.get("config") or environment.get(CONFIG_VARIABLE)
    values: dict[str, Any] = {}
    if config:
        file = read_file(str(config)) if file is None else file
        for key, (place, raw) in options_in(file, str(config)).items():
            values[key] = _understood(BY_NAME[key], raw, place)
    for option in OPTIONS:
        text = environment.get(option.variable, "")
        # Kubernetes sets NGSHARE_FS_PORT=tcp://10.0.0.1:8080 in every pod beside a Service called
        # `ngshare-fs`: that is the Service's address, not a setting, and must not stop the start.
        if option.name == "port" and re.match(r"(tcp|udp|sctp)://", text):
            text = ""
        # Compose files and charts pass `VARIABLE=` for what was left open: empty is not set.
        if text:
            values[option.name] = _understood(option, text, option.variable)
        if option.name in flags:
            values[option.name] = _understood(option, flags[option.name], option.flag)
    for option in OPTIONS:
        if option.name not in values and option.default is not None:
            values[option.name] = option.parse(option.default)
    if "data" not in values:
        values["data"] = parse_folder(STANDALONE_DATA if values["standalone"] else HUB_DATA)
    hub = None if values["standalone"] else read_hub(values, environment)
    host, port = DEFAULT_HOST, DEFAULT_PORT
    if hub is not None:
        host, port = listen_where_the_hub_looks(environment)
    values.setdefault("host", host)
    values.setdefault("port", port)
    if "prefix" not in values:
        hub_prefix = environment.get(HUB_VARIABLES["prefix"])
        values["prefix"] = (
            _understood(BY_NAME["prefix"], hub_prefix, HUB_VARIABLES["prefix"]) if hub_prefix else DEFAULT_PREFIX
        )
    cookie_secret = environment.get(COOKIE_SECRET_VARIABLE) or None
    problem = None if cookie_secret is None else problem_with(cookie_secret)
    if problem:
        raise SettingsError(f"{COOKIE_SECRET_VARIABLE}: {problem}; `openssl rand -hex 32` makes one")
    of_hub = {"hub-api-url", "hub-token-file", "hub-client-id", "hub-url", "oauth-callback"}
    kept = {name.replace("-", "_"): value for name, value in values.items() if name not in of_hub}
    return Settings(**kept, hub=hub, cookie_secret=cookie_secret, file=file or b"")


def _understood(option: Option, raw: Raw, place: str) -> Any:
    return understand(option.parse, raw, place)
