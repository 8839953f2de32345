"""Parsers of values: each makes a typed one of what a source holds, and says what is wrong with it (ValueError)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from ngshare_fs.formats.byte_size import bytes_in
from ngshare_fs.formats.duration import LONGEST, duration_in
from ngshare_fs.formats.group_pattern import GroupPattern, group_pattern_in
from ngshare_fs.settings.settings import CourseCreators, SettingsError

# The probes answer outside the prefix; an exchange below them would hide behind their answers.
PROBES = ("/healthz/", "/readyz/")
# What a source holds before it is understood: a text, a list of texts or a mapping with one more below (files only),
# or a switch (flags only).
Raw = str | list[str] | dict[str, dict[str, str]] | bool


def parse_text(raw: Raw) -> str:
    """One value."""
    if not isinstance(raw, str):
        raise ValueError("takes one value, not a list or a mapping")
    return raw


def parse_switch(raw: Raw) -> bool:
    """True or false, in one of the usual words."""
    if isinstance(raw, bool):
        return raw
    word = parse_text(raw).lower()
    if word in {"true", "yes", "on", "1"}:
        return True
    if word in {"false", "no", "off", "0"}:
        return False
    raise ValueError(f"{raw!r} is neither true nor false")


def parse_integer(least: int, most: int) -> Callable[[Raw], int]:
    """A parser of whole numbers from `least` to `most`."""

    def parse(raw: Raw) -> int:
        text = parse_text(raw)
        if not re.fullmatch(r"[0-9]{1,12}", text):
            raise ValueError(f"{text!r} is not a whole number from {least} to {most}")
        if not least <= int(text) <= most:
            raise ValueError(f"{text} is not between {least} and {most}")
        return int(text)

    return parse


def parse_duration(raw: Raw) -> timedelta:
    """A duration: `15m`, `1h30m`, or `0` for none."""
    return duration_in(parse_text(raw))


MOST_DAYS = LONGEST.days
LEAST_REQUEST, MOST_REQUEST = 1024, 1024**4


def parse_size(raw: Raw) -> int:
    """A size in bytes: a number, or one with a unit."""
    text = parse_text(raw)
    size = bytes_in(text)
    if not LEAST_REQUEST <= size <= MOST_REQUEST:
        raise ValueError(f"{text} is not between 1KiB and 1TiB")
    return size


def parse_quota(raw: Raw) -> int:
    """A size in bytes, or 0 where there is no limit."""
    return bytes_in(parse_text(raw))


def parse_names(raw: Raw) -> frozenset[str]:
    """Names separated by commas, or a list."""
    if isinstance(raw, list):
        # Names in a list stay as they are, whatever they contain: hubs allow commas and blanks in user names.
        if "" in raw:
            raise ValueError("a name in the list is empty")
        return frozenset(raw)
    return frozenset(name.strip() for name in parse_text(raw).split(",") if name.strip())


# What YAML takes `{course}` for is a mapping.
IN_QUOTES = 'in a YAML file, what begins with {course} has to stand in quotes: "{course}:tutor"'


def parse_group_patterns(raw: Raw) -> tuple[GroupPattern, ...]:
    """Patterns for names of groups, separated by commas or as a list."""
    if isinstance(raw, dict):
        raise ValueError(IN_QUOTES)
    return tuple(group_pattern_in(text) for text in sorted(parse_names(raw)))


# Before the name of a group, where users and groups may stand.
GROUP_MARK = "group:"


def parse_course_creators(raw: Raw) -> CourseCreators:
    """Users, and groups as `group:NAME`, separated by commas or as a list."""
    names = parse_names(raw)
    groups = frozenset(name.removeprefix(GROUP_MARK) for name in names if name.startswith(GROUP_MARK))
    if "" in groups:
        raise ValueError(f"{GROUP_MARK!r} names no group")
    return CourseCreators(frozenset(name for name in names if not name.startswith(GROUP_MARK)), groups)


def parse_networks(raw: Raw) -> tuple[IPv4Network | IPv6Network, ...]:
    """Addresses and networks, separated by commas or as a list."""
    texts = raw if isinstance(raw, list) else [text for text in parse_text(raw).split(",") if text.strip()]
    found = []
    for text in texts:
        try:
            found.append(ip_network(text.strip()))
            if "%" in text:
                raise ValueError  # `::1%lo`: a scope, which no forwarded address has
        except ValueError:
            raise ValueError(f"{text.strip()!r} is neither an address nor a network such as 10.0.0.0/8") from None
    return tuple(found)


def parse_services(raw: Raw) -> dict[str, bool]:
    """Names of services, and whether each is an admin: `{autograder: {admin: true}}` or `autograder:admin,reader`."""
    if isinstance(raw, dict):
        found = {}
        for name, rights in raw.items():
            unknown = set(rights) - {"admin"}
            if not name or unknown:
                raise ValueError(f"{name!r} has {min(unknown)!r}; what can be said of a service is `admin: true`"
                                 if unknown else "a service has no name")  # fmt: skip
            found[name] = parse_switch(rights.get("admin", "false"))
        return found
    found = {}
    for entry in parse_text(raw).split(",") if raw else []:
        name, colon, right = entry.strip().partition(":")
        if not name or (colon and right != "admin"):
            raise ValueError(f"{entry.strip()!r} is neither a service's name nor NAME:admin")
        found[name] = bool(colon)
    return found


@dataclass(frozen=True)
class HubToken:
    """A token of the hub, as it was at the start.

    Args:
        token: the token.
        path: the file that held it, into which somebody may write another one later; empty where there is no such
            file, or one that can be read only once, such as a pipe.
    """

    token: str = field(repr=False)
    path: str = ""


def parse_token(raw: Raw) -> HubToken:
    """A token itself."""
    return HubToken(_checked_token(raw))


def parse_token_file(raw: Raw) -> HubToken:
    """The name of a file with a token."""
    path, token = parse_text(raw), token_of_file(raw)
    return HubToken(token, path if _at_home(path).is_file() else "")


def token_of_file(raw: Raw) -> str:
    """The token that a file holds: an option would be seen in a list of processes.

    Raises:
        ValueError: it cannot be read, or holds something else.
    """
    path = parse_text(raw)
    try:
        content = _at_home(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not UTF-8") from None
    if not content:
        raise ValueError(f"{path} is empty")
    try:
        return _checked_token(content)
    except ValueError as error:
        raise ValueError(f"{path} {error}") from None


def _checked_token(raw: Raw) -> str:
    text = parse_text(raw)
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ValueError("holds characters that no token has")  # without quoting them
    return text


def parse_url(raw: Raw) -> str:
    """A URL, without a slash at its end."""
    url = parse_text(raw)
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url):
        raise ValueError(f"{url!r} is not a URL that begins with http:// or https://")
    return url.rstrip("/")


def parse_hub_url(raw: Raw) -> str:
    """Where browsers find the hub; ends with `/hub/`."""
    url = parse_url(raw)
    return url + "/" if url.endswith("/hub") else url + "/hub/"


def parse_callback(raw: Raw) -> str:
    """A URL, or an absolute path."""
    text = parse_text(raw)
    return parse_url(text) if not text.startswith("/") else parse_prefix(text + "/")[:-1]


def parse_client(raw: Raw) -> str:
    """The name of an OAuth client."""
    text = parse_text(raw)
    if not re.fullmatch(r"[\x21-\x7e]{1,255}", text):
        raise ValueError(f"{text!r} is not an OAuth client such as service-ngshare")
    return text


def parse_folder(raw: Raw) -> Path:
    """A folder."""
    text = parse_text(raw)
    if not text or "\0" in text:
        raise ValueError(f"{text!r} is not a folder")
    # Absolute from the start, so that every message names a place that can be found.
    return _at_home(text).absolute()


def _at_home(text: str) -> Path:
    """A path, in which `~` and `~NAME` mean home folders."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError(f"{text}: there is no such user, or that one has no home folder") from None


def parse_host(raw: Raw) -> str:
    """A name or an address; IPv6 may stand in brackets."""
    host = parse_text(raw)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not re.fullmatch(r"[^\s/\[\]]+", host):
        raise ValueError(f"{raw!r} is neither a host name nor an address")
    return host


def parse_prefix(raw: Raw) -> str:
    """A path that begins and ends with a slash."""
    prefix = parse_text(raw)
    if not (prefix.startswith("/") and prefix.endswith("/")):
        raise ValueError(f"{prefix!r} does not start and end with /, as /api/ does")
    # Braces would be read as a pattern by the router, ? and # end a path.
    if "//" in prefix or re.search(r"[\s?#{}\x00-\x1f\x7f]", prefix) or {".", ".."} & set(prefix.split("/")):
        raise ValueError(f"{prefix!r} is not a plain path, as /services/ngshare/ is")
    for probe in PROBES:
        if prefix.startswith(probe):
            raise ValueError(f"{prefix!r} lies under {probe}, where the health checks answer")
    return prefix


def parse_log_format(raw: Raw) -> str:
    """The name of a format."""
    if raw not in ("text", "json"):
        raise ValueError(f"{raw!r} is neither text nor json")
    return str(raw)


def understand(parse: Callable[[Raw], Any], raw: Raw, place: str) -> Any:
    """The value that a parser makes.

    Args:
        place: where it was set, for the error.

    Raises:
        SettingsError: it is wrong.
    """
    try:
        return parse(raw)
    except ValueError as error:
        raise SettingsError(f"{place}: {error}") from None
