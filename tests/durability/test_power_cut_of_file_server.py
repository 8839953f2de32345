"""The file server that a volume lies on loses its power: what was acknowledged is there, if NFS exports it with `sync`.

The NFS server and the machine that our server runs on are one guest. The NFS server's disk keeps its history, so it can
be had as a power cut at any moment of it would have left it. That the machine with our server would live on changes
nothing about that.
"""

import pickle
import random
import secrets
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ngshare_fs.store.checking.verify import verify_volume
from tests.durability import ceph
from tests.durability.disks import EXT4, RecordedDisk, mounted, recorded_device
from tests.durability.guest import nfs
from tests.durability.guest.machine import python, run_in_guest, why_not_here
from tests.durability.history import History
from tests.durability.load import load, prepare
from tests.durability.servers import NO_FLUSH, preloaded, serving
from tests.rounds import rounds

pytestmark = [pytest.mark.durability, pytest.mark.long]

PATIENCE = 300
# Of twelve cuts under load with `async`, eleven lost something.
LOAD_SECONDS = 5
CUTS = rounds(6)
# Ceph makes no storage on less.
CEPH_BYTES = 2**30


def test_what_was_acknowledged_outlives_a_power_cut_of_the_nfs_server(tmp_path: Path) -> None:
    """With `async` it does not, which also shows that a loss would be seen."""
    reason = why_not_here(*nfs.PROGRAMS)
    if reason is not None:
        pytest.skip(reason)
    guest = tmp_path / "guest"
    guest.mkdir()
    with recorded_device(EXT4, guest / "recorded") as disk:
        file = guest / "histories"
        places = map(str, (disk.device, disk.record, file))
        run_in_guest(python("tests.durability.guest.loaded_server", str(LOAD_SECONDS), *places), guest, PATIENCE)
    histories = {}
    for how, writes in pickle.loads(file.read_bytes()).items():
        histories[how] = History(time.monotonic_ns)
        histories[how].writes = writes

    def lost(how: str, moment: int) -> list[str]:
        return lost_in_a_cut(disk, f"{how}/data", histories[how], moment, tmp_path)

    moments = {how: acknowledged(history) for how, history in histories.items()}
    print({how: len(those) for how, those in moments.items()}, "acknowledged")
    for moment in random.Random(0).sample(moments["sync"], CUTS):
        assert lost("sync", moment) == []
    assert any(lost("async", moment) for moment in moments["async"])
    # Nothing of it is lost by what is done to the same disk later.
    assert lost("sync", moments["async"][-1]) == []


def test_what_was_acknowledged_outlives_a_power_cut_of_ceph(tmp_path: Path) -> None:
    """Of the machine with the data and the metadata server. A server that does not flush is caught."""
    reason = ceph.why_not_here()
    if reason is not None:
        pytest.skip(reason)
    no_flushes = preloaded(NO_FLUSH, tmp_path)
    with (
        recorded_device(replace(EXT4, size=CEPH_BYTES), tmp_path / "disk") as disk,
        ceph.ceph(tmp_path / "ceph", disk.device) as machine,
    ):
        place = machine.mount("before")
        # Two histories, and two moments that count: what is not flushed is written in its own time.
        flushed, dirty = History(disk.now), History(disk.now)
        with serving(place / "flushed", tmp_path / "log") as server:
            prepare(server.url, flushed)
            with load(server.url, flushed):
                time.sleep(LOAD_SECONDS / 2)
        with serving(place / "dirty", tmp_path / "log", environment=no_flushes) as server:
            prepare(server.url, dirty)
            end = disk.now()
        assert flushed.refused == []
        machine.unmount(place)
        moments = acknowledged(flushed)
        last = moments[-1]
        for moment in (*random.Random(0).sample(moments[len(moments) // 2 :], CUTS // 3), last, end):
            image = tmp_path / f"image {secrets.token_hex(4)}"
            disk.after_power_cut(moment, 0, random.Random(moment), image)
            machine.lose_power(image)
            place = machine.mount("after")
            assert lost_on(place / "flushed", flushed, moment, tmp_path) == []
            assert moment != end or lost_on(place / "dirty", dirty, moment, tmp_path) != []
            machine.unmount(place)
            image.unlink()


def acknowledged(history: History) -> list[int]:
    """The moments of all acknowledgements, in their order."""
    return [write.acknowledged for write in history.acknowledged if write.acknowledged]


def lost_in_a_cut(disk: RecordedDisk, data: str, history: History, moment: int, folder: Path) -> list[str]:
    """What is missing on the disk that a power cut leaves: nothing is kept but what was flushed.

    Args:
        data: the volume, as a path on the disk.
    """
    image = folder / f"image {secrets.token_hex(4)}"
    disk.after_power_cut(moment, 0, random.Random(moment), image)
    place = folder / "after the cut"
    try:
        with mounted(image, place, disk.file_system.mount_options):
            return lost_on(place / data, history, moment, folder)
    finally:
        image.unlink()


def lost_on(data: Path, history: History, moment: int, folder: Path) -> list[str]:
    """What a volume has not that had been acknowledged by then, or what `verify` finds."""
    if not data.exists():
        return ["there is no volume"]
    problems = [str(finding) for finding in verify_volume(data)]
    if problems:
        return problems  # it may be too damaged to be served
    with serving(data, folder / "log after the cut") as server:
        return history.lost(server.url, moment)
