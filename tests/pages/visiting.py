"""A visit of a page without a server, for what it reads."""

from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

from multidict import MultiDict

from ngshare_fs.access import permission
from ngshare_fs.access.groups import NO_GROUPS
from ngshare_fs.access.identity import Caller
from ngshare_fs.access.permission import Asking
from ngshare_fs.settings import Settings
from ngshare_fs.store import Volume
from ngshare_fs.store.dates import now
from ngshare_fs.web.frame.download import Download
from ngshare_fs.web.frame.page import Page
from ngshare_fs.web.frame.visit import Visit

SERVER = "http://127.0.0.1/api/"


def visit(
    declared: Page | Download,
    volume: Volume,
    user: str,
    names: Mapping[str, str],
    query: Mapping[str, str] | None = None,
    at: datetime | None = None,
    language: str = "en",
    **settings: Any,
) -> Visit:
    """Somebody looks at a page; the checks are made.

    Args:
        settings: those of the server that the page asks for.
    """
    chosen = {"trash_days": 90, "quota_volume": 0, "quota_course": 0, "quota_student": 0, **settings}
    asking = Asking(volume, user, False, False, NO_GROUPS, names)
    people = permission.check(asking, declared.conditions)
    caller = cast(Caller, SimpleNamespace(name=user, is_admin=False, groups=NO_GROUPS, creates_courses=False))
    of_server = cast(Settings, SimpleNamespace(**chosen))
    return Visit(
        asking, declared.conditions, caller, people, MultiDict(query or {}), at or now(), of_server, SERVER, language
    )
