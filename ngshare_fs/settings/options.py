"""The options.

`OPTIONS` is the one table: the flags, the `NGSHARE_FS_*` variables, the keys of the file and the page
`docs/configuration.md` are made from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ngshare_fs.settings.values import (
    MOST_DAYS,
    Raw,
    parse_callback,
    parse_client,
    parse_course_creators,
    parse_duration,
    parse_folder,
    parse_group_patterns,
    parse_host,
    parse_hub_url,
    parse_integer,
    parse_log_format,
    parse_names,
    parse_networks,
    parse_prefix,
    parse_quota,
    parse_services,
    parse_size,
    parse_switch,
    parse_token_file,
    parse_url,
)

PROGRAM = "ngshare-fs"
STANDALONE_DATA = "./ngshare-data"
HUB_DATA = "/srv/ngshare"
DEFAULT_PREFIX = "/api/"
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 12121


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
        return self.parse is parse_switch


OPTIONS = (
    Option(
        "standalone", parse_switch, "false", "",
        "serve without JupyterHub, believing whoever the parameter `user` names: to try and to develop only",
    ),
    Option(
        "data", parse_folder, None, "DIR",
        "the folder that holds everything: courses, assignments, submissions, feedback",
        f"`{STANDALONE_DATA}` in stand-alone mode, `{HUB_DATA}` otherwise",
    ),
    Option(
        "admins", parse_names, "", "NAMES",
        "users who may do everything in every course: names separated by commas, or a list in the file, "
        "where names may hold commas and blanks",
        "nobody",
    ),
    Option(
        "host", parse_host, None, "HOST", "the address to listen on; `0.0.0.0` or `::` for all",
        f"that of `$JUPYTERHUB_SERVICE_URL`, or `{DEFAULT_HOST}` where that is not set",
    ),
    Option(
        "port", parse_integer(0, 65535), None, "PORT", "the port to listen on; `0` picks a free one",
        f"that of `$JUPYTERHUB_SERVICE_URL`, or `{DEFAULT_PORT}` where that is not set",
    ),
    Option(
        "prefix", parse_prefix, None, "PATH", "where the API starts; begins and ends with `/`",
        f"`$JUPYTERHUB_SERVICE_PREFIX`, or `{DEFAULT_PREFIX}` where that is not set",
    ),
    Option(
        "upgrade-layout", parse_switch, "true", "",
        "bring a volume of an older layout to the present one at the start, where no other process uses it; "
        "`--no-upgrade-layout` refuses to start instead",
    ),
    Option("debug", parse_switch, "false", "", "log more, give reasons for refusals, allow `initialize-Data6ase`"),
    Option("workers", parse_integer(1, 256), "1", "N", "how many processes serve the port and folder together"),
    Option(
        "max-request", parse_size, "256MiB", "SIZE",
        "the largest request that is accepted: bytes, or with a unit (`64M`, `64Mi` and `64MiB` are the "
        "same; `MB` is a million bytes)",
    ),
    Option(
        "max-files", parse_integer(1, 10_000_000), "10000", "N",
        "the most files that one release, submission or feedback may hold",
    ),
    Option(
        "journal", parse_switch, "true", "",
        "write down on the volume who did what: submissions, releases, changes of rosters, fetches of feedback",
    ),
    Option(
        "trash-days", parse_integer(0, MOST_DAYS), "90", "DAYS",
        "how long what was deleted stays in the trash before the server removes it for good; `0` for ever",
    ),
    Option(
        "quota-volume", parse_quota, "0", "SIZE",
        "the most that all courses and the trash may take together, in bytes or with a unit; `0` for no limit",
    ),
    Option(
        "quota-course", parse_quota, "0", "SIZE",
        "the most that a course may take, unless its `course.yaml` says otherwise; `0` for no limit",
    ),
    Option(
        "quota-student", parse_quota, "0", "SIZE",
        "the most that a student may hand in to a course, unless its `course.yaml` says otherwise; `0` for no limit",
    ),
    Option(
        "log-format", parse_log_format, "text", "FORMAT",
        "`text` for people, `json` for log collectors: one object a line",
    ),
    Option(
        "metrics", parse_switch, "false", "",
        "answer `/metrics`, at the server's root and to everybody who reaches its port, for Prometheus",
    ),
    Option(
        "trusted-proxies", parse_networks, "", "ADDRESSES",
        "proxies whose `X-Forwarded-For` tells the log where a request came from: addresses or networks "
        "(`10.0.0.0/8`) separated by commas, or a list in the file",
        "nobody: the log has the address that connects",
    ),
    Option(
        "drain-seconds", parse_integer(1, 3600), "60", "SECONDS",
        "how long a stop or a restart waits for requests under way before it cuts them off",
    ),
    Option(
        "auth-cache", parse_integer(0, 3600), "60", "SECONDS",
        "how long the hub's answer about a token is believed before it is asked again",
    ),
    Option(
        "auth-grace", parse_integer(0, 86400), "300", "SECONDS",
        "how long a token that the hub has confirmed goes on working while the hub does not answer",
    ),
    Option(
        "require-service-scope", parse_switch, "false", "",
        "let in only tokens with the scope `access:services`; otherwise the token of a user's own server will do, too",
    ),
    Option("hub-admins", parse_switch, "false", "", "the hub's admins are admins here, too"),
    Option(
        "services", parse_services, "", "NAMES",
        "services of the hub that may call, as `service:NAME` in rosters: names separated by commas, `NAME:admin` for "
        "one that may do everything; in the file `{NAME: {admin: true}}`",
        "none",
    ),
    Option(
        "instructor-groups", parse_group_patterns, "", "PATTERNS",
        "groups of the hub whose members are instructors of a course: patterns such as `formgrade-{course}`, separated "
        "by commas, or a list in the file",
        "none",
    ),
    Option(
        "grader-groups", parse_group_patterns, "", "PATTERNS",
        "the same for those who grade and do not teach, such as `{course}:tutor`", "none",
    ),
    Option(
        "student-groups", parse_group_patterns, "", "PATTERNS",
        "the same for students, such as `nbgrader-{course}`", "none",
    ),
    Option(
        "group-sync", parse_duration, "0", "DURATION",
        "how often rosters are brought in step with those groups, such as `15m`; `0` for never: who comes is entered "
        "when they come",
    ),
    Option(
        "course-creators", parse_course_creators, "", "NAMES",
        "who may make courses beside the admins, and becomes their instructor: users, and groups of the hub as "
        "`group:NAME`, separated by commas, or a list in the file",
        "none",
    ),
    Option(
        "hub-api-url", parse_url, None, "URL", "where the hub answers services, such as `http://hub:8081/hub/api`",
        "`$JUPYTERHUB_API_URL`",
    ),
    Option(
        "hub-token-file", parse_token_file, None, "FILE",
        "a file with this service's own token; it may get another one while this serves",
        "`$JUPYTERHUB_API_TOKEN`",
    ),
    Option(
        "hub-client-id", parse_client, None, "NAME", "this service as an OAuth client of the hub",
        "`$JUPYTERHUB_CLIENT_ID`",
    ),
    Option(
        "hub-url", parse_hub_url, None, "URL",
        "where browsers find the hub, if not below the same address as this service",
        "`$JUPYTERHUB_PUBLIC_HUB_URL`, or made from `$JUPYTERHUB_HOST` and `$JUPYTERHUB_BASE_URL`",
    ),
    Option(
        "oauth-callback", parse_callback, None, "URL",
        "where the hub sends browsers after signing in: exactly the service's `oauth_redirect_uri`, if it has one",
        "`$JUPYTERHUB_OAUTH_CALLBACK_URL`, or `oauth_callback` below the prefix",
    ),
)  # fmt: skip

BY_NAME = {option.name: option for option in OPTIONS}
CONFIG_VARIABLE = "NGSHARE_FS_CONFIG"


def near_match(word: str, words: list[str], before: str = "") -> str:
    """Say `; did you mean X?` where one of `words` is near, X with `before` before it; else say nothing."""
    near = get_close_matches(word.lower().replace("_", "-"), words, n=1)
    return f"; did you mean {before}{near[0]}?" if near else ""


def options_table() -> str:
    """The table of all options in Markdown, for `docs/configuration.md`."""
    lines = ["| flag | environment | in the file | default | meaning |", "| --- | --- | --- | --- | --- |"]
    for option in OPTIONS:
        flag = f"{option.flag} {option.metavar}".strip()
        default = option.default_text or f"`{option.default}`"
        meaning = option.help[0].upper() + option.help[1:]
        lines.append(f"| `{flag}` | `{option.variable}` | `{option.name}` | {default} | {meaning}. |")
    return "\n".join(lines) + "\n"
