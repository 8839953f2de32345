"""The settings, as typed values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from ngshare_fs.formats.group_pattern import GroupPattern


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
        token_file: where `api_token` comes from, and where another one may come later; empty where it is no file.
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
    token_file: str = ""


@dataclass(frozen=True)
class CourseCreators:
    """Who may make courses beside the admins.

    Args:
        users: user names.
        groups: names of groups, whose members may.
    """

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Settings:
    """How the server runs. What is not named here is the option of that name: see `options`.

    Args:
        data: the volume's folder, absolute.
        prefix: the path of the API, with a slash at both ends.
        upgrade_layout: whether a volume of an older layout is upgraded at the start.
        max_request: of a body, in bytes.
        max_files: of one tree.
        trash_days: how long what was thrown away stays in the trash; 0 for ever.
        quota_volume, quota_course, quota_student: what may be stored, in bytes; 0 for as much as there is room for.
        drain_seconds: how long requests under way may take at a stop.
        auth_cache: how long the hub's answer is believed, in seconds.
        auth_grace: how long after the hub confirmed a token that works where the hub does not answer, in seconds.
        services: names of the hub's services that may call, and whether each is an admin.
        instructor_groups, grader_groups, student_groups: the hub's groups whose members have that role in a course.
        group_sync: how often rosters are brought in step with them; 0 for never.
        hub: set unless it is stand-alone.
        file: what the configuration file held.
    """

    standalone: bool
    data: Path
    admins: frozenset[str]
    host: str
    port: int
    prefix: str
    upgrade_layout: bool
    debug: bool
    workers: int
    max_request: int
    max_files: int
    journal: bool
    trash_days: int
    quota_volume: int
    quota_course: int
    quota_student: int
    log_format: str
    metrics: bool
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    drain_seconds: int
    auth_cache: int
    auth_grace: int
    require_service_scope: bool
    hub_admins: bool
    services: Mapping[str, bool]
    instructor_groups: tuple[GroupPattern, ...]
    grader_groups: tuple[GroupPattern, ...]
    student_groups: tuple[GroupPattern, ...]
    group_sync: timedelta
    course_creators: CourseCreators
    cookie_secret: str | None = field(repr=False)
    hub: Hub | None
    file: bytes = field(repr=False, compare=False)

    @property
    def options_with_groups(self) -> list[str]:
        """The options that are about groups of the hub, as far as they are set."""
        patterns = {
            "instructor-groups": self.instructor_groups,
            "grader-groups": self.grader_groups,
            "student-groups": self.student_groups,
            "group-sync": self.group_sync,
            "course-creators": self.course_creators.groups,
        }
        return [name for name, groups in patterns.items() if groups]
