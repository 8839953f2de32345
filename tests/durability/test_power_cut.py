"""Nothing acknowledged is lost in a power cut: the real server on disks whose past can be had back.

What a power cut leaves is said in `disks.py`. A cut at the very moment of an acknowledgement is the hardest one, since
nothing that happens later can make up for a flush that is missing; so those moments are taken, too.
"""

import os
import random
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.writing.flushers import flush_file, flush_folder
from tests.durability.disks import (
    BTRFS,
    EXT4,
    PATIENCE,
    XFS,
    FileSystem,
    RecordedDisk,
    copy_image,
    mounted,
    recorded_disk,
    shut_down,
    skip_unless_possible,
    sync_file_system,
    unmount,
)
from tests.durability.history import History
from tests.durability.load import load, one_of_each, prepare
from tests.durability.servers import NO_FLUSH, preloaded, probe, serving
from tests.rounds import rounds
from tests.waiting import until

pytestmark = pytest.mark.durability
in_the_long_check = partial(pytest.param, marks=pytest.mark.long)
on_each_file_system = pytest.mark.parametrize("file_system", [EXT4, in_the_long_check(XFS)], ids=str)
with_one_worker_and_several = pytest.mark.parametrize("workers", [in_the_long_check(1), 2])
LOAD_SECONDS = min(rounds(3), 3)
WRITES_UNDER_LOAD = rounds(150, least=60)
CUTS_UNDER_LOAD = rounds(6, least=4)
CUTS_IN_BETWEEN = rounds(6)
DEATHS = rounds(4)


def lost_in_a_cut(disk: RecordedDisk, history: History, moment: int, kept: float, folder: Path) -> list[str]:
    """Cut the power, mount what is left, serve it, and see what is lost or damaged.

    Args:
        kept: how much of what was not flushed is there, see `RecordedDisk.after_power_cut`.
    """
    # A fresh file each time: a loop device that still goes from the last one would be taken again, old blocks and all.
    image = folder / f"image {secrets.token_hex(4)}"
    disk.after_power_cut(moment, kept, random.Random(moment), image)
    with removed_at_the_end(image), mounted(image, folder / "after the cut", disk.file_system.mount_options) as place:
        problems = [str(finding) for finding in verify_volume(place / "data")]
        with serving(place / "data", folder / "log after the cut") as server:
            problems += history.lost(server.url, moment)
        problems += [f"afterwards {finding}" for finding in verify_volume(place / "data")]
    return [f"moment {moment}, kept {kept}: {problem}" for problem in problems]


@pytest.mark.parametrize("file_system", [EXT4, in_the_long_check(XFS), in_the_long_check(BTRFS)], ids=str)
def test_each_kind_of_write_is_on_the_disk_when_it_is_acknowledged(file_system: FileSystem, tmp_path: Path) -> None:
    """And before that, wholly or not at all."""
    with recorded_disk(file_system, tmp_path / "disk") as disk:
        history = History(disk.now)
        with serving(disk.place / "data", tmp_path / "log") as server:
            prepare(server.url, history)
            prepared = disk.now()
            one_of_each(server.url, history)
    lost = []
    for write in history.acknowledged:
        assert write.acknowledged
        if write.acknowledged > prepared:
            found = lost_in_a_cut(disk, history, write.acknowledged, 0, tmp_path)
            lost += [f"after {write.kind}: {problem}" for problem in found]
    chance = random.Random(f"{file_system}, one write at a time")
    for _ in range(CUTS_IN_BETWEEN):
        moment = chance.randrange(prepared, disk.now())
        lost += lost_in_a_cut(disk, history, moment, chance.random(), tmp_path)
    assert lost == []


@contextmanager
def removed_at_the_end(image: Path) -> Iterator[None]:
    """Many images would fill the disk that the tests run on."""
    try:
        yield
    finally:
        image.unlink()


@on_each_file_system
@with_one_worker_and_several
def test_under_load_nothing_acknowledged_is_lost(file_system: FileSystem, workers: int, tmp_path: Path) -> None:
    with recorded_disk(file_system, tmp_path / "disk") as disk:
        history = History(disk.now)
        with serving(disk.place / "data", tmp_path / "log", workers) as server:
            prepare(server.url, history)
            wanted = len(history.acknowledged) + WRITES_UNDER_LOAD
            with load(server.url, history):
                until(lambda: len(history.acknowledged) >= wanted or history.refused, f"write {wanted}")
    assert history.refused == []
    lost = []
    for moment, kept in some_moments(history, random.Random(f"{file_system}, {workers} workers")):
        lost += lost_in_a_cut(disk, history, moment, kept, tmp_path)
    assert lost == []


def some_moments(history: History, chance: random.Random) -> list[tuple[int, float]]:
    """Moments under load, and how much of what was not flushed is there: acknowledgements and what lies between."""
    acknowledged = [write.acknowledged for write in history.acknowledged if write.acknowledged]
    first, last = acknowledged[len(acknowledged) // 3], acknowledged[-1]
    tight = chance.sample([moment for moment in acknowledged if moment > first], CUTS_UNDER_LOAD - 2)
    in_between = [(chance.randrange(first, last), kept) for kept in (chance.uniform(0.1, 0.9), 1)]
    return [*((moment, 0) for moment in tight), *in_between]


@on_each_file_system
def test_a_server_that_does_not_flush_is_caught(file_system: FileSystem, tmp_path: Path) -> None:
    """Not a promise of the server's: it shows that the experiments above can see a loss."""
    no_flushes = preloaded(NO_FLUSH, tmp_path)
    with recorded_disk(file_system, tmp_path / "disk") as disk:
        # Two histories: the disk is the clock, and where nothing is flushed, it stands still.
        flushed, dirty = History(disk.now), History(disk.now)
        with serving(disk.place / "data", tmp_path / "log") as server:
            prepare(server.url, flushed)
        sync_file_system(disk.place)
        prepared = disk.now()
        with serving(disk.place / "data", tmp_path / "log", environment=no_flushes) as server:
            one_of_each(server.url, dirty)
            end = disk.now()
    assert lost_in_a_cut(disk, flushed, prepared, 0, tmp_path) == []
    assert lost_in_a_cut(disk, dirty, end, 0, tmp_path) != []


@contextmanager
def plain_disk(file_system: FileSystem, folder: Path) -> Iterator[tuple[Path, Path]]:
    """A mounted disk without a history; gives its image and where it is."""
    skip_unless_possible(file_system)
    image = folder / "image"
    file_system.make(image)
    with mounted(image, folder / "mounted", file_system.mount_options) as place:
        yield image, place


@on_each_file_system
@with_one_worker_and_several
def test_on_a_dying_file_system_nothing_is_acknowledged_in_vain(
    file_system: FileSystem, workers: int, tmp_path: Path
) -> None:
    chance = random.Random(f"{file_system}, {workers} workers, dying")
    # The moment that matters is short, between a rename and its flush: so more than once.
    for number in range(DEATHS):
        folder = tmp_path / str(number)
        folder.mkdir()
        let_a_file_system_die(file_system, workers, chance.uniform(0.1, LOAD_SECONDS / 4), folder)


def let_a_file_system_die(file_system: FileSystem, workers: int, after_seconds: float, folder: Path) -> None:
    """Let it die under load, mount it again, and see whether everything acknowledged is there."""
    with plain_disk(file_system, folder) as (image, place):
        history = History(time.monotonic_ns)
        with serving(place / "data", folder / "log", workers) as server:
            prepare(server.url, history)
            with load(server.url, history) as clients:
                time.sleep(after_seconds)
                shut_down(place)
                clients.wait_until_worn_out(PATIENCE)
            check_refusals(history)
            assert probe(server, "healthz").status == 200
            ready = probe(server, "readyz")
            assert (ready.status, ready.body["success"]) == (503, False)
            assert server.process.poll() is None
            assert server.stop() == 0
        unmount(place)
    # A copy, for what is dead may be kept alive: by whoever made a mount namespace of his own in the meantime, say.
    copy_image(image, folder / "image mounted again")
    with mounted(folder / "image mounted again", folder / "mounted again", file_system.mount_options) as place:
        with serving(place / "data", folder / "log") as server:
            assert history.lost(server.url) == []
        assert list(verify_volume(place / "data")) == []


@on_each_file_system
@pytest.mark.parametrize("flush", [flush_folder, flush_file])
def test_a_flush_that_meets_a_dead_file_system_fails(
    file_system: FileSystem, flush: Callable[[str], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself, `fsync` of a folder reports success on an xfs that died between a rename and the flush."""
    real_fsync = os.fsync

    def fsync_of_the_dead(descriptor: int) -> None:
        shut_down(place)
        real_fsync(descriptor)

    with plain_disk(file_system, tmp_path) as (_, place):
        (place / "folder").mkdir()
        (place / "staged").write_text("work")
        sync_file_system(place)
        (place / "staged").rename(place / "folder/published")
        monkeypatch.setattr(os, "fsync", fsync_of_the_dead)
        with pytest.raises(OSError, match="Input/output error"):
            flush(str(place / ("folder" if flush is flush_folder else "folder/published")))


@on_each_file_system
def test_what_a_failing_disk_swallowed_was_not_acknowledged(file_system: FileSystem, tmp_path: Path) -> None:
    """The disk fails for a while and then works again: a flush that is tried again would succeed for nothing."""
    with recorded_disk(file_system, tmp_path / "disk") as disk:
        history = History(disk.now)
        with serving(disk.place / "data", tmp_path / "log") as server:
            prepare(server.url, history)
            with load(server.url, history) as clients:
                time.sleep(LOAD_SECONDS / 3)
                with disk.failing():
                    time.sleep(LOAD_SECONDS / 10)
                # Both file systems give up for good: what was refused once is refused from now on.
                clients.wait_until_worn_out(PATIENCE)
            check_refusals(history)
            assert probe(server, "healthz").status == 200
            assert probe(server, "readyz").status == 503
            end = disk.now()
    assert lost_in_a_cut(disk, history, end, 0, tmp_path) == []


def check_refusals(history: History) -> None:
    """The disk's failures were answered as such."""
    assert history.refused != []
    answers = {(answer.status, answer.body["message"], answer.headers.get("Retry-After")) for answer in history.refused}
    assert answers <= {(503, "Storage failure", "30"), (503, "Storage is read-only", "30")}
