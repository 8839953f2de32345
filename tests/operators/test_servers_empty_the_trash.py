"""Servers remove for good what has been in the trash for long: one of all that share a volume, beside the requests."""

import asyncio
import os
import shutil
import threading
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ngshare_fs.server import worker
from ngshare_fs.server.signals import Shutdown
from ngshare_fs.settings import Settings
from ngshare_fs.store import Volume, assignment
from ngshare_fs.store.format import timestamp
from ngshare_fs.store.upkeep import restoring
from ngshare_fs.store.upkeep.emptying import empty
from ngshare_fs.store.upkeep.trash_entries import entries_in
from tests import servers
from tests.durability.calls import call
from tests.rounds import rounds
from tests.verifying import codes
from tests.volumes import ASSIGNMENT, COURSE, INSTRUCTOR, Plain, write_deletion
from tests.waiting import until

MANY = 3000


@pytest.fixture
def plain(tmp_path: Path) -> Plain:
    plain = Plain(tmp_path / "data")
    shutil.rmtree(plain.deletion)
    return plain


def thrown_away(plain: Plain, days: float, number: int) -> Path:
    moment = timestamp.ago(timedelta(days=days))
    said = {"kind": "assignment", "course": COURSE, "assignment": "old", "by": INSTRUCTOR, "timestamp": moment}
    entry = write_deletion(plain.root, said, f"{number:08x}")
    shutil.copytree(plain.assignment, entry / "old")
    return entry


def staged(plain: Plain) -> list[str]:
    folder = plain.root / ".ngshare/staging"
    return [name for name in os.listdir(folder) if not name.startswith("process-")]


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.long)])
def test_one_of_several_servers_removes_what_is_past_its_days(workers: str, plain: Plain, tmp_path: Path) -> None:
    old = [thrown_away(plain, 31 + number, number) for number in range(4)]
    young = thrown_away(plain, 29, 9)
    words = ("--trash-days", "30")
    with ExitStack() as stack:
        running = [
            stack.enter_context(servers.running(plain.root, *words, "--workers", workers)),
        ]
        second = servers.start(plain.root, tmp_path / "second.log", *words)
        stack.callback(second.stop)
        running.append(second)
        until(lambda: not any(entry.exists() for entry in old), "old entries are gone", lambda: running[0].log)
        until(lambda: staged(plain) == [], "nothing is left of them")
        for server in running:
            assert call(server, "GET", "assignments", COURSE)["assignments"] == [ASSIGNMENT]
    logs = "".join(server.log for server in running)
    for entry in old:
        assert logs.count(f"emptied the trash of assignment {entry.name} ['{COURSE}', 'old']") == 1
    assert young.is_dir()
    assert codes(plain.root) == []
    lines = "".join(file.read_text() for file in plain.root.rglob("*.jsonl"))
    assert lines.count('"what": "empty-trash"') == len(old)


@pytest.mark.long
def test_zero_days_keep_it_for_ever(plain: Plain) -> None:
    old = thrown_away(plain, 10_000, 1)
    with servers.running(plain.root, "--trash-days", "0") as server:
        call(server, "GET", "courses")
    assert old.is_dir()
    assert "emptied" not in server.log


@pytest.mark.parametrize("days", [0, 1])
async def test_a_server_that_keeps_it_for_ever_does_not_look(days: int, settings: Settings) -> None:
    volume = Volume.open(settings.data)
    tasks = worker._beside_serving(replace(settings, trash_days=days), None, Shutdown(), volume)
    assert len(tasks) == days
    for task in tasks:
        task.cancel()
        await asyncio.wait([task])
    volume.close()


def test_a_server_that_is_killed_leaves_no_half_of_an_entry(plain: Plain, tmp_path: Path) -> None:
    old = thrown_away(plain, 1000, 1)
    files = old / "old/releases" / os.listdir(old / "old/releases")[0] / "files"
    for number in range(MANY):
        (files / str(number)).touch()
    server = servers.start(plain.root, tmp_path / "first.log", own_group=True)
    until(lambda: not old.exists(), "it leaves the trash", lambda: server.log)
    server.kill()
    assert not old.exists()
    with servers.running(plain.root):
        until(lambda: staged(plain) == [], "what was left of it is swept")
    assert codes(plain.root) == []


@pytest.mark.long
def test_a_stop_does_not_wait_for_what_is_being_removed(plain: Plain, tmp_path: Path) -> None:
    old = thrown_away(plain, 1000, 1)
    for number in range(MANY):
        (old / "old" / str(number)).touch()
    server = servers.start(plain.root, tmp_path / "first.log")
    until(lambda: not old.exists(), "it leaves the trash", lambda: server.log)
    assert server.stop() == 0
    assert "stopped" in server.log
    assert "without an end" not in server.log
    assert "Traceback" not in server.log


@pytest.mark.durability
def test_what_is_restored_and_emptied_at_once_is_wholly_there_or_wholly_gone(plain: Plain) -> None:
    volume, other = Volume.open(plain.root), Volume.open(plain.root)
    outcomes = set()
    template = plain.root.with_name("template")
    shutil.copytree(plain.assignment, template)
    whole = sorted(path.relative_to(template) for path in template.rglob("*"))
    for _ in range(rounds(80)):
        assignment.delete(volume, COURSE, ASSIGNMENT, "root")
        (entry,) = list(entries_in(volume))
        planned = restoring.plan(volume, entry)
        start = threading.Barrier(2)

        def emptying() -> None:
            start.wait()  # noqa: B023
            empty(other, timedelta(0), lambda entry: None)

        thread = threading.Thread(target=emptying)
        thread.start()
        start.wait()
        try:
            restoring.restore(volume, planned)
            outcomes.add("restored")
            assert sorted(path.relative_to(plain.assignment) for path in plain.assignment.rglob("*")) == whole
        except restoring.CannotRestore:
            outcomes.add("emptied")
            assert not plain.assignment.exists()
            shutil.copytree(template, plain.assignment)
        finally:
            thread.join()
        for left in entries_in(volume):
            assert left.is_empty
            shutil.rmtree(left.path)
    assert outcomes
    volume.close()
    other.close()
    assert codes(plain.root) == []
