"""A copy that is taken while people hand in restores, verifies and serves, with all that was acknowledged before it.

The commands are those of docs/operators.md.
"""

import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ngshare_fs.store.checking.verify import verify_volume
from tests.durability import on_disk, through_api
from tests.durability.record import History
from tests.durability.workload import Workload
from tests.servers import running
from tests.waiting import until

PATIENCE = 120
# In flight, and before the copy begins: enough for every kind of write.
WRITES = 150


def by_rsync(data: Path, folder: Path) -> Callable[[], Path]:
    backup = folder / "backup"

    def copy() -> Path:
        # Twice, as every night: the second one goes over the first.
        for _ in range(2):
            run("rsync", "-a", "--delete", "--exclude=/.ngshare", "--exclude=/lost+found", f"{data}/", f"{backup}/")
        return backup

    return copy


def by_tar(data: Path, folder: Path) -> Callable[[], Path]:
    def copy() -> Path:
        archive, restored = folder / "backup.tar", folder / "restored"
        run("tar", "-C", str(data), "--exclude=./.ngshare", "-cf", str(archive), ".")
        restored.mkdir()
        run("tar", "-C", str(restored), "-xf", str(archive))
        return restored

    return copy


def by_restic(data: Path, folder: Path) -> Callable[[], Path]:
    repository = ("restic", "--quiet", "--repo", str(folder / "repository"), "--cache-dir", str(folder / "cache"))
    run(*repository, "init")

    def copy() -> Path:
        run(*repository, "backup", str(data), "--exclude", str(data / ".ngshare"))
        run(*repository, "check", "--read-data")
        run(*repository, "restore", "latest", "--target", str(folder / "restored"))
        return Path(f"{folder / 'restored'}{data}")

    return copy


def run(*command: str) -> None:
    """Run a command. Files that grow meanwhile, such as the journal's, are no failure of `tar`."""
    environment = {**os.environ, "RESTIC_PASSWORD": "for the test"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment)
    assert done.returncode == 0 or (command[0] == "tar" and done.returncode == 1), done.stderr


@pytest.mark.parametrize(
    "prepared",
    [by_rsync, pytest.param(by_tar, marks=pytest.mark.long), pytest.param(by_restic, marks=pytest.mark.long)],
)
def test_a_copy_taken_under_load_is_a_volume(
    prepared: Callable[[Path, Path], Callable[[], Path]], tmp_path: Path
) -> None:
    tool = prepared.__name__.removeprefix("by_")
    if not shutil.which(tool):
        pytest.skip(f"{tool} is missing: apt-get install {tool}")
    chance = random.Random(tool)
    workload = Workload(chance.randrange(10**6), deletes=False)
    history = workload.history
    copy = prepared(tmp_path / "data", tmp_path)
    with running(tmp_path / "data") as server:
        workload.prepare(server.url)
        with workload.running(server.url):
            until(lambda: history.acknowledged() >= WRITES or workload.problems, "some writes before it")
            began = time.monotonic()
            backup = copy()
            ended = time.monotonic()
            written = history.acknowledged()
            until(lambda: history.acknowledged() > written or workload.problems, "a write after it")
    assert workload.problems == []
    assert [str(finding) for finding in verify_volume(backup)] == []
    found = on_disk.look(backup, history.model(before=began, after=ended))
    assert found.findings == []
    settle(history, began, found)
    with running(backup) as server:
        assert through_api.check(server.url, history.model(), set(), chance, -1) == []


def settle(history: History, began: float, found: on_disk.Look) -> None:
    """From now on, what was under way or came later is in the copy or not, as it was found."""
    for write in history.writes:
        if not write.is_done(began):
            write.landed = write.number in found.landed
            write.timestamp = found.landed.get(write.number, write.timestamp)
