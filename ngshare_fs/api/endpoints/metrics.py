"""`/metrics`: what all processes of this server have counted, and what the volume has, in Prometheus' text format.

At the root of the server, and only there: JupyterHub's proxy forwards what is below the prefix.
"""

import asyncio
import os
import platform
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from ngshare_fs import __version__, metrics
from ngshare_fs.http.mere_look import MERE_LOOK
from ngshare_fs.metrics import process_figures
from ngshare_fs.metrics.counting import SUM
from ngshare_fs.metrics.table import METRICS, Kind, full_name
from ngshare_fs.store import Volume
from ngshare_fs.store.checking.findings import FINDINGS
from ngshare_fs.store.upkeep.last_runs import LastRuns, last_runs

PATH = "/metrics"
# Less than what Prometheus gives a scrape, ten seconds: that the volume does not answer is worth knowing, too.
LOOK_SECONDS = 5.0
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Key = tuple[str, ...]


@dataclass(frozen=True)
class Space:
    """What the volume's file system has, each of bytes or inodes, by `total`, `free` (for this user) and `used`."""

    bytes: Mapping[str, int]
    inodes: Mapping[str, int]


@dataclass(frozen=True)
class VolumeState:
    """What a look at the volume gave; nothing where it did not answer.

    Args:
        space: what its file system has.
        is_writable: whether it can be written to.
        last_runs: when it was checked and backed up.
    """

    space: Space | None = None
    is_writable: bool = False
    last_runs: LastRuns | None = None


class VolumeLook:
    """Looks at the volume, in a thread of its own, and never twice at the same time: a dead disk may take for ever.

    Args:
        volume: at which.
    """

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="metrics")
        self._look: asyncio.Future[VolumeState] | None = None

    async def look(self) -> VolumeState:
        """Look now."""
        if self._look is None or self._look.done():
            self._look = asyncio.get_running_loop().run_in_executor(self._thread, self._now)
        try:
            return await asyncio.wait_for(asyncio.shield(self._look), LOOK_SECONDS)
        except asyncio.TimeoutError:
            return VolumeState()

    def close(self) -> None:
        """Let go of the thread."""
        self._thread.shutdown(wait=False)

    def _now(self) -> VolumeState:
        try:
            found = os.statvfs(self._volume.root)
        except OSError:
            return VolumeState()
        unit = found.f_frsize
        in_bytes = {"total": found.f_blocks * unit, "free": found.f_bavail * unit}
        in_bytes["used"] = (found.f_blocks - found.f_bfree) * unit
        inodes = {"total": found.f_files, "free": found.f_favail, "used": found.f_files - found.f_ffree}
        return VolumeState(Space(in_bytes, inodes), self._volume.ready() is None, last_runs(self._volume))


def add_route(application: web.Application, volume: Volume) -> None:
    """Answer there."""
    volume_look = VolumeLook(volume)

    async def answer(request: web.Request) -> web.Response:
        request[MERE_LOOK] = True
        content = await asyncio.to_thread(text, await volume_look.look())
        return web.Response(body=content, headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})

    async def close(_: web.Application) -> None:
        volume_look.close()

    application.router.add_get(PATH, answer)
    application.on_cleanup.append(close)


def text(volume: VolumeState) -> bytes:
    """What is answered.

    Args:
        volume: as it was just found.
    """
    metrics.count_processor_time()
    registry = CollectorRegistry()
    of_processes = process_figures.figures_of(metrics.processes())
    families = [*_counted(metrics.collect()), *_of_processes(of_processes), *_looked_at(volume)]
    registry.register(_Families(families))
    return generate_latest(registry)


class _Families(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _counted(values: Mapping[Key, float]) -> Iterable[Metric]:
    """A family for each metric of the table that has been counted."""
    by_name: dict[str, dict[Key, float]] = defaultdict(dict)
    for key, value in values.items():
        by_name[key[0]][key[1:]] = value
    for name, metric in METRICS.items():
        found = by_name.get(name, {})
        if metric.kind is Kind.HISTOGRAM:
            yield _histogram(name, found)
        elif metric.kind is Kind.COUNTER:
            family = CounterMetricFamily(full_name(name), metric.help, labels=metric.labels)
            # What has no labels is 0 from the start: an alert on its rise would miss the first one otherwise.
            for labels, value in (found or ({} if metric.labels else {(): 0.0})).items():
                family.add_metric(labels, value)
            yield family
        else:
            gauge = GaugeMetricFamily(full_name(name), metric.help, labels=metric.labels)
            for labels, value in found.items():
                gauge.add_metric(labels, value)
            yield gauge
    answered = by_name["hub_last_answer_timestamp_seconds"].get((), 0.0)
    failed = by_name["hub_last_failure_timestamp_seconds"].get((), 0.0)
    if answered or failed:
        yield _gauge("hub_up", "Whether the last call to the hub was answered", {(): float(answered >= failed)})


def _histogram(name: str, found: Mapping[Key, float]) -> HistogramMetricFamily:
    metric = METRICS[name]
    limits = [*map(str, metric.buckets), "+Inf"]
    family = HistogramMetricFamily(full_name(name), metric.help, labels=metric.labels)
    for labels in sorted({key[:-1] for key in found}):
        total, buckets = 0.0, []
        for number, limit in enumerate(limits):
            total += found.get((*labels, str(number)), 0.0)
            buckets.append((limit, total))
        family.add_metric(labels, buckets, found.get((*labels, SUM), 0.0))
    return family


def _of_processes(by_name: Mapping[str, Mapping[str, float]]) -> Iterable[Metric]:
    for name, help_text in (
        (process_figures.RESIDENT, "Resident memory, summed; what processes share counts for each"),
        (process_figures.OPEN_FILES, "Open files and connections, summed"),
        (process_figures.STARTED, "When the first of these processes started"),
    ):
        yield _gauge(name, help_text, {(role,): value for role, value in by_name[name].items()}, ("role",))


def _looked_at(volume: VolumeState) -> Iterable[Metric]:
    """What is known without having been counted."""
    build: Key = (__version__, platform.python_version())
    yield _gauge("build_info", "The version that serves", {build: 1.0}, ("version", "python"))
    yield _gauge("scrape_timestamp_seconds", "The server's clock", {(): time.time()})
    help_text = "Whether the volume answers, and a file can be written to it"
    yield _gauge("volume_writable", help_text, {(): float(volume.is_writable)})
    if volume.space is not None:
        yield _by_state("volume_bytes", "Of the volume's file system", volume.space.bytes)
        yield _by_state("volume_inodes", "Of the volume's file system; 0 where it has no limit", volume.space.inodes)
    if volume.last_runs is not None:
        yield from _last_runs(volume.last_runs)


def _last_runs(runs: LastRuns) -> Iterator[Metric]:
    if runs.verified is not None:
        help_text = "When `ngshare-fs verify` checked the whole volume for the last time"
        yield _gauge("verify_last_run_timestamp_seconds", help_text, {(): runs.verified})
        # Each code that there is, so that a finding is a rise; what a newer program calls otherwise is one more.
        found = {code: 0.0 for code, defect in FINDINGS.items() if not defect.is_note}
        for code, number in runs.findings.items():
            known = code if code in found else "other"
            found[known] = found.get(known, 0.0) + number
        of_codes: dict[Key, float] = {(code,): number for code, number in found.items()}
        yield _gauge("verify_findings", "What it found", of_codes, ("code",))
    if runs.backed_up is not None:
        help_text = "When `.ngshare/last-backup` was touched"
        yield _gauge("backup_last_success_timestamp_seconds", help_text, {(): runs.backed_up})


def _by_state(name: str, help_text: str, values: Mapping[str, int]) -> GaugeMetricFamily:
    return _gauge(name, help_text, {(state,): float(value) for state, value in values.items()}, ("state",))


def _gauge(name: str, help_text: str, values: Mapping[Key, float], labels: Key = ()) -> GaugeMetricFamily:
    family = GaugeMetricFamily(full_name(name), help_text, labels=labels)
    for of_labels, value in values.items():
        family.add_metric(of_labels, value)
    return family
