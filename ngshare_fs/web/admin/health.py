"""Whether all is well: what `doctor` looks at, as far as a running server can; the last check, the last backup."""

import asyncio
import platform
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ngshare_fs import __version__, metrics
from ngshare_fs.access.checkup import look_at_who_comes
from ngshare_fs.access.permission import Who
from ngshare_fs.check_result import CheckResult
from ngshare_fs.hub import HubClient
from ngshare_fs.settings import Settings
from ngshare_fs.store.checking.findings import FINDINGS
from ngshare_fs.store.checking.volume_check import look_at_volume
from ngshare_fs.store.upkeep.last_runs import last_runs
from ngshare_fs.web.admin.courses import COURSES
from ngshare_fs.web.frame.page import Page
from ngshare_fs.web.frame.visit import Visit

# Less than a browser waits: that the hub does not answer is what one comes here to see.
HUB_SECONDS = 8.0
STATES = {True: "ok", False: "wrong", None: "unknown"}


def read(visit: Visit) -> Mapping[str, Any]:
    """Look at everything, now."""
    results = [*look_at_volume(Path(visit.volume.root)), *look_at_hub_now(visit.settings)]
    runs = last_runs(visit.volume)
    counted = metrics.collect() if metrics.started() else {}
    return {
        "results": [(STATES[each.ok], each) for each in results],
        "wrong": sum(each.ok is False for each in results),
        "has_hub": visit.settings.hub is not None,
        "verified": _time_of(runs.verified),
        "findings": [(code, number, _meaning(code)) for code, number in sorted(runs.findings.items())],
        "backed_up": _time_of(runs.backed_up),
        "version": __version__,
        "python": platform.python_version(),
        "has_metrics": metrics.started(),
        "processes": sorted(Counter(role for role, _ in metrics.processes()).items()),
        "restarts": _sum(counted, "worker_restarts_total"),
        "lock_timeouts": _sum(counted, "lock_timeouts_total"),
        "locks_lost": _sum(counted, "locks_lost_total"),
        "workers": visit.settings.workers,
    }


def look_at_hub_now(settings: Settings) -> list[CheckResult]:
    """The hub, asked anew: what was last heard of it says nothing of now."""
    if settings.hub is None:
        return []
    try:
        return asyncio.run(asyncio.wait_for(_look_at_hub(settings), HUB_SECONDS))
    except asyncio.TimeoutError:
        return [CheckResult("hub", False, f"no answer within {HUB_SECONDS:.0f} s", "is it running, or busy?")]


async def _look_at_hub(settings: Settings) -> list[CheckResult]:
    assert settings.hub is not None
    client = HubClient(settings.hub)
    try:
        return await look_at_who_comes(client, settings.hub, settings)
    finally:
        await client.close()


def _meaning(code: str) -> str:
    defect = FINDINGS.get(code)
    return "" if defect is None else defect.meaning


def _sum(counted: Mapping[tuple[str, ...], float], name: str) -> int:
    return round(sum(value for key, value in counted.items() if key[0] == name))


def _time_of(seconds: float | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None  # a file that says it is from a year that no calendar has


HEALTH = Page("pages/admin-health", Who.ADMIN, "admin_health", read, under=COURSES, in_menu=True)
