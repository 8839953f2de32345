"""Who is measured: ngshare-fs as its users start it, ngshare 0.6.0 stand-alone, and the floors."""

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import launch, ngshare_data, our_data, slow_flush, usage
from bench.bodies import as_tree, checksums
from bench.cgroup import Cgroup
from bench.client import Address
from bench.launch import ROOT
from bench.sample import Sample
from tests.others.ngshare_reference import running_ngshare
from tests.servers import Server, running

START_SECONDS = 30
FLUSH_DELAY_MILLISECONDS = 5


@dataclass
class Running:
    """A rival that serves.

    Args:
        stores: whether what it acknowledges can be had back.
        behind_hub: whether clients say by a token who they are.
    """

    rival: str
    url: str
    pid: int
    stores: bool
    behind_hub: bool

    @property
    def address(self) -> Address:
        """Where clients find it."""
        return Address(self.url, self.behind_hub)

    @contextmanager
    def using(self, figures: dict[str, float]) -> Iterator[None]:
        """Add to `figures` what the server uses meanwhile: processor time and peak memory."""
        usage.forget_peak(self.pid)
        before, idle = usage.cpu_seconds(self.pid), usage.peak(self.pid)
        yield
        figures["cpu seconds"] = usage.cpu_seconds(self.pid) - before
        figures["peak MiB"] = usage.peak(self.pid)
        figures["peak above idle MiB"] = usage.peak(self.pid) - idle


class Rival:
    """One that is measured.

    Args:
        key: what the command calls it.
        title: what tables call it.
    """

    stores = True
    behind_hub = False

    def __init__(self, key: str, title: str) -> None:
        self.key, self.title = key, title

    def prepare(self, folder: Path, sample: Sample) -> None:
        """Put a sample into a new folder."""
        raise NotImplementedError

    def serving(self, folder: Path, options: Sequence[str], inside: Cgroup | None) -> Iterator[Server]:
        """Start it on a folder, and stop it at the end."""
        raise NotImplementedError

    @contextmanager
    def running(self, folder: Path, *options: str, inside: Cgroup | None = None) -> Iterator[Running]:
        """Start it on a folder that `prepare` made.

        Args:
            options: for ngshare-fs alone.
            inside: where all its processes are to be; only for those behind a hub.
        """
        with contextmanager(self.serving)(folder, options, inside) as server:
            yield Running(self.key, server.url, server.process.pid, self.stores, self.behind_hub)


class Ours(Rival):
    """ngshare-fs of this checkout.

    Args:
        slow: whether each flush of the disk is to take longer.
        options: of its command.
    """

    def __init__(self, key: str, title: str, workers: int = 1, slow: bool = False, options: Sequence[str] = ()) -> None:
        super().__init__(key, title)
        self._workers, self._slow, self._options = workers, slow, options

    def prepare(self, folder: Path, sample: Sample) -> None:
        folder.mkdir()
        our_data.write(folder / "data", sample)

    def serving(self, folder: Path, options: Sequence[str], inside: Cgroup | None) -> Iterator[Server]:
        environment = {"PYTHONPATH": str(ROOT)}
        if self._slow:
            environment |= slow_flush.environment(FLUSH_DELAY_MILLISECONDS)
        words = ("--workers", str(self._workers), *self._options, *options)
        with running(folder / "data", *words, **environment) as server:
            _wait_for_workers(server, self._workers)
            yield server


class OursAsDeployed(Ours):
    """ngshare-fs as a hub's service."""

    behind_hub = True

    def serving(self, folder: Path, options: Sequence[str], inside: Cgroup | None) -> Iterator[Server]:
        with (
            launch.hub(folder) as hub_url,
            launch.our_service(folder, hub_url, self._workers, options, inside) as server,
        ):
            _wait_for_workers(server, self._workers)
            yield server


class Ngshare(Rival):
    """ngshare 0.6.0."""

    def prepare(self, folder: Path, sample: Sample) -> None:
        empty = folder.with_name("ngshare-empty")
        if not (empty / "ngshare.db").exists():
            ngshare_data.make_empty(empty)
        ngshare_data.write(folder, sample, empty / "ngshare.db")

    def serving(self, folder: Path, options: Sequence[str], inside: Cgroup | None) -> Iterator[Server]:
        with running_ngshare(folder, "--vngshare") as server:
            yield server


class NgshareAsDeployed(Ngshare):
    """ngshare 0.6.0 as a hub's service."""

    behind_hub = True

    def serving(self, folder: Path, options: Sequence[str], inside: Cgroup | None) -> Iterator[Server]:
        with launch.hub(folder) as hub_url, launch.ngshare_service(folder, hub_url, inside) as server:
            yield server


class FloorRival(Rival):
    """A handler that does less than what is asked for."""

    stores = False

    def __init__(self, key: str, title: str, behind_hub: bool = False) -> None:
        super().__init__(key, title)
        self.behind_hub = behind_hub

    def prepare(self, folder: Path, sample: Sample) -> None:
        folder.mkdir()
        released = dict(sample.courses[0].released)
        tree = json.loads(as_tree(released))
        for file in tree:
            file["checksum"] = checksums(released)[file["path"]]
        said = {"success": True, "timestamp": "2020-01-30 10:30:00.000000 UTC", "files": tree}
        (folder / "answer.json").write_text(json.dumps(said))

    def serving(self, folder: Path, options: Sequence[str], inside: Cgroup | None) -> Iterator[Server]:
        command = [sys.executable, "-m", "bench.floors", self.key, str(folder / "answer.json")]
        with launch.started(command, folder / "log") as server:
            server.url += "/api/"
            yield server


RIVALS: dict[str, Rival] = {
    rival.key: rival
    for rival in (
        Ngshare("ngshare", "ngshare 0.6.0"),
        Ours("ours", "ngshare-fs"),
        Ours("ours-without-journal", "ngshare-fs --no-journal", options=("--no-journal",)),
        NgshareAsDeployed("ngshare-as-deployed", "ngshare 0.6.0 as deployed"),
        OursAsDeployed("ours-as-deployed", "ngshare-fs as deployed"),
        Ours("ours-2", "ngshare-fs, 2 workers", workers=2),
        Ours("ours-slow", "ngshare-fs, slow disk", slow=True),
        Ours("ours-2-slow", "ngshare-fs, 2 workers, slow disk", workers=2, slow=True),
        FloorRival("read", "floor: read"),
        FloorRival("decode", "floor: read and decode"),
        FloorRival("decode-multipart", "floor: read and decode, as the plug-ins send it", behind_hub=True),
        FloorRival("static", "floor: ready-made file"),
    )
}


def _wait_for_workers(server: Server, workers: int) -> None:
    """A worker that is still importing would take processor time from those that serve."""
    deadline = time.monotonic() + START_SECONDS
    if workers == 1:
        return
    while time.monotonic() < deadline:
        before = usage.cpu_seconds(server.process.pid)
        time.sleep(0.3)
        if len(usage.family(server.process.pid)) > workers and usage.cpu_seconds(server.process.pid) - before < 0.05:
            return
    raise AssertionError(f"{workers} workers did not start:\n{server.log}")


def python_of_this_bench() -> dict[str, str]:
    """Where and with what this runs, for the record."""
    import platform

    return {
        "python": platform.python_version(),
        "kernel": platform.release(),
        "cores": str(os.cpu_count()),
        "flush delay": f"{FLUSH_DELAY_MILLISECONDS} ms",
    }
