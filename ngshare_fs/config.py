"""Settings: flags over environment over a YAML file, parsed once into typed values.

`OPTIONS` is the one table: the flags, the `NGSHARE_FS_*` variables, the keys of the file and the page
`docs/configuration.md` are made from it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

PROGRAM = "ngshare-fs"
STANDALONE_DATA = "./ngshare-data"
HUB_DATA = "/srv/ngshare"
DEFAULT_PREFIX = "/api/"
# The probes answer outside the prefix; an exchange below them would hide behind their answers.
PROBES = ("/healthz/", "/readyz/")


class SettingsError(Exception):
    """A setting is wrong or missing; the text is one line for the operator, naming where it was set."""


@dataclass(frozen=True)
class Hub:
    """What JupyterHub tells its services in the environment."""

    api_url: str
    api_token: str = field(repr=False)
    service_prefix: str
    client_id: str
    base_url: str = "/"
    host: str = ""
    service_name: str = ""
    service_url: str = ""


@dataclass(frozen=True)
class Settings:
    """How the server runs. `hub` is set unless it is stand-alone."""

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
    drain_seconds: int
    hub: Hub | None


# What a source holds before it is understood: a text, a list of texts (files only), or a switch (flags only).
Raw = str | list[str] | bool


def _text(raw: Raw) -> str:
    if not isinstance(raw, str):
        raise ValueError("takes one value, not a list")
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
    Option("host", _host, "127.0.0.1", "HOST", "the address to listen on; `0.0.0.0` or `::` for all"),
    Option("port", _integer(0, 65535), "12121", "PORT", "the port to listen on; `0` picks a free one"),
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
        "drain-seconds", _integer(1, 3600), "60", "SECONDS",
        "how long a stop or a restart waits for requests under way before it cuts them off",
    ),
)  # fmt: skip

BY_NAME = {option.name: option for option in OPTIONS}
CONFIG_VARIABLE = "NGSHARE_FS_CONFIG"

HUB_VARIABLES = {
    "api_token": "JUPYTERHUB_API_TOKEN",
    "api_url": "JUPYTERHUB_API_URL",
    "service_prefix": "JUPYTERHUB_SERVICE_PREFIX",
    "client_id": "JUPYTERHUB_CLIENT_ID",
}
OPTIONAL_HUB_VARIABLES = {
    "base_url": "JUPYTERHUB_BASE_URL",
    "host": "JUPYTERHUB_HOST",
    "service_name": "JUPYTERHUB_SERVICE_NAME",
    "service_url": "JUPYTERHUB_SERVICE_URL",
}


def near_match(word: str, words: list[str], before: str = "") -> str:
    """Say `; did you mean X?` where one of `words` is near, X with `before` before it; else say nothing."""
    near = get_close_matches(word.lower().replace("_", "-"), words, n=1)
    return f"; did you mean {before}{near[0]}?" if near else ""


def read_settings(flags: Mapping[str, Raw], environment: Mapping[str, str]) -> Settings:
    """Put the settings together: a flag counts before the environment, the environment before the file.

    Args:
        flags: the flags that were given, by option name (`max-request`); `config` names the YAML file.
        environment: the variables of the process.

    Raises:
        SettingsError: an option, a value or the file is wrong, or one of JupyterHub's variables is missing.
    """
    config = flags.get("config") or environment.get(CONFIG_VARIABLE)
    values: dict[str, Any] = {}
    if config:
        for key, (place, raw) in _read_file(str(config)).items():
            values[key] = _parse(BY_NAME[key], raw, place)
    for option in OPTIONS:
        text = environment.get(option.variable, "")
        # Kubernetes sets NGSHARE_FS_PORT=tcp://10.0.0.1:8080 in every pod beside a Service called
        # `ngshare-fs`: that is the Service's address, not a setting, and must not stop the start.
        if option.name == "port" and re.match(r"(tcp|udp|sctp)://", text):
            continue
        # Compose files and charts pass `VARIABLE=` for what was left open: empty is not set.
        if text:
            values[option.name] = _parse(option, text, option.variable)
        if option.name in flags:
            values[option.name] = _parse(option, flags[option.name], option.flag)
    for option in OPTIONS:
        if option.name not in values and option.default is not None:
            values[option.name] = option.parse(option.default)
    if "prefix" not in values:
        hub_prefix = environment.get("JUPYTERHUB_SERVICE_PREFIX")
        values["prefix"] = (
            _parse(BY_NAME["prefix"], hub_prefix, "JUPYTERHUB_SERVICE_PREFIX") if hub_prefix else DEFAULT_PREFIX
        )
    if "data" not in values:
        values["data"] = _folder(STANDALONE_DATA if values["standalone"] else HUB_DATA)
    hub = None if values["standalone"] else _read_hub(environment)
    return Settings(**{name.replace("-", "_"): value for name, value in values.items()}, hub=hub)


def _parse(option: Option, raw: Raw, place: str) -> Any:
    try:
        return option.parse(raw)
    except ValueError as error:
        raise SettingsError(f"{place}: {error}") from None


def _read_hub(environment: Mapping[str, str]) -> Hub:
    missing = [variable for variable in HUB_VARIABLES.values() if not environment.get(variable)]
    if missing:
        raise SettingsError(
            f"not started by JupyterHub: {', '.join(missing)} not set "
            "(--standalone serves without JupyterHub, for trying it out)"
        )
    values = {name: environment[variable] for name, variable in HUB_VARIABLES.items()}
    for name, variable in OPTIONAL_HUB_VARIABLES.items():
        if environment.get(variable):
            values[name] = environment[variable]
    return Hub(**values)


def _read_file(path: str) -> dict[str, tuple[str, Raw]]:
    """Give each key's place (`file:line: key`) and raw value.

    Scalars are taken as they are written, not as YAML types them: `no`, `007` and `1e3` are user names, and
    each option knows best what its value means.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            root = yaml.compose(stream, Loader=yaml.SafeLoader)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
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
    raise SettingsError(f"{place}: takes a value or a list of values, nothing nested")


def options_table() -> str:
    """The table of all options in Markdown, for `docs/configuration.md`."""
    lines = ["| flag | environment | in the file | default | meaning |", "| --- | --- | --- | --- | --- |"]
    for option in OPTIONS:
        flag = f"{option.flag} {option.metavar}".strip()
        default = option.default_text or f"`{option.default}`"
        meaning = option.help[0].upper() + option.help[1:]
        lines.append(f"| `{flag}` | `{option.variable}` | `{option.name}` | {default} | {meaning}. |")
    return "\n".join(lines) + "\n"
