"""Settings: flags over environment over a YAML file, parsed once into typed values.

`OPTIONS` is the one table: the flags, the `NGSHARE_FS_*` variables, the keys of the file and the page
`docs/configuration.md` are made from it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from ngshare_fs.formats.cookie_secret import problem_with

PROGRAM = "ngshare-fs"
STANDALONE_DATA = "./ngshare-data"
HUB_DATA = "/srv/ngshare"
DEFAULT_PREFIX = "/api/"
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 12121
# The probes answer outside the prefix; an exchange below them would hide behind their answers.
PROBES = ("/healthz/", "/readyz/")


class SettingsError(Exception):
    """A setting is wrong or missing; the text is one line for the operator, naming where it was set."""


@dataclass(frozen=True)
class Hub:
    """The JupyterHub that this is a service of.

    Args:
        api_url: where it answers services, such as `http://hub:8081/hub/api`.
        api_token: this service's token; never logged.
        client_id: the service as an OAuth client, such as `service-ngshare`.
        service_name: the service's name, such as `ngshare`.
        browser_url: where browsers find it: a URL or an absolute path that ends with `/hub/`.
        callback: where the hub sends browsers after signing in, exactly as the hub knows it: a URL or an absolute path.
        managed: whether the hub has started this process.
        told_callback: what the hub itself says of `callback`; empty where it says nothing.
        told_client: the same of `client_id`.
    """

    api_url: str
    api_token: str = field(repr=False)
    client_id: str
    service_name: str
    browser_url: str
    callback: str
    managed: bool = False
    told_callback: str = ""
    told_client: str = ""


@dataclass(frozen=True)
class Settings:
    """How the server runs. `hub` is set unless it is stand-alone; `file` is what the configuration file held."""

    standalone: bool
    data: Path
    admins: frozenset[str]
    host: str
    port: int
    prefix: str
    debug: bool
    workers: int
    max_request: int
    max_files: int
    log_format: str
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    drain_seconds: int
    auth_cache: int
    auth_grace: int
    require_service_scope: bool
    hub_admins: bool
    services: Mapping[str, bool]
    cookie_secret: str | None = field(repr=False)
    hub: Hub | None
    file: bytes = field(repr=False, compare=False)


# What a source holds before it is understood: a text, a list of texts or a mapping with one more below (files only),
# or a switch (flags only).
Raw = str | list[str] | dict[str, dict[str, str]] | bool


def _text(raw: Raw) -> str:
    if not isinstance(raw, str):
        raise ValueError("takes one value, not a list or a mapping")
    return raw


def _switch(raw: Raw) -> bool:
    if isinstance(raw, bool):
        return raw
    word = _text(raw).lower()
    if word in {"true", "yes", "on", "1"}:
        return True
    if word in {"false", "no", "off", "0"}:
        return False
    raise ValueError(f"{raw!r} is neither true nor false")


def _integer(least: int, most: int) -> Callable[[Raw], int]:
    def parse(raw: Raw) -> int:
        text = _text(raw)
        if not re.fullmatch(r"[0-9]{1,12}", text):
            raise ValueError(f"{text!r} is not a whole number from {least} to {most}")
        if not least <= int(text) <= most:
            raise ValueError(f"{text} is not between {least} and {most}")
        return int(text)

    return parse


# K, M and G are powers of 1024, as to `dd`, `truncate` and nginx; Ki, Mi and Gi are what Kubernetes writes.
UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | {
    letter + ending: 1024**power for power, letter in enumerate("KMGT", 1) for ending in ("", "I", "IB")
}
LEAST_REQUEST, MOST_REQUEST = 1024, 1024**4


def _size(raw: Raw) -> int:
    text = _text(raw)
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) *([A-Za-z]*)", text, re.ASCII)
    if not found or found[2].upper() not in UNITS:
        raise ValueError(f"{text!r} is not a size such as 256MiB, 64M or 1048576")
    size = (
        int(float(found[1]) * UNITS[found[2].upper()]) if "." in found[1] else int(found[1]) * UNITS[found[2].upper()]
    )
    if not LEAST_REQUEST <= size <= MOST_REQUEST:
        raise ValueError(f"{text} is not between 1KiB and 1TiB")
    return size


def _names(raw: Raw) -> frozenset[str]:
    if isinstance(raw, list):
        # Names in a list stay as they are, whatever they contain: hubs allow commas and blanks in user names.
        if "" in raw:
            raise ValueError("a name in the list is empty")
        return frozenset(raw)
    return frozenset(name.strip() for name in _text(raw).split(",") if name.strip())


def _networks(raw: Raw) -> tuple[IPv4Network | IPv6Network, ...]:
    texts = raw if isinstance(raw, list) else [text for text in _text(raw).split(",") if text.strip()]
    found = []
    for text in texts:
        try:
            found.append(ip_network(text.strip()))
            if "%" in text:
                raise ValueError  # `::1%lo`: a scope, which no forwarded address has
        except ValueError:
            raise ValueError(f"{text.strip()!r} is neither an address nor a network such as 10.0.0.0/8") from None
    return tuple(found)


def _services(raw: Raw) -> dict[str, bool]:
    """Names of services, and whether each is an admin: `{autograder: {admin: true}}` or `autograder:admin,reader`."""
    if isinstance(raw, dict):
        found = {}
        for name, rights in raw.items():
            unknown = set(rights) - {"admin"}
            if not name or unknown:
                raise ValueError(f"{name!r} has {min(unknown)!r}; what can be said of a service is `admin: true`"
                                 if unknown else "a service has no name")  # fmt: skip
            found[name] = _switch(rights.get("admin", "false"))
        return found
    found = {}
    for entry in _text(raw).split(",") if raw else []:
        name, colon, right = entry.strip().partition(":")
        if not name or (colon and right != "admin"):
            raise ValueError(f"{entry.strip()!r} is neither a service's name nor NAME:admin")
        found[name] = bool(colon)
    return found


def _token(raw: Raw) -> str:
    text = _text(raw)
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ValueError("holds characters that no token has")  # without quoting them
    return text


def token_of_file(raw: Raw) -> str:
    """The token that a file holds: an option would be seen in a list of processes.

    Raises:
        ValueError: it cannot be read, or holds something else.
    """
    path = _text(raw)
    try:
        content = Path(path).expanduser().read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not UTF-8") from None
    if not content:
        raise ValueError(f"{path} is empty")
    return _token(content)


def _url(raw: Raw) -> str:
    url = _text(raw)
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url):
        raise ValueError(f"{url!r} is not a URL that begins with http:// or https://")
    return url.rstrip("/")


def _hub_url(raw: Raw) -> str:
    url = _url(raw)
    return url + "/" if url.endswith("/hub") else url + "/hub/"


def _callback(raw: Raw) -> str:
    text = _text(raw)
    return _url(text) if not text.startswith("/") else _prefix(text + "/")[:-1]


def _client(raw: Raw) -> str:
    text = _text(raw)
    if not re.fullmatch(r"[\x21-\x7e]{1,255}", text):
        raise ValueError(f"{text!r} is not an OAuth client such as service-ngshare")
    return text


def _folder(raw: Raw) -> Path:
    text = _text(raw)
    if not text or "\0" in text:
        raise ValueError(f"{text!r} is not a folder")
    # Absolute from the start, so that every message names a place that can be found.
    return Path(text).expanduser().absolute()


def _host(raw: Raw) -> str:
    host = _text(raw)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not re.fullmatch(r"[^\s/\[\]]+", host):
        raise ValueError(f"{raw!r} is neither a host name nor an address")
    return host


def _prefix(raw: Raw) -> str:
    prefix = _text(raw)
    if not (prefix.startswith("/") and prefix.endswith("/")):
        raise ValueError(f"{prefix!r} does not start and end with /, as /api/ does")
    # Braces would be read as a pattern by the router, ? and # end a path.
    if "//" in prefix or re.search(r"[\s?#{}\x00-\x1f\x7f]", prefix) or {".", ".."} & set(prefix.split("/")):
        raise ValueError(f"{prefix!r} is not a plain path, as /services/ngshare/ is")
    for probe in PROBES:
        if prefix.startswith(probe):
            raise ValueError(f"{prefix!r} lies under {probe}, where the health checks answer")
    return prefix


def _log_format(raw: Raw) -> str:
    if raw not in ("text", "json"):
        raise ValueError(f"{raw!r} is neither text nor json")
    return str(raw)


@dataclass(frozen=True)
class Option:
    """One row of the table: `name` is the key in the file, and `--name` the flag.

    `default` is a text as the operator would write it, or None where it depends on the rest; `default_text`
    says on what, for the reader.
    """

    name: str
    parse: Callable[[Raw], Any]
    default: str | None
    metavar: str
    help: str
    default_text: str = ""

    @property
    def flag(self) -> str:
        return "--" + self.name

    @property
    def variable(self) -> str:
        return "NGSHARE_FS_" + self.name.upper().replace("-", "_")

    @property
    def is_switch(self) -> bool:
        return self.parse is _switch


OPTIONS = (
    Option(
        "standalone", _switch, "false", "",
        "serve without JupyterHub, believing whoever the parameter `user` names: to try and to develop only",
    ),
    Option(
        "data", _folder, None, "DIR",
        "the folder that holds everything: courses, assignments, submissions, feedback",
        f"`{STANDALONE_DATA}` in stand-alone mode, `{HUB_DATA}` otherwise",
    ),
    Option(
        "admins", _names, "", "NAMES",
        "users who may do everything in every course: names separated by commas, or a list in the file, "
        "where names may hold commas and blanks",
        "nobody",
    ),
    Option(
        "host", _host, None, "HOST", "the address to listen on; `0.0.0.0` or `::` for all",
        f"that of `$JUPYTERHUB_SERVICE_URL`, or `{DEFAULT_HOST}` where that is not set",
    ),
    Option(
        "port", _integer(0, 65535), None, "PORT", "the port to listen on; `0` picks a free one",
        f"that of `$JUPYTERHUB_SERVICE_URL`, or `{DEFAULT_PORT}` where that is not set",
    ),
    Option(
        "prefix", _prefix, None, "PATH", "where the API starts; begins and ends with `/`",
        f"`$JUPYTERHUB_SERVICE_PREFIX`, or `{DEFAULT_PREFIX}` where that is not set",
    ),
    Option("debug", _switch, "false", "", "log more, give reasons for refusals, allow `initialize-Data6ase`"),
    Option("workers", _integer(1, 256), "1", "N", "how many processes serve the port and folder together"),
    Option(
        "max-request", _size, "256MiB", "SIZE",
        "the largest request that is accepted: bytes, or with a unit (`64M`, `64Mi` and `64MiB` are the "
        "same; `MB` is a million bytes)",
    ),
    Option(
        "max-files", _integer(1, 10_000_000), "10000", "N",
        "the most files that one release, submission or feedback may hold",
    ),
    Option(
        "log-format", _log_format, "text", "FORMAT",
        "`text` for people, `json` for log collectors: one object a line",
    ),
    Option(
        "trusted-proxies", _networks, "", "ADDRESSES",
        "proxies whose `X-Forwarded-For` tells the log where a request came from: addresses or networks "
        "(`10.0.0.0/8`) separated by commas, or a list in the file",
        "nobody: the log has the address that connects",
    ),
    Option(
        "drain-seconds", _integer(1, 3600), "60", "SECONDS",
        "how long a stop or a restart waits for requests under way before it cuts them off",
    ),
    Option(
        "auth-cache", _integer(0, 3600), "60", "SECONDS",
        "how long the hub's answer about a token is believed before it is asked again",
    ),
    Option(
        "auth-grace", _integer(0, 86400), "300", "SECONDS",
        "how long a token that the hub has confirmed goes on working while the hub does not answer",
    ),
    Option(
        "require-service-scope", _switch, "false", "",
        "let in only tokens with the scope `access:services`; otherwise the token of a user's own server will do, too",
    ),
    Option("hub-admins", _switch, "false", "", "the hub's admins are admins here, too"),
    Option(
        "services", _services, "", "NAMES",
        "services of the hub that may call, as `service:NAME` in rosters: names separated by commas, `NAME:admin` for "
        "one that may do everything; in the file `{NAME: {admin: true}}`",
        "none",
    ),
    Option(
        "hub-api-url", _url, None, "URL", "where the hub answers services, such as `http://hub:8081/hub/api`",
        "`$JUPYTERHUB_API_URL`",
    ),
    Option(
        "hub-token-file", token_of_file, None, "FILE", "a file with this service's own token",
        "`$JUPYTERHUB_API_TOKEN`",
    ),
    Option(
        "hub-client-id", _client, None, "NAME", "this service as an OAuth client of the hub", "`$JUPYTERHUB_CLIENT_ID`"
    ),
    Option(
        "hub-url", _hub_url, None, "URL", "where browsers find the hub, if not below the same address as this service",
        "`$JUPYTERHUB_PUBLIC_HUB_URL`, or made from `$JUPYTERHUB_HOST` and `$JUPYTERHUB_BASE_URL`",
    ),
    Option(
        "oauth-callback", _callback, None, "URL",
        "where the hub sends browsers after signing in: exactly the service's `oauth_redirect_uri`, if it has one",
        "`$JUPYTERHUB_OAUTH_CALLBACK_URL`, or `oauth_callback` below the prefix",
    ),
)  # fmt: skip

BY_NAME = {option.name: option for option in OPTIONS}
CONFIG_VARIABLE = "NGSHARE_FS_CONFIG"

# What the hub has to say, by variable or by option.
HUB_VARIABLES = {
    "hub-token-file": "JUPYTERHUB_API_TOKEN",
    "hub-api-url": "JUPYTERHUB_API_URL",
    "prefix": "JUPYTERHUB_SERVICE_PREFIX",
    "hub-client-id": "JUPYTERHUB_CLIENT_ID",
}
SERVICE_URL_VARIABLE = "JUPYTERHUB_SERVICE_URL"
COOKIE_SECRET_VARIABLE = "NGSHARE_FS_COOKIE_SECRET"  # noqa: S105


def near_match(word: str, words: list[str], before: str = "") -> str:
    """Say `; did you mean X?` where one of `words` is near, X with `before` before it; else say nothing."""
    near = get_close_matches(word.lower().replace("_", "-"), words, n=1)
    return f"; did you mean {before}{near[0]}?" if near else ""


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
        file = _read_file(str(config)) if file is None else file
        for key, (place, raw) in _understand(file, str(config)).items():
            values[key] = _parse(BY_NAME[key], raw, place)
    for option in OPTIONS:
        text = environment.get(option.variable, "")
        # Kubernetes sets NGSHARE_FS_PORT=tcp://10.0.0.1:8080 in every pod beside a Service called
        # `ngshare-fs`: that is the Service's address, not a setting, and must not stop the start.
        if option.name == "port" and re.match(r"(tcp|udp|sctp)://", text):
            text = ""
        # Compose files and charts pass `VARIABLE=` for what was left open: empty is not set.
        if text:
            values[option.name] = _parse(option, text, option.variable)
        if option.name in flags:
            values[option.name] = _parse(option, flags[option.name], option.flag)
    for option in OPTIONS:
        if option.name not in values and option.default is not None:
            values[option.name] = option.parse(option.default)
    if "data" not in values:
        values["data"] = _folder(STANDALONE_DATA if values["standalone"] else HUB_DATA)
    hub = None if values["standalone"] else _read_hub(values, environment)
    host, port = DEFAULT_HOST, DEFAULT_PORT
    if hub is not None:
        host, port = _listen_where_the_hub_looks(environment)
    values.setdefault("host", host)
    values.setdefault("port", port)
    if "prefix" not in values:
        hub_prefix = environment.get(HUB_VARIABLES["prefix"])
        values["prefix"] = (
            _parse(BY_NAME["prefix"], hub_prefix, HUB_VARIABLES["prefix"]) if hub_prefix else DEFAULT_PREFIX
        )
    cookie_secret = environment.get(COOKIE_SECRET_VARIABLE) or None
    problem = None if cookie_secret is None else problem_with(cookie_secret)
    if problem:
        raise SettingsError(f"{COOKIE_SECRET_VARIABLE}: {problem}; `openssl rand -hex 32` makes one")
    of_hub = {"hub-api-url", "hub-token-file", "hub-client-id", "hub-url", "oauth-callback"}
    kept = {name.replace("-", "_"): value for name, value in values.items() if name not in of_hub}
    return Settings(**kept, hub=hub, cookie_secret=cookie_secret, file=file or b"")


def _parse(option: Option, raw: Raw, place: str) -> Any:
    return _parse_with(option.parse, raw, place)


def _parse_with(parse: Callable[[Raw], Any], raw: Raw, place: str) -> Any:
    try:
        return parse(raw)
    except ValueError as error:
        raise SettingsError(f"{place}: {error}") from None


def _read_hub(values: dict[str, Any], environment: Mapping[str, str]) -> Hub:
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
            parse = BY_NAME[name].parse if name != "hub-token-file" else _token
            values[name] = _parse_with(parse, environment[variable], variable)
    token = values["hub-token-file"]
    prefix, client_id = values["prefix"], values["hub-client-id"]
    found = re.fullmatch(r"(.*/)services/([^/]+)/", prefix)
    # The client's name says least: the hub's configuration may give it any.
    service_name = environment.get("JUPYTERHUB_SERVICE_NAME") or (
        unquote(found[2]) if found else client_id.removeprefix("service-")
    )
    base_url = found[1] if found else "/"
    if environment.get("JUPYTERHUB_BASE_URL"):
        base_url = _parse_with(_prefix, environment["JUPYTERHUB_BASE_URL"], "JUPYTERHUB_BASE_URL")
    host = ""
    if environment.get("JUPYTERHUB_HOST"):
        host = _parse_with(_url, environment["JUPYTERHUB_HOST"], "JUPYTERHUB_HOST")
    browser_url = values.get("hub-url")
    public = "JUPYTERHUB_PUBLIC_HUB_URL"
    if browser_url is None and environment.get(public):
        browser_url = _parse_with(_hub_url, environment[public], public)
    if browser_url is None:
        browser_url = host + base_url + "hub/"
    callback, variable = values.get("oauth-callback"), "JUPYTERHUB_OAUTH_CALLBACK_URL"
    told_callback = _parse_with(_callback, environment[variable], variable) if environment.get(variable) else ""
    # Only what the hub starts has this second name of the token.
    managed = bool(environment.get("JPY_API_TOKEN"))
    return Hub(
        api_url=values["hub-api-url"], api_token=token, client_id=client_id, service_name=service_name,
        browser_url=browser_url, callback=callback or told_callback or prefix + "oauth_callback",
        managed=managed, told_callback=told_callback,
        told_client=environment.get(HUB_VARIABLES["hub-client-id"], "") if managed else "",
    )  # fmt: skip


def _listen_where_the_hub_looks(environment: Mapping[str, str]) -> tuple[str, int]:
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


def _read_file(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None


def _understand(content: bytes, path: str) -> dict[str, tuple[str, Raw]]:
    """Give each key's place (`file:line: key`) and raw value.

    Scalars are taken as they are written, not as YAML types them: `no`, `007` and `1e3` are user names, and
    each option knows best what its value means.
    """
    try:
        root = yaml.compose(content.decode("utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: not UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SettingsError(f"{path}{line}: not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if root is None or (isinstance(root, yaml.ScalarNode) and not root.value):
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise SettingsError(f"{path}: not a list of `option: value` lines")
    found: dict[str, tuple[str, Raw]] = {}
    for key_node, value_node in root.value:
        place = f"{path}:{key_node.start_mark.line + 1}"
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else ""
        if key not in BY_NAME:
            raise SettingsError(f"{place}: {key!r} is no option{near_match(key, list(BY_NAME))}")
        if key in found:
            raise SettingsError(f"{place}: {key} is set twice")
        found[key] = (f"{place}: {key}", _raw(value_node, f"{place}: {key}"))
    return found


def _raw(node: yaml.Node, place: str) -> Raw:
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode) and all(isinstance(item, yaml.ScalarNode) for item in node.value):
        return [str(item.value) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return {_scalar(key, place): _mapping(value, place) for key, value in node.value}
    raise SettingsError(f"{place}: takes a value or a list of values, nothing nested")


def _mapping(node: yaml.Node, place: str) -> dict[str, str]:
    if isinstance(node, yaml.ScalarNode) and not node.value:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise SettingsError(f"{place}: not a mapping such as {{autograder: {{admin: true}}}}")
    return {_scalar(key, place): _scalar(value, place) for key, value in node.value}


def _scalar(node: yaml.Node, place: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise SettingsError(f"{place}: nested too deeply")
    return str(node.value)


def options_table() -> str:
    """The table of all options in Markdown, for `docs/configuration.md`."""
    lines = ["| flag | environment | in the file | default | meaning |", "| --- | --- | --- | --- | --- |"]
    for option in OPTIONS:
        flag = f"{option.flag} {option.metavar}".strip()
        default = option.default_text or f"`{option.default}`"
        meaning = option.help[0].upper() + option.help[1:]
        lines.append(f"| `{flag}` | `{option.variable}` | `{option.name}` | {default} | {meaning}. |")
    return "\n".join(lines) + "\n"
